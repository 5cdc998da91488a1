import {
	act,
	fireEvent,
	render,
	screen,
	within,
} from "@testing-library/preact";
import { afterEach, describe, expect, it } from "vitest";
import { App } from "../src/components/App";
import { connect } from "../src/model/bridge";
import { savedModel } from "../src/model/offline";
import type { Comparison, Traits } from "../src/model/protocol";
import { result, spec, traits } from "./fixtures";
import { comparedMethods, comparedTargets } from "./multiples";
import { answer, closeAll, opened } from "./parts";

afterEach(closeAll);

const three = comparedMethods(["gradient", "integrated_gradients", "grad_cam"]);
const tab = () => fireEvent.click(screen.getByRole("tab", { name: "Compare" }));
const box = (name: RegExp) =>
	screen.getByRole("checkbox", { name }) as HTMLInputElement;
const go = () =>
	screen.getByRole("button", { name: "Compare" }) as HTMLButtonElement;
const multiples = () => screen.getByRole("list", { name: "compared maps" });

function compare(
	comparison: Comparison | null = null,
	state: Partial<Traits> = {},
) {
	const both = opened({ _comparison: comparison, ...state });
	const { container } = render(<App store={both.store} host={document.body} />);
	tab();
	return { ...both, root: container };
}

describe("choosing what to compare", () => {
	it("begins with the current method, which is not enough", () => {
		compare();
		expect(box(/^Integrated Gradients/).checked).toBe(true);
		expect(go().disabled).toBe(true);
		expect(go().title).toBe("choose at least 2");
	});

	it("does not offer what cannot run and says why", () => {
		compare();
		const rollout = box(/^Attention rollout/);
		expect(rollout.disabled).toBe(true);
		expect(rollout.closest("label")?.title).toContain("this model has none");
	});

	it("sends the ticked methods in the order of the list", () => {
		const { model } = compare();
		fireEvent.click(box(/^Grad-CAM/));
		fireEvent.click(box(/^Gradient/));
		fireEvent.click(go());
		expect(model.requests("compare")).toMatchObject([
			{
				methods: ["gradient", "integrated_gradients", "grad_cam"],
				targets: [],
			},
		]);
	});

	it("ends at six", () => {
		compare();
		for (const name of [/^Gradient/, /^Input/, /^Smooth/, /^Grad-/, /^Occl/])
			fireEvent.click(box(name));
		const seventh = box(/^Kernel SHAP/);
		expect(seventh.disabled).toBe(true);
		expect(seventh.closest("label")?.title).toBe("at most 6 at a time");
		fireEvent.click(box(/^Occl/));
		expect(seventh.disabled).toBe(false);
	});

	it("sends classes for the current method", () => {
		const { model } = compare();
		fireEvent.click(screen.getByTitle("several classes, one method"));
		fireEvent.click(box(/^tabby cat/));
		fireEvent.click(box(/^lynx/));
		fireEvent.click(go());
		expect(model.requests("compare")).toMatchObject([
			{ methods: [], targets: [285, 282, 287] },
		]);
	});

	it("keeps what is ticked while another tab is open", () => {
		compare();
		fireEvent.click(box(/^Grad-CAM/));
		fireEvent.click(screen.getByRole("tab", { name: "Explain" }));
		tab();
		expect(box(/^Grad-CAM/).checked).toBe(true);
	});

	it("says why a comparison was refused", async () => {
		const { model } = compare(three);
		fireEvent.click(go());
		const error = { title: "No picture", hint: "Give one.", details: "" };
		answer(model, "compare", { ok: false, error });
		expect(await screen.findByText("No picture. Give one.")).toBeTruthy();
	});
});

describe("the compared maps", () => {
	it("take the stage while their tab is open", () => {
		const { root } = compare(three);
		expect(within(multiples()).getAllByRole("listitem")).toHaveLength(3);
		expect(root.querySelectorAll(".nbx-multiple .nbx-map")).toHaveLength(3);
		fireEvent.keyDown(root.querySelector(".nbxplain") as Element, { key: "1" });
		expect(screen.queryByRole("list", { name: "compared maps" })).toBeNull();
		fireEvent.keyDown(root.querySelector(".nbxplain") as Element, { key: "2" });
		expect(multiples()).toBeTruthy();
	});

	it("give the stage to an earlier result that is looked at", async () => {
		const { model, store } = compare(three, {
			_history: [
				{ id: "h", name: "old", pinned: false, result: result("h", spec) },
			],
		});
		await act(() => {
			store.ui.looking.value = "h";
		});
		expect(screen.queryByRole("list", { name: "compared maps" })).toBeNull();
		await act(() => model.push({ _comparison: { ...three } }));
		expect(multiples()).toBeTruthy();
	});

	it("share the crosshair, the zoom and one relative scale", async () => {
		const { root, store } = compare(three);
		await act(() => {
			store.ui.crosshair.value = { x: 20, y: 22 };
		});
		const readings = root.querySelectorAll(".nbx-reading");
		expect(readings).toHaveLength(3);
		expect(readings[0]?.textContent).toMatch(/^[+−]0\.0/);
		expect(root.querySelector(".nbx-readout")?.textContent).toContain(
			"x 20 y 22",
		);
		await act(() => {
			store.ui.zoom.value = 2;
		});
		expect(root.querySelectorAll(".nbx-zoomed")).toHaveLength(3);
		const legend = root.querySelector(".nbx-legend")?.textContent;
		expect(legend).toContain("each map relative to its own 99.5th percentile");
		expect(legend).toContain("−1");
		expect(screen.queryByLabelText("same units")).toBeNull();
	});

	it("of classes can have one limit for all, in their unit", () => {
		const { root } = compare(comparedTargets([285, 281]));
		fireEvent.click(screen.getByLabelText("same units"));
		const legend = root.querySelector(".nbx-legend")?.textContent;
		expect(legend).toContain("one limit for all");
		expect(legend).toMatch(/\+0\.0\d/);
	});

	it("lead to their method, or to their class", () => {
		const { model } = compare(three);
		const list = within(multiples());
		const current = list.getByRole("button", { name: /Integrated/ });
		expect(current.getAttribute("aria-pressed")).toBe("true");
		fireEvent.click(list.getByRole("button", { name: /Grad-CAM/ }));
		expect(model.state.method).toBe("grad_cam");
		closeAll();
		const classes = compare(comparedTargets([285, 281]));
		fireEvent.click(
			within(multiples()).getByRole("button", { name: /tabby cat/ }),
		);
		expect(classes.model.state.target).toBe(281);
	});

	it("carry the first of their evidence", () => {
		const { root } = compare(three);
		const line = root.querySelector(".nbx-multiple-evidence");
		expect(line?.textContent).toContain("completeness gap");
		expect(line?.querySelector(".nbx-good")).not.toBeNull();
	});

	it("are replaced by the reason where there is nothing to see", () => {
		const [first, ...others] = three.results;
		const reason = "The gradient is zero.";
		const results = [result("z", first?.spec ?? spec, { reason }), ...others];
		compare({ ...three, results });
		expect(within(multiples()).getByText(reason)).toBeTruthy();
	});
});

