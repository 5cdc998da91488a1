import {
	act,
	fireEvent,
	render,
	screen,
	waitFor,
	within,
} from "@testing-library/preact";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { App } from "../src/components/App";
import type { PaintRequest, Traits } from "../src/model/protocol";
import { decodeRuns, encodeRuns } from "../src/model/runs";
import { blankSketch, brushed, labelled, strongest } from "../src/model/sketch";
import { NO_STEPS, stepped, walked } from "../src/model/undo";
import { edits, found, painted, probed, remembered } from "./edited";
import { prediction, SIZE } from "./fixtures";
import { answer, closeAll, opened } from "./parts";

beforeAll(() => {
	// The simulated browser has no top layer.
	HTMLElement.prototype.showPopover ??= () => {};
});
afterEach(closeAll);

function editing(state: Partial<Traits> = {}) {
	const both = opened(state);
	both.store.ui.tab.value = "edit";
	render(<App store={both.store} host={document.body} />);
	return both;
}

type Model = ReturnType<typeof editing>["model"];

const stage = () => screen.getByRole("group", { name: /^stage/ });
const press = (name: string) =>
	fireEvent.click(screen.getByRole("button", { name }));
const choose = (name: string) =>
	fireEvent.click(screen.getByRole("radio", { name }));
const asked = (model: Model) => model.requests("paint");

/** Which fill each pixel of the newest request has. */
function labels(model: Model) {
	const sent = model.sent.filter(({ content }) => content.kind === "paint");
	const { shape = [] } = (sent.at(-1)?.content ?? {}) as Partial<PaintRequest>;
	const [rows = 0, columns = 0] = shape;
	const data = sent.at(-1)?.buffers[0] as ArrayBuffer;
	return decodeRuns(data, columns, rows)?.labels ?? new Uint16Array();
}

const count = (model: Model) => labels(model).filter((l) => l > 0).length;

/** Answers the newest request; the model's answer depends on how much is painted. */
function told(model: Model) {
	const sent = model.sent.filter(({ content }) => content.kind === "paint");
	const last = sent.at(-1);
	const { picture, ...rest } = painted(
		last?.content as PaintRequest,
		last?.buffers[0] as ArrayBuffer,
	);
	const bare = { ...picture, data: new ArrayBuffer(0) };
	answer(model, "paint", { painted: { ...rest, picture: bare } }, [
		(picture.data as DataView<ArrayBuffer>).buffer,
	]);
	return rest;
}

/** Drags on the stage through points of the picture. */
function drag(...points: [number, number][]) {
	const canvas = stage().querySelector(".nbx-painter") as HTMLElement;
	canvas.setPointerCapture = () => {};
	const scale = Number.parseFloat(stage().style.width) / SIZE;
	const at = ([x, y]: [number, number]) => ({
		clientX: x * scale,
		clientY: y * scale,
		button: 0,
	});
	const [first = [0, 0], ...rest] = points;
	fireEvent.pointerDown(canvas, at(first));
	for (const point of rest) fireEvent.pointerMove(canvas, at(point));
	fireEvent.pointerUp(canvas);
}

const shown = (name: RegExp) =>
	within(screen.getByRole("list", { name: "predictions" })).getByRole(
		"button",
		{ name },
	);

