import {
	act,
	fireEvent,
	render,
	screen,
	waitFor,
	within,
} from "@testing-library/preact";
import { afterEach, describe, expect, it } from "vitest";
import {
	cumulativeMap,
	gap,
	interpolate,
} from "../src/components/panel/alongPath";
import { Panel } from "../src/components/panel/Panel";
import type { Traits } from "../src/model/protocol";
import { curve, grid, result, spec } from "./fixtures";
import { answer, closeAll, opened } from "./parts";

function panel(state: Partial<Traits> = {}) {
	const both = opened(state);
	render(<Panel store={both.store} />);
	return both;
}

afterEach(closeAll);

describe("the generated form", () => {
	it("has one labelled control for each parameter of the method", () => {
		panel({ method: "smoothgrad", params: {} });
		const form = within(screen.getByRole("region", { name: "parameters" }));
		expect(form.getByLabelText("samples").getAttribute("type")).toBe("range");
		expect(form.getByLabelText("noise").getAttribute("max")).toBe("1");
		expect(form.getByLabelText("squared").getAttribute("type")).toBe(
			"checkbox",
		);
		expect(form.getByLabelText("seed").getAttribute("type")).toBe("range");
		expect(form.getByText("drag: draft with 8 samples")).toBeTruthy();
		expect(form.getByText("release: 50 samples")).toBeTruthy();
	});

	it("draws a choice as a select", () => {
		const { model } = panel();
		fireEvent.change(screen.getByLabelText("rule"), {
			target: { value: "midpoint" },
		});
		expect(model.state.params.rule).toBe("midpoint");
	});

	it("drafts while a handle is dragged and computes on release", async () => {
		const { model } = panel({ method: "smoothgrad", params: {} });
		const noise = screen.getByLabelText("noise");
		fireEvent.pointerDown(noise);
		fireEvent.input(noise, { target: { value: "0.2" } });
		fireEvent.input(noise, { target: { value: "0.3" } });
		expect(model.requests("draft")[0]?.spec.params).toEqual({ noise: 0.2 });
		expect(model.state.params).toEqual({});
		fireEvent.change(noise, { target: { value: "0.3" } });
		expect(model.state.params).toEqual({ noise: 0.3 });
	});

	it("ends a drag that comes back to where it began", async () => {
		const { model } = panel({ method: "smoothgrad", params: { noise: 0.2 } });
		const noise = screen.getByLabelText("noise");
		fireEvent.pointerDown(noise);
		fireEvent.input(noise, { target: { value: "0.3" } });
		fireEvent.input(noise, { target: { value: "0.2" } });
		const saved = model.saved.length;
		fireEvent.pointerUp(noise);
		await waitFor(() => expect(model.saved).toHaveLength(saved + 1));
		expect(model.state.params).toEqual({ noise: 0.2 });
	});

	it("sends no draft for a key, which is released at once", () => {
		const { model } = panel({ method: "smoothgrad", params: {} });
		const noise = screen.getByLabelText("noise");
		fireEvent.input(noise, { target: { value: "0.16" } });
		fireEvent.change(noise, { target: { value: "0.16" } });
		expect(model.requests("draft")).toHaveLength(0);
		expect(model.state.params).toEqual({ noise: 0.16 });
	});

	it("takes a typed number, keeps it in bounds, and refuses what is none", () => {
		const { model } = panel({ method: "smoothgrad", params: {} });
		const field = screen.getByLabelText("noise, number") as HTMLInputElement;
		fireEvent.change(field, { target: { value: "0,25" } });
		expect(model.state.params).toEqual({ noise: 0.25 });
		fireEvent.change(field, { target: { value: "7" } });
		expect(model.state.params).toEqual({ noise: 1 });
		fireEvent.change(field, { target: { value: "much" } });
		expect(model.state.params).toEqual({ noise: 1 });
		expect(field.value).toBe("1");
	});

	it("goes back to a default, and to all of them", () => {
		const params = { n_samples: 100, noise: 0.5 };
		const { model } = panel({ method: "smoothgrad", params });
		fireEvent.click(screen.getByLabelText("reset noise to .15"));
		expect(model.state.params).toEqual({ n_samples: 100, noise: 0.15 });
		fireEvent.click(screen.getByText("reset all"));
		expect(model.state.params).toEqual({});
	});

	it("moves a logarithmic slider by its own scale", () => {
		const { model } = panel({ params: {} });
		const track = screen.getByLabelText("steps");
		fireEvent.change(track, { target: { value: "500" } });
		expect(model.state.params.n_steps).toBe(32);
	});
});

describe("the baseline", () => {
	it("is chosen by its tile and adjusted by its own controls", () => {
		const { model } = panel();
		const sigma = screen.getByLabelText("sigma");
		fireEvent.pointerDown(sigma);
		fireEvent.input(sigma, { target: { value: "20" } });
		expect(model.requests("draft")[0]?.spec.baseline).toEqual({
			kind: "blur",
			sigma: 20,
		});
		fireEvent.click(screen.getByLabelText("white"));
		expect(model.state.baseline).toEqual({ kind: "white" });
	});

	it("sends the bytes of a picture, and refuses one that is too large", async () => {
		const { model } = panel();
		const input = screen.getByLabelText("picture for the baseline");
		const small = new File([new Uint8Array(3)], "x.png", { type: "image/png" });
		fireEvent.change(input, { target: { files: [small] } });
		await waitFor(() =>
			expect(model.requests("baseline_image")).toHaveLength(1),
		);
		expect(model.sent.at(-1)?.buffers[0]?.byteLength).toBe(3);
		const large = new File([new Uint8Array(10_000_001)], "y.png", {
			type: "image/png",
		});
		fireEvent.change(input, { target: { files: [large] } });
		await screen.findByText(/y.png has 10.0 MB/);
		expect(model.requests("baseline_image")).toHaveLength(1);
	});

	it("is not asked for when the method needs none", () => {
		panel({ method: "grad_cam", params: {} });
		expect(screen.queryByRole("region", { name: "baseline" })).toBeNull();
	});
});

