import {
	act,
	fireEvent,
	render,
	screen,
	waitFor,
} from "@testing-library/preact";
import { afterEach, expect, it } from "vitest";
import { App } from "../src/components/App";
import { paintOn } from "../src/components/stage/Painter";
import { alike, paint, unpainted } from "../src/model/painted";
import type { Traits } from "../src/model/protocol";
import { decodeRuns, encodeRuns, type LabelMap } from "../src/model/runs";
import { result, SIZE, spec } from "./fixtures";
import { answer, closeAll, opened } from "./parts";

afterEach(closeAll);

const ablation = { ...spec, method: "feature_ablation", params: {} };
const halves: LabelMap = {
	width: SIZE,
	height: SIZE,
	labels: Uint16Array.from({ length: SIZE * SIZE }, (_, i) =>
		i % SIZE < SIZE / 2 ? 0 : 1,
	),
};
const left = [...halves.labels.keys()].filter((i) => halves.labels[i] === 0);

function explained(state: Partial<Traits> = {}) {
	const both = opened({
		...ablation,
		_result: result("f", ablation),
		...state,
	});
	render(<App store={both.store} host={document.body} />);
	return both;
}

type Model = ReturnType<typeof explained>["model"];

function divide(model: Model, map: LabelMap, names: string[] = []) {
	const labels = { shape: [map.height, map.width], data: new ArrayBuffer(0) };
	answer(model, "regions", { labels, names }, [encodeRuns(map)]);
}

const choose = (name: string) =>
	fireEvent.click(screen.getByRole("radio", { name }));
const stage = () => screen.getByRole("group", { name: /^stage/ });
const names = () =>
	screen
		.queryAllByRole("textbox", { name: /^name of region/ })
		.map((field) => (field as HTMLInputElement).value);

/** Painting, with two superpixels side by side. */
async function painting(state: Partial<Traits> = {}) {
	const both = explained(state);
	choose("painted");
	divide(both.model, halves);
	await waitFor(() => expect(both.store.ui.pieces.value).not.toBeNull());
	return both;
}

it("is there for methods that take regions only", async () => {
	const { model } = explained();
	expect(screen.getByRole("region", { name: "regions" })).toBeTruthy();
	await act(() => model.push({ method: "gradient" }));
	expect(screen.queryByRole("region", { name: "regions" })).toBeNull();
});

it("a grid is one click, and leaves nothing to count superpixels for", async () => {
	const { model } = explained();
	expect(screen.getByRole("slider", { name: "segments" })).toBeTruthy();
	choose("grid");
	const grid = { kind: "grid", rows: 7, columns: 7 };
	expect(model.saved.at(-1)).toEqual({ regions: grid });
	const rows = await screen.findByRole("slider", { name: "rows" });
	expect(screen.queryByRole("slider", { name: "segments" })).toBeNull();
	fireEvent.pointerDown(rows);
	fireEvent.input(rows, { target: { value: "3" } });
	await waitFor(() =>
		expect(model.requests("draft").at(-1)?.spec.regions).toEqual({
			...grid,
			rows: 3,
		}),
	);
	choose("superpixels");
	expect(model.saved.at(-1)).toEqual({ regions: {} });
});

it("shows its outlines while it is used, and asks for them once", async () => {
	const { model, store } = explained();
	const control = screen.getByRole("radio", { name: "superpixels" });
	fireEvent.pointerEnter(control.closest("div") as HTMLElement);
	fireEvent.focusIn(control);
	await waitFor(() => expect(model.requests("regions")).toHaveLength(1));
	expect(model.requests("regions")[0]).toMatchObject({ regions: {} });
	divide(model, halves);
	await waitFor(() => expect(store.ui.outlined.value?.map).toEqual(halves));
	fireEvent.focusOut(control);
	await waitFor(() => expect(store.ui.outlined.value).toBeNull());
	fireEvent.focusIn(control);
	await waitFor(() => expect(store.ui.outlined.value?.map).toEqual(halves));
	expect(model.requests("regions")).toHaveLength(1);
});

it("a rectangle on the stage becomes a region", async () => {
	const { store } = await painting();
	choose("rectangle");
	const canvas = stage().querySelector(".nbx-painter") as HTMLElement;
	canvas.setPointerCapture = () => {};
	const at = (clientX: number, clientY: number) => ({ clientX, clientY });
	const { width } = stage().style;
	const scale = Number.parseFloat(width) / SIZE;
	fireEvent.pointerDown(canvas, { ...at(2 * scale, 3 * scale), button: 0 });
	fireEvent.pointerMove(canvas, at(6 * scale, 5 * scale));
	fireEvent.pointerUp(canvas, at(6 * scale, 5 * scale));
	await waitFor(() => expect(names()).toEqual(["region 1"]));
	const labels = store.ui.painted.value?.map.labels ?? [];
	const painted = [...labels.keys()].filter((i) => labels[i] === 1);
	expect(painted).toEqual(
		[3, 4].flatMap((y) => [2, 3, 4, 5].map((x) => SIZE * y + x)),
	);
});