describe("the sketch", () => {
	it("a brush of one pixel is one pixel, a wide one a disc", () => {
		const size = { width: 20, height: 10 };
		expect(brushed({ x: 3.5, y: 2.5 }, { x: 3.5, y: 2.5 }, 1, size)).toEqual([
			43,
		]);
		const disc = brushed({ x: 10, y: 5 }, { x: 10, y: 5 }, 6, size);
		const inside = [...Array(200).keys()].filter(
			(i) => Math.hypot((i % 20) - 9.5, Math.floor(i / 20) - 4.5) <= 3,
		);
		expect(disc).toEqual(inside);
	});

	it("a stroke has no gaps, however fast it is", () => {
		const line = brushed({ x: 0.5, y: 0.5 }, { x: 19.5, y: 0.5 }, 1, {
			width: 20,
			height: 4,
		});
		expect(line).toEqual([...Array(20).keys()]);
	});

	it("the strongest share of a map is that share of the pixels", () => {
		const values = Float32Array.from({ length: 100 * 100 }, (_, i) => i + 1);
		const top = strongest({ rows: 100, columns: 100, values }, 0.1, {
			width: 100,
			height: 100,
		});
		expect(top).toHaveLength(1000);
		expect(Math.min(...top)).toBe(9000);
	});

	it("sixty steps go back and forth, pixel by pixel", () => {
		const fill = { kind: "blur" };
		const sketches = [blankSketch({ width: 8, height: 8 }, fill)];
		let steps = NO_STEPS;
		for (let i = 0; i < 60; i++) {
			const before = sketches.at(-1) as (typeof sketches)[number];
			const after = labelled(before, [i, (7 * i) % 64], i % 3);
			sketches.push(after);
			steps = stepped(steps, before, after) ?? steps;
		}
		const distinct = sketches.filter(
			({ map }, i) =>
				i === 0 || `${map.labels}` !== `${sketches[i - 1]?.map.labels}`,
		);
		let now = sketches.at(-1) as (typeof sketches)[number];
		for (const sketch of distinct.slice(0, -1).reverse()) {
			const back = walked(steps, now, 0);
			expect(back?.drawn.map.labels).toEqual(sketch.map.labels);
			if (back) ({ steps, drawn: now } = back);
		}
		expect(walked(steps, now, 0)).toBeNull();
		for (const sketch of distinct.slice(1)) {
			const ahead = walked(steps, now, 1);
			expect(ahead?.drawn.map.labels).toEqual(sketch.map.labels);
			if (ahead) ({ steps, drawn: now } = ahead);
		}
		expect(walked(steps, now, 1)).toBeNull();
	});
});

