import {
	act,
	fireEvent,
	render,
	screen,
	waitFor,
} from "@testing-library/preact";
import { afterEach, expect, it } from "vitest";
import { App } from "../src/components/App";
import type { Traits } from "../src/model/protocol";
import { heads, result, spec } from "./fixtures";
import { attentionMaps, headMaps } from "./multiples";
import { answer, closeAll, opened } from "./parts";

afterEach(closeAll);

const raw = { ...spec, method: "attention_raw", params: { block: 1 } };

/** The explorer with all heads drawn. */
async function grid(state: Partial<Traits> = {}) {
	const both = opened({
		...raw,
		_result: result("a", raw, { signed: false }),
		...state,
	});
	render(<App store={both.store} host={document.body} />);
	const { maps, buffer } = headMaps();
	answer(both.model, "heads", { maps }, [buffer]);
	await screen.findByRole("grid", { name: "attention heads" });
	const point = (x: number, y: number) =>
		act(() => {
			both.store.ui.crosshair.value = { x, y };
		});
	return { ...both, point };
}

const stamp = (layer: number, name: string) =>
	screen.getByRole("button", { name: `layer ${layer}, ${name}` });

it("asks once and draws every head and a mean for each layer", async () => {
	const { model, store } = await grid();
	expect(model.requests("heads")).toMatchObject([{ result: "a" }]);
	const stamps = screen.getAllByRole("button", { name: /^layer \d/ });
	expect(stamps).toHaveLength(heads.layers * (heads.heads + 1));
	await act(() => {
		store.ui.tab.value = "compare";
	});
	await act(() => {
		store.ui.tab.value = "explain";
	});
	await screen.findByRole("grid");
	expect(model.requests("heads")).toHaveLength(1);
});

it("is not there for a result without heads", () => {
	const { store } = opened();
	render(<App store={store} host={document.body} />);
	expect(screen.queryByRole("region", { name: "heads" })).toBeNull();
});

it("enlarges a head on the stage and puts it away again", async () => {
	const { store } = await grid();
	fireEvent.click(stamp(2, "head 3"));
	await waitFor(() => expect(store.ui.attended.value?.rows).toBe(8));
	expect(
		await screen.findByRole("img", { name: "attention in layer 2, head 3" }),
	).toBeTruthy();
	expect(stamp(2, "head 3").getAttribute("aria-pressed")).toBe("true");
	fireEvent.click(stamp(2, "head 3"));
	await waitFor(() => expect(store.ui.attended.value).toBeNull());
});

it("averages the heads of a layer", async () => {
	const { store } = await grid();
	fireEvent.click(stamp(1, "head 0"));
	await waitFor(() => expect(store.ui.attended.value).not.toBeNull());
	const first = store.ui.attended.value;
	fireEvent.click(stamp(1, "mean of the heads"));
	expect(store.ui.head.value).toEqual({ layer: 1, head: -1 });
	await waitFor(() => expect(store.ui.attended.value).not.toBe(first));
	const top = (map: typeof first) => Math.max(...(map?.values ?? []));
	expect(top(store.ui.attended.value)).toBeLessThan(top(first));
});

it("escape goes back to the result before it leaves the widget", async () => {
	const { store } = await grid();
	fireEvent.click(stamp(0, "head 1"));
	fireEvent.keyDown(stamp(0, "head 1"), { key: "Escape" });
	expect(store.ui.head.value).toBeNull();
	await waitFor(() => expect(store.ui.attended.value).toBeNull());
});