it("without a pointer the superpixel at the crosshair is added", async () => {
	const { store } = await painting();
	const button = screen.getByRole("button", { name: /at the crosshair/ });
	expect((button as HTMLButtonElement).disabled).toBe(true);
	await act(() => {
		store.ui.crosshair.value = { x: 1, y: 1 };
	});
	fireEvent.click(button);
	await waitFor(() => expect(names()).toEqual(["region 1"]));
	fireEvent.click(screen.getByRole("button", { name: "add to region 1" }));
	await act(() => {
		store.ui.crosshair.value = { x: SIZE - 1, y: 1 };
	});
	fireEvent.click(button);
	expect(names()).toEqual(["region 1"]);
	const labels = store.ui.painted.value?.map.labels ?? [];
	expect([...labels].every((label) => label === 1)).toBe(true);
});

it("regions are renamed, removed and used", async () => {
	const { model, store } = await painting();
	await act(() => {
		const one = paint(unpainted(SIZE, SIZE), left, null);
		store.ui.painted.value = paint(one, [SIZE - 1], null);
	});
	const use = screen.getByRole("button", { name: "Use these" });
	fireEvent.change(screen.getByRole("textbox", { name: "name of region 2" }), {
		target: { value: " right ear " },
	});
	await waitFor(() => expect(names()).toEqual(["region 1", "right ear"]));
	fireEvent.click(screen.getByRole("button", { name: "remove region 1" }));
	await waitFor(() => expect(names()).toEqual(["right ear"]));
	fireEvent.click(use);
	const sent = model.sent.at(-1);
	expect(sent?.content).toMatchObject({
		kind: "painted_regions",
		names: ["right ear"],
	});
	const labels = decodeRuns(
		sent?.buffers[0] as ArrayBuffer,
		SIZE,
		SIZE,
	)?.labels;
	expect(labels?.indexOf(1)).toBe(SIZE - 1);
	expect(labels?.filter((label) => label === 1)).toHaveLength(1);
	answer(model, "painted_regions");
	await waitFor(() => expect((use as HTMLButtonElement).disabled).toBe(true));
});

/** How each pixel is labelled, as text. */
const labels = (store: Awaited<ReturnType<typeof painting>>["store"]) =>
	`${store.ui.painted.value?.map.labels}`;
const disabled = (name: string) =>
	(screen.getByRole("button", { name }) as HTMLButtonElement).disabled;
const press = (name: string) =>
	fireEvent.click(screen.getByRole("button", { name }));
const key = (more: KeyboardEventInit, on: Element = stage()) =>
	fireEvent.keyDown(on, { key: "z", ctrlKey: true, ...more });

/** Two superpixels painted, the second renamed and the first removed: what there was each time. */
async function fourSteps() {
	const both = await painting();
	const { store } = both;
	const seen = [{ names: names(), labels: labels(store) }];
	const step = async (act: () => void, after: string[]) => {
		act();
		await waitFor(() => expect(names()).toEqual(after));
		seen.push({ names: names(), labels: labels(store) });
	};
	const add = (x: number) => () => {
		store.ui.crosshair.value = { x, y: 1 };
		paintOn(store, alike(halves, SIZE + x));
	};
	await step(add(1), ["region 1"]);
	await step(add(SIZE - 1), ["region 1", "region 2"]);
	await step(() => {
		const field = screen.getByRole("textbox", { name: "name of region 2" });
		fireEvent.change(field, { target: { value: "ear" } });
	}, ["region 1", "ear"]);
	await step(() => press("remove region 1"), ["ear"]);
	return { ...both, seen };
}