describe("painting", () => {
	it("the bars move while the brush is down, with ghosts of the original", async () => {
		const { model } = editing();
		drag([10, 10], [30, 10]);
		await waitFor(() => expect(asked(model).length).toBe(1));
		told(model);
		await waitFor(() => expect(shown(/espresso/)).toBeTruthy());
		expect(shown(/Egyptian Mau/).querySelector("i")?.style.left).toBe("38%");
		const after = asked(model);
		expect(after.at(-1)).toMatchObject({ kind: "paint", shape: [SIZE, SIZE] });
	});

	it("one question at a time, and the latest next", async () => {
		const { model } = editing();
		drag([10, 10], [12, 10], [14, 10], [16, 10], [18, 10], [40, 40]);
		expect(asked(model)).toHaveLength(1);
		drag([60, 60], [62, 60]);
		expect(asked(model)).toHaveLength(1);
		const first = count(model);
		told(model);
		await waitFor(() => expect(asked(model)).toHaveLength(2));
		expect(count(model)).toBeGreaterThan(first);
		expect(asked(model).at(-1)?.settled).toBe(true);
		told(model);
		await act(() => undefined);
		expect(asked(model)).toHaveLength(2);
	});

	it("an answer to what was undone meanwhile is never shown", async () => {
		const { model, store } = editing();
		drag([10, 10], [12, 10]);
		await waitFor(() => expect(asked(model)).toHaveLength(1));
		told(model);
		await waitFor(() => expect(asked(model)).toHaveLength(2));
		const right = told(model).choices;
		await waitFor(() => expect(store.ui.altered.value?.choices).toEqual(right));
		drag([30, 30], [SIZE - 2, SIZE - 2]);
		await waitFor(() => expect(asked(model)).toHaveLength(3));
		press("Undo");
		told(model);
		await waitFor(() => expect(asked(model)).toHaveLength(4));
		expect(store.ui.altered.value?.choices).toEqual(right);
		told(model);
		await act(() => undefined);
		expect(store.ui.altered.value?.choices).toEqual(right);
	});

	it("fifty strokes are undone by the keyboard, and done again", async () => {
		const { model, store } = editing();
		for (let i = 0; i < 50; i++) {
			store.ui.editor.size.value = 2;
			drag([2 * (i % 20) + 2, 4 * Math.floor(i / 20) + 4]);
		}
		const all = store.ui.editor.sketch.value?.map.labels;
		for (let i = 0; i < 50; i++)
			fireEvent.keyDown(stage(), { key: "z", ctrlKey: true });
		const none = store.ui.editor.sketch.value?.map.labels;
		expect(none?.every((label) => label === 0)).toBe(true);
		expect(screen.getByRole("button", { name: "Undo" })).toHaveProperty(
			"disabled",
			true,
		);
		for (let i = 0; i < 50; i++)
			fireEvent.keyDown(stage(), { key: "z", metaKey: true, shiftKey: true });
		expect(store.ui.editor.sketch.value?.map.labels).toEqual(all);
		model.closed = true;
	});

	it("the eraser takes back what it touches", async () => {
		const { store } = editing();
		drag([10, 10], [30, 10]);
		choose("eraser");
		drag([10, 10], [30, 10]);
		const { labels: now } = store.ui.editor.sketch.value?.map ?? {};
		expect(now?.every((label) => label === 0)).toBe(true);
	});

	it("lasso and rectangle take what they enclose", async () => {
		const { store } = editing();
		choose("rectangle");
		drag([2, 3], [6, 5]);
		const at = () => {
			const now = store.ui.editor.sketch.value?.map.labels ?? [];
			return [...now.keys()].filter((i) => now[i]);
		};
		const box = [3, 4].flatMap((y) => [2, 3, 4, 5].map((x) => SIZE * y + x));
		expect(at()).toEqual(box);
		press("Undo");
		choose("lasso");
		drag([2, 3], [6, 3], [6, 5], [2, 5]);
		expect(at()).toEqual(box);
	});

	it("keys choose the tool and its size, but not where a name is typed", async () => {
		const { store } = editing();
		store.ui.tab.value = "explain";
		fireEvent.keyDown(stage(), { key: "e" });
		expect(store.ui.tab.value).toBe("edit");
		expect(store.ui.editor.tool.value).toBe("eraser");
		fireEvent.keyDown(stage(), { key: "b" });
		expect(store.ui.editor.tool.value).toBe("brush");
		const size = store.ui.editor.size.value;
		fireEvent.keyDown(stage(), { key: "." });
		expect(store.ui.editor.size.value).toBeGreaterThan(size);
		fireEvent.keyDown(stage(), { key: "," });
		expect(store.ui.editor.size.value).toBeLessThanOrEqual(size);
		const field = await screen.findByRole("textbox", { name: /^size, number/ });
		fireEvent.keyDown(field, { key: "e" });
		expect(store.ui.editor.tool.value).toBe("brush");
		fireEvent.keyDown(stage(), { key: "Escape" });
		expect(store.ui.editor.tool.value).toBeNull();
	});

	it("without a pointer Enter presses the tool at the crosshair", async () => {
		const { store } = editing();
		const go = (x: number, y: number) => {
			store.ui.crosshair.value = { x, y };
			fireEvent.keyDown(stage(), { key: "Enter" });
		};
		const painted = () =>
			store.ui.editor.sketch.value?.map.labels.filter((l) => l > 0).length ?? 0;
		store.ui.editor.size.value = 2;
		go(10, 10);
		expect(painted()).toBeGreaterThan(0);
		press("Undo");
		choose("rectangle");
		go(2, 3);
		expect(painted()).toBe(0);
		go(6, 5);
		expect(painted()).toBe(8);
		press("Undo");
		choose("lasso");
		for (const [x, y] of [
			[2, 2],
			[12, 2],
			[12, 12],
			[12, 12],
		] as const)
			go(x, y);
		expect(painted()).toBeGreaterThan(30);
	});

	it("a rectangle by numbers, a superpixel by its number, the top of the map", async () => {
		const { model, store } = editing();
		const painted = () =>
			store.ui.editor.sketch.value?.map.labels.filter((l) => l > 0).length ?? 0;
		press("Add");
		expect(painted()).toBeGreaterThan(0);
		expect(painted()).toBeLessThanOrEqual(0.11 * SIZE * SIZE);
		press("Undo");
		choose("rectangle");
		await screen.findByRole("textbox", { name: "x of the rectangle" });
		fireEvent.click(
			screen.getAllByRole("button", { name: "Add" })[0] as Element,
		);
		expect(painted()).toBe((SIZE / 2) ** 2);
		press("Undo");
		choose("wand");
		await waitFor(() => expect(model.requests("regions")).toHaveLength(1));
		const halves = {
			width: SIZE,
			height: SIZE,
			labels: Uint16Array.from({ length: SIZE * SIZE }, (_, i) =>
				i % SIZE < SIZE / 2 ? 0 : 1,
			),
		};
		const shape = [SIZE, SIZE];
		answer(model, "regions", { labels: { shape, data: new ArrayBuffer(0) } }, [
			encodeRuns(halves),
		]);
		await waitFor(() => expect(store.ui.editor.pieces.value).not.toBeNull());
		const [first] = screen.getAllByRole("button", { name: "Add" });
		await waitFor(() => expect(first).toHaveProperty("disabled", false));
		fireEvent.click(first as Element);
		expect(painted()).toBe(SIZE ** 2 / 2);
	});
});