describe("the agreement", () => {
	it("is two tables whose columns are named", () => {
		compare(three);
		const table = screen.getByRole("table", { name: "rank correlation" });
		const columns = within(table).getAllByRole("columnheader");
		expect(columns.map((each) => each.getAttribute("aria-label"))).toEqual([
			"Gradient",
			"Integrated Gradients",
			"Grad-CAM",
		]);
		const cells = within(table)
			.getAllByRole("cell")
			.map((cell) => cell.textContent)
			.filter(Boolean);
		expect(cells.slice(0, 3)).toEqual(["1.00", ".41", ".12"]);
		expect(
			screen.getByRole("table", { name: "top 10 % overlap" }),
		).toBeTruthy();
	});

	it("leaves out what failed and says so", () => {
		const failure = {
			title: "Occlusion: no memory",
			hint: "Less.",
			details: "",
		};
		compare({ ...three, failures: [failure] });
		const section = screen.getByRole("region", { name: "not computed" });
		expect(section.textContent).toContain("Occlusion: no memoryLess.");
	});
});

describe("keeping a comparison", () => {
	it("exports it, as a figure only", async () => {
		const { model, store } = compare(three);
		await act(() => {
			store.ui.open.value = "export";
		});
		const dialog = within(screen.getByRole("dialog"));
		const npz = screen.getByTitle(/the raw values/) as HTMLInputElement;
		expect(npz.disabled).toBe(true);
		fireEvent.click(dialog.getByText("Save PNG"));
		expect(model.requests("export")[0]?.comparison).toBe(true);
		fireEvent.click(dialog.getByLabelText("result"));
		expect(npz.disabled).toBe(false);
	});

	it("exports it where nothing else was computed", () => {
		compare(three, { _result: null });
		const open = screen.getByRole("button", { name: /^export/ });
		expect((open as HTMLButtonElement).disabled).toBe(false);
		fireEvent.click(screen.getByRole("tab", { name: "Explain" }));
		expect((open as HTMLButtonElement).disabled).toBe(true);
	});

	it("can be looked at in a saved view", () => {
		const saved = traits({ _comparison: three });
		const { store } = connect(
			savedModel(saved as unknown as Record<string, unknown>),
		);
		render(<App store={store} host={document.body} />);
		tab();
		const names = within(multiples()).getAllByRole("button");
		expect(names.every((name) => (name as HTMLButtonElement).disabled)).toBe(
			true,
		);
		expect(go().title).toContain("Saved view");
		expect(box(/^Grad-CAM/).checked).toBe(true);
		expect(box(/^Grad-CAM/).disabled).toBe(true);
	});
});

describe("a comparison that holds no longer", () => {
	const stale = () => screen.queryAllByText("stale").length;
	const push = (state: Partial<Traits>, comparison = three) => {
		const { model } = compare(comparison);
		expect(stale()).toBe(0);
		return act(() => model.push(state));
	};

	it.each<[string, Partial<Traits>]>([
		["class", { target: 281 }],
		["baseline", { baseline: { kind: "black" } }],
		["layer", { layer: "blocks.4" }],
		["weights", { _comparison_stale: true }],
	])("says so when the %s has changed", async (_, state) => {
		await push(state);
		expect(stale()).toBe(three.results.length);
		expect(screen.getByRole("status").textContent).toContain("Compare again");
	});

	it.each<[string, Partial<Traits>]>([
		["the current method", { method: "grad_cam" }],
		["its parameters", { params: { n_steps: 7 } }],
		["the look", { clip: 90, colormap: "viridis" }],
	])("does not depend on %s", async (_, state) => {
		await push(state);
		expect(stale()).toBe(0);
	});

	it("compares classes by one method with its parameters", async () => {
		const classes = comparedTargets([285, 281]);
		await push({ target: 282 }, classes);
		expect(stale()).toBe(0);
		closeAll();
		await push({ params: { n_steps: 7 } }, classes);
		expect(stale()).toBe(2);
	});
});