it.each([
	["buttons", () => press("Undo"), () => press("Redo")],
	["keys", () => key({}), () => key({ shiftKey: true })],
	[
		"keys of a Mac",
		() => key({ ctrlKey: false, metaKey: true }),
		() => key({ ctrlKey: false, metaKey: true, shiftKey: true, key: "Z" }),
	],
])(
	"what was painted, named and removed is undone by %s",
	async (_, undo, redo) => {
		const { store, seen } = await fourSteps();
		const there = async (at: number) => {
			await waitFor(() => expect(names()).toEqual(seen[at]?.names));
			expect(labels(store)).toBe(seen[at]?.labels);
			expect(disabled("Undo")).toBe(at === 0);
			expect(disabled("Redo")).toBe(at === 4);
			expect(disabled("Clear")).toBe(at === 0);
		};
		await there(4);
		for (const at of [3, 2, 1, 0]) {
			undo();
			await there(at);
		}
		for (const at of [1, 2, 3, 4]) {
			redo();
			await there(at);
		}
	},
);

it("a stroke after an undo is the last step", async () => {
	const { store } = await fourSteps();
	press("Undo");
	press("Undo");
	paintOn(store, [0]);
	await waitFor(() =>
		expect(names()).toEqual(["region 1", "region 2", "region 3"]),
	);
	expect(disabled("Redo")).toBe(true);
});

it("all of it is cleared as one step, and none is added to after an undo", async () => {
	const { store, seen } = await fourSteps();
	press("add to ear");
	press("Clear");
	await waitFor(() => expect(names()).toEqual([]));
	press("Undo");
	await waitFor(() => expect(names()).toEqual(["ear"]));
	expect(labels(store)).toBe(seen[4]?.labels);
	press("add to ear");
	press("Undo");
	expect(store.ui.adding.value).toBeNull();
});

it("the keys undo without a tool too, but not where a name is typed or in another tab", async () => {
	const { store } = await fourSteps();
	fireEvent.keyDown(stage(), { key: "Escape" });
	expect(store.ui.tool.value).toBeNull();
	const name = screen.getByRole("textbox", { name: "name of region 1" });
	expect(key({}, name)).toBe(true);
	expect(names()).toEqual(["ear"]);
	expect(key({})).toBe(false);
	await waitFor(() => expect(names()).toEqual(["region 1", "ear"]));
	const before = labels(store);
	await act(() => {
		store.ui.tab.value = "compare";
	});
	expect(key({})).toBe(true);
	expect(labels(store)).toBe(before);
	await act(() => {
		store.ui.tab.value = "explain";
	});
	choose("painted");
	await waitFor(() => expect(disabled("Undo")).toBe(false));
});

it("what Python keeps and another picture have nothing to undo", async () => {
	const regions = { kind: "map", names: ["rest", "face"], digest: "d" };
	const { model, store } = explained({ regions });
	await waitFor(() => expect(model.requests("regions")).toHaveLength(2));
	divide(model, halves, ["rest", "face"]);
	await waitFor(() => expect(names()).toEqual(["face"]));
	expect(disabled("Undo")).toBe(true);
	paintOn(store, [0]);
	await waitFor(() => expect(disabled("Undo")).toBe(false));
	const picture = store.traits._image.value;
	await act(() => model.push({ _image: { ...picture, width: 2, height: 2 } }));
	await waitFor(() => expect(disabled("Undo")).toBe(true));
});

it("what Python refuses is said", async () => {
	const { model, store } = await painting();
	await act(() => {
		store.ui.painted.value = paint(unpainted(SIZE, SIZE), left, null);
	});
	fireEvent.click(screen.getByRole("button", { name: "Use these" }));
	const error = {
		title: "The region 'a' has no pixels.",
		hint: "",
		details: "",
	};
	answer(model, "painted_regions", { ok: false, error });
	expect(await screen.findByText(/has no pixels/)).toBeTruthy();
});

it("a painting that Python keeps can be painted on", async () => {
	const regions = { kind: "map", names: ["rest", "face"], digest: "d" };
	const { model } = explained({ regions });
	await waitFor(() => expect(model.requests("regions")).toHaveLength(2));
	divide(model, halves, ["rest", "face"]);
	await waitFor(() => expect(names()).toEqual(["face"]));
});

it("Escape puts the tool away, another tab does as well", async () => {
	const { store } = await painting();
	expect(store.ui.tool.value).toBe("lasso");
	fireEvent.keyDown(stage(), { key: "Escape" });
	expect(store.ui.tool.value).toBeNull();
	choose("rectangle");
	expect(store.ui.tool.value).toBe("rectangle");
	await act(() => {
		store.ui.tab.value = "compare";
	});
	expect(store.ui.tool.value).toBeNull();
});

it("a saved view only says how the picture was divided", async () => {
	const { model } = explained();
	model.closed = true;
	await act(() => model.emit("comm:close"));
	const radio = screen.getByRole("radio", { name: "painted" });
	expect((radio as HTMLInputElement).disabled).toBe(true);
	expect(model.requests("regions")).toHaveLength(0);
});