describe("fills and adjustments", () => {
	it("another fill is painted beside the first, and removed with its pixels", async () => {
		const { model, store } = editing();
		drag([10, 10], [12, 10]);
		told(model);
		press("One more");
		await screen.findByRole("list", { name: "fills" });
		drag([40, 40], [42, 40]);
		const now = () => new Set(store.ui.editor.sketch.value?.map.labels);
		expect(now()).toEqual(new Set([0, 1, 2]));
		const { fills } = store.ui.editor.sketch.value ?? {};
		expect(fills?.map(({ kind }) => kind)).toEqual(["blur", "inpaint"]);
		fireEvent.click(screen.getByRole("button", { name: /^remove fill 1/ }));
		expect(now()).toEqual(new Set([0, 1]));
		expect(store.ui.editor.sketch.value?.fills).toEqual([{ kind: "inpaint" }]);
	});

	it("a slider is dragged in drafts and is one step when it is let go", async () => {
		const { model, store } = editing();
		press("adjust brightness, contrast, rotation, patch, JPEG");
		const slider = await screen.findByRole("slider", { name: "brightness" });
		fireEvent.pointerDown(slider);
		for (const value of ["0.1", "0.2", "0.3"])
			fireEvent.input(slider, { target: { value } });
		await waitFor(() => expect(asked(model)).toHaveLength(1));
		expect(asked(model)[0]?.settled).toBe(false);
		expect(store.ui.editor.steps.value.made).toHaveLength(0);
		fireEvent.change(slider, { target: { value: "0.3" } });
		expect(store.ui.editor.steps.value.made).toHaveLength(1);
		told(model);
		await waitFor(() =>
			expect(asked(model).at(-1)).toMatchObject({
				settled: true,
				adjustments: { brightness: 0.3 },
			}),
		);
		press("Undo");
		expect(store.ui.editor.sketch.value?.adjustments).toEqual({});
	});

	it("what Python refuses is said", async () => {
		const { model } = editing();
		drag([10, 10]);
		await waitFor(() => expect(asked(model).length).toBeGreaterThan(0));
		const error = {
			title: "Nothing is left",
			hint: "Leave some.",
			details: "",
		};
		answer(model, "paint", { ok: false, error });
		await waitFor(() => expect(asked(model)).toHaveLength(2));
		answer(model, "paint", { ok: false, error });
		expect(await screen.findByText(/Nothing is left/)).toBeTruthy();
	});
});