describe("the path", () => {
	it("is scrubbed by keys and shows the map up to there", async () => {
		const { model, store } = panel();
		const plot = screen.getByLabelText(/place on the path/);
		fireEvent.keyDown(plot, { key: "Home" });
		fireEvent.keyDown(plot, { key: "ArrowRight", shiftKey: true });
		expect(store.ui.alpha.value).toBeCloseTo(0.1);
		expect(plot.getAttribute("aria-valuetext")).toMatch(/^alpha .1, score/);
		const maps = grid(2, 2, () => 0);
		const data = new Int16Array([0, 0, 0, 0, 10, 10, 10, 10]).buffer;
		answer(
			model,
			"path",
			{ alpha: [0, 1], maps: { ...maps, scale: 1, shape: [2, 2, 2] } },
			[data],
		);
		await waitFor(() => expect(store.ui.scrubbed.value).not.toBeNull());
		expect(store.ui.scrubbed.value?.values[0]).toBeCloseTo(1);
		fireEvent.click(screen.getByText("whole path"));
		expect(store.ui.alpha.value).toBeNull();
		expect(store.ui.scrubbed.value).toBeNull();
	});

	it("says why the stage does not follow", async () => {
		const { model, store } = panel();
		fireEvent.keyDown(screen.getByLabelText(/place on the path/), {
			key: "Home",
		});
		const error = { title: "The path is not kept", hint: "", details: "" };
		answer(model, "path", { ok: false, error });
		expect(await screen.findByText("The path is not kept")).toBeTruthy();
		expect(store.ui.alpha.value).toBe(0);
	});

	it("forgets where the pointer was, but not where it was put down", () => {
		const { store } = panel();
		const plot = screen.getByLabelText(/place on the path/);
		plot.getBoundingClientRect = () => new DOMRect(0, 0, 100, 80);
		fireEvent.pointerMove(plot, { clientX: 40, buttons: 0 });
		expect(store.ui.alpha.value).toBeCloseTo(0.4);
		fireEvent.pointerLeave(plot);
		expect(store.ui.alpha.value).toBeNull();
		fireEvent.pointerMove(plot, { clientX: 30, buttons: 1 });
		fireEvent.pointerMove(plot, { clientX: 60, buttons: 0 });
		fireEvent.pointerLeave(plot);
		expect(store.ui.alpha.value).toBeCloseTo(0.3);
	});

	it("stays, dimmed, while a draft without a path is shown", () => {
		const { model } = panel();
		const draft = result("d1", spec, { phase: "draft", curve: null });
		const data = draft.map.data as ArrayBuffer;
		act(() => model.message({ kind: "frame", seq: 1, result: draft }, [data]));
		const path = screen.getByRole("region", { name: "path" });
		expect(path.classList.contains("nbx-dim")).toBe(true);
	});

	it("doubles the steps up to the most that is allowed", () => {
		const { model } = panel({ params: { n_steps: 300, rule: "gauss" } });
		fireEvent.click(screen.getByText("double the steps"));
		expect(model.state.params.n_steps).toBe(512);
	});

	it("interpolates between maps, and from nothing before the first", () => {
		const map = (value: number) => ({
			rows: 1,
			columns: 1,
			values: Float32Array.of(value),
		});
		const at = (alpha: number) =>
			cumulativeMap([0.2, 0.6], [map(2), map(4)], alpha)?.values[0];
		expect(at(0)).toBe(0);
		expect(at(0.1)).toBe(1);
		expect(at(0.4)).toBeCloseTo(3);
		expect(at(1)).toBe(4);
		expect(interpolate([0, 1], [3, 5], 0.25)).toBe(3.5);
		expect(gap(curve())).toBeLessThan(0);
	});
});

describe("the look and the evidence", () => {
	it("sets the look at once, without a message", () => {
		const { model, store } = panel();
		const opacity = screen.getByLabelText("opacity");
		fireEvent.pointerDown(opacity);
		fireEvent.input(opacity, { target: { value: "0.8" } });
		expect(store.traits.opacity.value).toBe(0.8);
		fireEvent.click(screen.getByTitle("support only"));
		expect(store.traits.sign.value).toBe("positive");
		expect(model.requests("draft")).toHaveLength(0);
	});

	it("offers no sign where the map has none", () => {
		const unsigned = result("r1", spec, { signed: false });
		panel({ _result: unsigned });
		expect(screen.queryByTitle("support only")).toBeNull();
	});

	it("says each verdict in a word and each threshold in a description", () => {
		panel();
		const evidence = within(screen.getByRole("region", { name: "evidence" }));
		const value = evidence.getByText(/± 14 %/);
		expect(value.textContent).toContain(", weak");
		expect(value.classList.contains("nbx-weak")).toBe(true);
		expect(value.title).toBe("Green up to 10 %, amber up to 30 %.");
	});
});