it("shows where the patch under the pointer attends, asking once a head", async () => {
	const { model, store, point } = await grid();
	await point(0, 0);
	expect(model.requests("attention")).toHaveLength(0);
	fireEvent.click(stamp(2, "head 3"));
	await point(9, 0);
	expect(model.requests("attention")).toMatchObject([
		{ result: "a", layer: 2, head: 3 },
	]);
	const { maps, buffer } = attentionMaps(2, 3);
	answer(model, "attention", { maps }, [buffer]);
	const strongest = () => {
		const values = store.ui.attended.value?.values ?? new Float32Array();
		return values.indexOf(Math.max(...values));
	};
	await waitFor(() => expect(strongest()).toBe(1));
	await point(0, 17);
	await waitFor(() => expect(strongest()).toBe(16));
	expect(model.requests("attention")).toHaveLength(1);
	fireEvent.click(stamp(0, "mean of the heads"));
	await waitFor(() => expect(model.requests("attention")).toHaveLength(2));
	expect(model.requests("attention")[1]).toMatchObject({ layer: 0, head: -1 });
});

it("keeps the grid while the next result's heads are on their way", async () => {
	const { model, store } = await grid();
	fireEvent.click(stamp(2, "head 3"));
	await act(() => model.push({ _result: result("b", raw, { signed: false }) }));
	expect(screen.getByRole("grid")).toBeTruthy();
	expect(model.requests("heads").at(-1)?.result).toBe("b");
	await waitFor(() => expect(store.ui.head.value).toBeNull());
});

it("asks nothing of a frame, which Python does not keep", async () => {
	const { model } = await grid();
	const frame = result("frame-1", raw, { phase: "draft" });
	const data = frame.map.data as ArrayBuffer;
	await act(() =>
		model.message({ kind: "frame", seq: 1, result: frame }, [data]),
	);
	expect(screen.getByRole("grid")).toBeTruthy();
	expect(model.requests("heads")).toHaveLength(1);
});

it("is one stop for Tab and walked by arrows", async () => {
	await grid();
	const stops = () =>
		screen
			.getAllByRole("button", { name: /^layer \d/ })
			.filter(({ tabIndex }) => tabIndex === 0);
	expect(stops()).toEqual([stamp(0, "head 0")]);
	stamp(0, "head 0").focus();
	fireEvent.keyDown(stamp(0, "head 0"), { key: "ArrowDown" });
	expect(document.activeElement).toBe(stamp(1, "head 0"));
	fireEvent.keyDown(stamp(1, "head 0"), { key: "End" });
	expect(document.activeElement).toBe(stamp(1, "mean of the heads"));
	await waitFor(() => expect(stops()).toEqual([stamp(1, "mean of the heads")]));
});

it("offers to explain the enlarged head where the method can", async () => {
	const { model } = await grid();
	fireEvent.click(stamp(3, "head 5"));
	fireEvent.click(await screen.findByText("explain this head"));
	expect(model.state.params).toEqual({ block: 3, head: 5 });
	closeAll();
	await grid({ method: "attention_rollout" });
	fireEvent.click(stamp(3, "head 5"));
	expect(screen.queryByText("explain this head")).toBeNull();
});

it("says in a saved view why there is no grid", async () => {
	const { model, store } = opened({
		...raw,
		_result: result("a", raw),
	});
	render(<App store={store} host={document.body} />);
	await act(() => model.emit("comm:close"));
	expect(screen.queryByRole("grid")).toBeNull();
	const section = screen.getByRole("region", { name: "heads" });
	expect(section.textContent).toContain("Run the cell again");
});

it("a saved page brings the maps of its heads along", async () => {
	const { maps, buffer } = headMaps();
	const kept = { ...heads, maps: { ...maps, data: buffer } };
	const { model, store } = opened({
		...raw,
		_result: result("a", raw, { signed: false, heads: kept }),
	});
	render(<App store={store} host={document.body} />);
	await act(() => model.emit("comm:close"));
	await screen.findByRole("grid", { name: "attention heads" });
	const stamps = screen.getAllByRole("button", { name: /^layer \d/ });
	expect(stamps).toHaveLength(heads.layers * (heads.heads + 1));
	fireEvent.click(stamp(2, "head 3"));
	await waitFor(() => expect(store.ui.attended.value?.rows).toBe(8));
	const section = screen.getByRole("region", { name: "heads" });
	expect(section.textContent).not.toContain("point at a patch");
});