describe("between views", () => {
	it("an edit made in Python is shown, one's own is not taken twice", async () => {
		const { model, store } = editing();
		const sketch = (
			made: "page" | "python",
			serial: number,
			pixel: number,
		) => ({
			made,
			serial,
			fills: [{ kind: "mean" }],
			adjustments: {},
			labels: {
				shape: [SIZE, SIZE],
				data: encodeRuns({
					width: SIZE,
					height: SIZE,
					labels: Uint16Array.from({ length: SIZE * SIZE }, (_, i) =>
						i === pixel ? 1 : 0,
					),
				}),
			},
		});
		const tell = (told: ReturnType<typeof sketch>) =>
			act(() => model.push({ _edits: edits({ sketch: told }) }));
		const at = () => store.ui.editor.sketch.value?.map.labels.indexOf(1);
		await tell(sketch("python", 1, 5));
		expect(at()).toBe(5);
		await tell(sketch("page", 2, 7));
		expect(at()).toBe(5);
		await tell(sketch("python", 3, 9));
		expect(at()).toBe(9);
		press("Undo");
		expect(at()).toBe(5);
	});

	it("the original can be looked at, and another tab shows it again", async () => {
		const { model, store } = editing();
		drag([10, 10]);
		told(model);
		await waitFor(() => expect(store.ui.altered.value?.words).toBe("edited"));
		choose("original");
		await waitFor(() => expect(store.ui.altered.value?.words).toBe("original"));
		expect(store.ui.altered.value?.choices).toEqual([]);
		await act(() => {
			store.ui.tab.value = "explain";
		});
		expect(store.ui.altered.value).toBeNull();
	});

	it("a saved view says that it cannot paint", async () => {
		const { model } = editing();
		model.closed = true;
		await act(() => model.emit("comm:close"));
		expect(screen.queryByRole("radio", { name: "brush" })).toBeNull();
	});
});

describe("finding", () => {
	const open = async (name: RegExp) =>
		fireEvent.click(screen.getByRole("button", { name }));

	it("asks for a class with its weights, inside of what is painted", async () => {
		const { model } = editing();
		await open(/^find a counterfactual/);
		const button = () =>
			screen.getByRole("button", { name: "Find what would change its mind" });
		expect(button()).toHaveProperty("disabled", true);
		await open(/^to be: choose a class/);
		fireEvent.input(screen.getByRole("combobox", { name: "to be" }), {
			target: { value: "967" },
		});
		fireEvent.click(screen.getByRole("option", { name: /967/ }));
		drag([10, 10], [12, 10]);
		told(model);
		fireEvent.click(screen.getByRole("radio", { name: /what is painted/ }));
		await waitFor(() => expect(button()).toHaveProperty("disabled", false));
		fireEvent.click(button());
		expect(model.requests("find").at(-1)).toMatchObject({
			desired: 967,
			probability: 0.8,
			inside: true,
			weights: { l1: 0, l2: 1, smoothness: 0.01 },
			count: 1,
		});
	});

	it("the predicted class cannot be wished for", async () => {
		editing();
		await open(/^find a counterfactual/);
		await open(/^to be: choose a class/);
		const option = screen.getByRole("option", { name: /Egyptian Mau/ });
		expect(option.getAttribute("aria-disabled")).toBe("true");
	});

	it("likeness has a weight only where there are examples", async () => {
		const { model } = editing();
		await open(/^find a counterfactual/);
		expect(screen.queryByRole("slider", { name: "likeness" })).toBeNull();
		await act(() => model.push({ _edits: edits({ examples: 12 }) }));
		expect(screen.getByRole("slider", { name: "likeness" })).toBeTruthy();
	});

	it("a search is watched and stopped", async () => {
		const { model, store } = editing();
		await open(/^find a counterfactual/);
		const one = found("f1");
		const job = { ...edits().job, state: "running" as const, done: 20 };
		const walk = {
			iterates: one.iterates,
			way: { losses: [9, 8, 7], costs: [0, 2, 4], reached: null },
			picture: one.picture,
			choices: one.choices,
		};
		await act(() => model.push({ _edits: edits({ job, task: "find", walk }) }));
		expect(screen.getByRole("progressbar").getAttribute("aria-valuenow")).toBe(
			"20",
		);
		await waitFor(() =>
			expect(store.ui.altered.value?.words).toBe("searching"),
		);
		// What the search has not told is not shown as it was before.
		const known = new Set(one.choices.map(({ label }) => label));
		for (const row of within(
			screen.getByRole("list", { name: "predictions" }),
		).getAllByRole("button")) {
			const label = row.querySelector(".nbx-cut")?.textContent ?? "";
			const figure = row.querySelector(".nbx-figure")?.textContent;
			expect(figure === "?").toBe(!known.has(label));
		}
		press("Stop");
		expect(model.requests("stop").at(-1)?.panel).toBe("edits");
	});

	it("the explained classes are followed, both of a contrast", async () => {
		const late = [
			{ index: 967, label: "late one", score: -1, probability: 0.002 },
			{ index: 968, label: "late two", score: -2, probability: 0.001 },
		];
		const { model } = editing({
			target: { index: 967, against: 968 },
			_prediction: { ...prediction, top: [...prediction.top, ...late] },
		});
		const choices = late.map(({ index, label }) => ({
			index,
			label,
			before: 0,
			after: index / 2000,
		}));
		const one = { ...found("f1"), choices };
		await act(() => model.push({ _history: remembered(one) }));
		await waitFor(() =>
			expect(shown(/late one/).textContent).toContain("0.48"),
		);
		expect(shown(/late one/).getAttribute("aria-pressed")).toBe("true");
		expect(shown(/late two/).textContent).toContain("0.48");
		expect(shown(/tabby/).textContent).toContain("?");
	});

	it("what was found is shown at once, with its change and its verdict", async () => {
		const { model, store } = editing();
		await act(() => model.push({ _history: remembered(found("f1")) }));
		// Shown, and said to those who cannot see it.
		expect(await screen.findAllByText(/Survives JPEG/)).toHaveLength(2);
		expect(screen.getByText(/× 5.3, about grey/)).toBeTruthy();
		expect(screen.getByText(/reached, at step 38 \(the mark\)/)).toBeTruthy();
		expect(
			screen.getByText("change in centre, 6 % of the picture"),
		).toBeTruthy();
		expect(store.ui.altered.value?.words).toBe("espresso");
		expect(shown(/espresso/)).toBeTruthy();
		press("Explain this picture");
		expect(model.requests("found").at(-1)).toMatchObject({
			action: "explain",
			item: "f1",
		});
	});

	it("painting puts what was found away", async () => {
		const { model, store } = editing();
		await act(() => model.push({ _history: remembered(found("f1")) }));
		await waitFor(() => expect(store.ui.editor.looking.value).toBe("f1"));
		drag([10, 10]);
		expect(store.ui.editor.looking.value).toBeNull();
	});

	it("what failed is said where it was asked", async () => {
		const { model } = editing();
		await open(/^find a counterfactual/);
		const error = {
			title: "The picture is Egyptian Mau already.",
			hint: "The nearest boundary is that to tabby cat.",
			details: "",
		};
		await act(() => model.push({ _edits: edits({ task: "find", error }) }));
		expect(screen.getByText(/Egyptian Mau already/)).toBeTruthy();
	});

	it("probes say that they explain nothing, and send what was chosen", async () => {
		const { model } = editing();
		await open(/^probes of fragility/);
		expect(screen.getByText(/not an explanation/)).toBeTruthy();
		fireEvent.click(screen.getByRole("radio", { name: "curve" }));
		press("Probe");
		expect(model.requests("probe").at(-1)).toMatchObject({
			attack: "pgd",
			norm: "linf",
			epsilon: 0.03,
			toward: null,
			seeks: "curve",
		});
		await act(() => model.push({ _history: remembered(probed("p1")) }));
		expect(await screen.findByText(/lost at epsilon .02/)).toBeTruthy();
	});

	it("a saved view shows what was found, and computes nothing", async () => {
		const { model, store } = editing({
			_history: remembered(found("f1")),
		});
		model.closed = true;
		await act(() => model.emit("comm:close"));
		fireEvent.click(screen.getByRole("radio", { name: /espresso/ }));
		expect(await screen.findByText(/Survives JPEG/)).toBeTruthy();
		expect(screen.getByRole("button", { name: "Figure" })).toHaveProperty(
			"disabled",
			true,
		);
		await waitFor(() => expect(store.ui.altered.value?.words).toBe("espresso"));
	});
});
