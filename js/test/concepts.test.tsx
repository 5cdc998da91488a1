import {
	act,
	fireEvent,
	render,
	screen,
	waitFor,
	within,
} from "@testing-library/preact";
import { afterEach, expect, it } from "vitest";
import { App } from "../src/components/App";
import type { Concepts } from "../src/model/protocol";
import { gathered, idle, pile, tested, unseen } from "./concepts";
import { bitmap, result, SIZE, spec } from "./fixtures";
import { answer, closeAll, opened } from "./parts";

afterEach(closeAll);

function shown(state: Partial<Concepts> = {}) {
	const both = opened({ _concepts: gathered(state) });
	both.store.ui.tab.value = "concepts";
	render(<App store={both.store} host={document.body} />);
	return both;
}

const panel = () => screen.getByRole("tabpanel");
const button = (name: string | RegExp) =>
	within(panel()).getByRole("button", { name }) as HTMLButtonElement;
const file = (name: string, size = 4) =>
	new File([new Uint8Array(size)], name, { type: "image/png" });

/** The DragEvent of happy-dom cannot be given files. */
function drop(on: Element, ...files: File[]) {
	const event = new Event("drop", { bubbles: true, cancelable: true });
	Object.assign(event, { dataTransfer: { files } });
	fireEvent(on, event);
}

it("says how many examples there are and when there are enough", () => {
	shown({
		concepts: [
			pile("concept", "stripes", 12),
			pile("concept", "fur", 6),
			pile("concept", "new", 1),
		],
	});
	const cards = [...panel().querySelectorAll(".nbx-card")].map(
		(card) => card.textContent,
	);
	expect(cards[0]).toMatch(/12.*✓ enough/);
	expect(cards[1]).toMatch(/6\/10.*10 recommended/);
	expect(cards[2]).toMatch(/1\/10.*at least 4 needed/);
	expect(cards[0]).toContain("+3");
	// The explained picture counts as one of its class.
	expect(panel().textContent).toMatch(/20 ✓ enough/);
});

it("what is missing is listed, and nothing can be tested before", () => {
	shown({ wanting: ["There are 3 random pictures; 14 are needed."] });
	expect(screen.getByText(/3 random pictures/)).toBeTruthy();
	expect(button("Test").disabled).toBe(true);
	expect(button("Test").title).toMatch(/3 random pictures/);
});

it("files go to the pile whose button was used, with their bytes", async () => {
	const { model } = shown();
	fireEvent.change(screen.getByLabelText("add pictures to fur: files"), {
		target: { files: [file("a.png", 3), file("b.png", 5)] },
	});
	await waitFor(() =>
		expect(model.requests("concept_pictures")).toHaveLength(1),
	);
	const sent = model.sent.at(-1);
	expect(sent?.content).toMatchObject({
		into: "concept",
		concept: "fur",
		names: ["a.png", "b.png"],
	});
	expect(sent?.buffers.map((data) => data.byteLength)).toEqual([3, 5]);
});

it("many files travel in several messages, what is too large not at all", async () => {
	const { model } = shown();
	fireEvent.change(
		screen.getByLabelText("add pictures to random pictures: files"),
		{
			target: {
				files: [
					file("a.png", 3_000_000),
					file("huge.png", 11_000_000),
					file("b.png", 3_000_000),
				],
			},
		},
	);
	await waitFor(() =>
		expect(model.requests("concept_pictures")).toHaveLength(1),
	);
	answer(model, "concept_pictures");
	await waitFor(() =>
		expect(model.requests("concept_pictures")).toHaveLength(2),
	);
	answer(model, "concept_pictures");
	expect(model.requests("concept_pictures").map(({ names }) => names)).toEqual([
		["a.png"],
		["b.png"],
	]);
	expect(await screen.findByText(/huge\.png has 11\.0 MB/)).toBeTruthy();
});

it("what Python refuses is said by name", async () => {
	const { model } = shown();
	fireEvent.change(screen.getByLabelText("add pictures to fur: files"), {
		target: { files: [file("notes.png")] },
	});
	await waitFor(() =>
		expect(model.requests("concept_pictures")).toHaveLength(1),
	);
	const title = "'notes.png' is no picture that can be read.";
	const error = { title, hint: "", details: "" };
	answer(model, "concept_pictures", { ok: false, error });
	expect(await screen.findByText(/notes\.png/)).toBeTruthy();
});

it("what is pasted or dropped goes to the chosen concept", async () => {
	const { model } = shown();
	fireEvent.focusIn(screen.getByLabelText("name of concept stripes"));
	fireEvent.paste(panel().querySelector(".nbx-concepts") as Element, {
		clipboardData: { files: [file("pasted.png")] },
	});
	await waitFor(() =>
		expect(model.requests("concept_pictures").at(-1)).toMatchObject({
			concept: "stripes",
			names: ["pasted.png"],
		}),
	);
	answer(model, "concept_pictures");
	drop(screen.getByRole("group", { name: "fur" }), file("dropped.png"));
	await waitFor(() =>
		expect(model.requests("concept_pictures").at(-1)).toMatchObject({
			concept: "fur",
			names: ["dropped.png"],
		}),
	);
});

it("without a concept the first picture makes one", async () => {
	const { model } = shown({ concepts: [] });
	drop(panel().querySelector(".nbx-concepts") as Element, file("one.png"));
	await waitFor(() =>
		expect(model.requests("concept_pictures").at(-1)).toMatchObject({
			concept: "concept 1",
		}),
	);
});

it("a concept is renamed in place; a name that is refused is put back", async () => {
	const { model } = shown();
	const name = screen.getByLabelText("name of concept fur") as HTMLInputElement;
	fireEvent.change(name, { target: { value: " stripes " } });
	expect(model.requests("concept_card").at(-1)).toMatchObject({
		action: "rename",
		concept: "fur",
		name: "stripes",
	});
	const title = "There is a concept 'stripes' already.";
	answer(model, "concept_card", {
		ok: false,
		error: { title, hint: "", details: "" },
	});
	expect(await screen.findByText(/stripes' already/)).toBeTruthy();
	expect(name.value).toBe("fur");
});

it("a lasso on the stage cuts out what is around it", async () => {
	const { model, store } = shown();
	fireEvent.click(screen.getByRole("radio", { name: "lasso" }));
	const canvas = document.querySelector(".nbx-painter") as HTMLElement;
	canvas.setPointerCapture = () => {};
	const stage = screen.getByRole("group", { name: /^stage/ });
	const scale = Number.parseFloat(stage.style.width) / SIZE;
	const at = (x: number, y: number) => ({
		clientX: x * scale,
		clientY: y * scale,
	});
	fireEvent.pointerDown(canvas, { ...at(10, 20), button: 0 });
	fireEvent.pointerMove(canvas, at(30, 12));
	fireEvent.pointerMove(canvas, at(25.5, 40.2));
	fireEvent.pointerUp(canvas, at(25.5, 40.2));
	await waitFor(() =>
		expect(model.requests("concept_crop").at(-1)).toMatchObject({
			concept: "fur",
			box: [10, 12, 30, 41],
		}),
	);
	fireEvent.keyDown(stage, { key: "Escape" });
	expect(store.ui.concepts.tool.value).toBeNull();
});

it("without a pointer the part around the crosshair is cut out", async () => {
	const { model, store } = shown();
	expect(button(/around the crosshair/).disabled).toBe(true);
	await act(() => {
		store.ui.crosshair.value = { x: 2, y: 32 };
	});
	fireEvent.click(button(/around the crosshair/));
	const { box } = model.requests("concept_crop").at(-1) ?? { box: [] };
	expect(box).toEqual([0, 22, 19, 42]);
});

it("tests what is ticked: layers, estimators, one concept against another", async () => {
	const { model } = shown();
	const layers = screen.getByRole("group", { name: "layers" });
	const ticked = within(layers)
		.getAllByRole("checkbox")
		.filter((box) => (box as HTMLInputElement).checked);
	expect(ticked).toHaveLength(1);
	fireEvent.click(screen.getByRole("checkbox", { name: "pattern" }));
	fireEvent.change(screen.getByLabelText("also test"), {
		target: { value: "stripes" },
	});
	fireEvent.change(screen.getByLabelText("against"), {
		target: { value: "fur" },
	});
	await waitFor(() => expect(button("Test").disabled).toBe(false));
	fireEvent.click(button("Test"));
	expect(model.requests("concept_test").at(-1)).toMatchObject({
		layers: [(ticked[0] as HTMLInputElement).value],
		estimators: ["mean", "pattern"],
		relative: [["stripes", "fur"]],
	});
});

it("a test that runs can be stopped, by button and by Escape", () => {
	const { model } = shown({
		job: { ...idle, state: "running", done: 12, total: 60 },
	});
	expect(panel().textContent).toContain("12 of 60");
	fireEvent.click(within(panel()).getAllByText("Stop")[0] as HTMLElement);
	expect(model.requests("stop").at(-1)).toMatchObject({ panel: "concepts" });
	fireEvent.keyDown(panel(), { key: "Escape" });
	expect(model.requests("stop")).toHaveLength(2);
});

it("accuracy comes before the score, and what is not seen gets none", () => {
	shown({ target: "Egyptian Mau", tested: [tested("stripes"), unseen] });
	const row = button(/^stripes: held out .91, score .93/);
	const figures = [...row.querySelectorAll(".nbx-figure")];
	expect(figures.map((figure) => figure.textContent)).toEqual([".91", ".93"]);
	const other = button(/^holiday: held out .52, score none/);
	expect(other.textContent).toMatch(/\.52–$/);
	expect(other.parentElement?.dataset.holds).toBe("false");
	expect(screen.getByText(/^The layer does not tell holiday/)).toBeTruthy();
	expect(screen.getByText(/^stripes moves the model towards/)).toBeTruthy();
	const bar = other.parentElement?.querySelector(".nbx-null-bar");
	expect(bar).toBeNull();
});

it("chance is drawn behind the bar on the scale of the layer", () => {
	shown({
		target: "Egyptian Mau",
		tested: [
			tested("stripes", { magnitude: 4 }),
			tested("fur", { magnitude: -2 }),
		],
	});
	const bars = [...panel().querySelectorAll<SVGRectElement>(".nbx-null-bar")];
	const [one, other] = bars.map((bar) => ({
		x: Number(bar.getAttribute("x")),
		width: Number(bar.getAttribute("width")),
		sign: bar.dataset.sign,
	}));
	expect(one).toEqual({ x: 50, width: 46, sign: "positive" });
	expect(other).toEqual({ x: 27, width: 23, sign: "negative" });
	const chance = panel().querySelector(".nbx-null-chance")?.getAttribute("d");
	expect(chance?.match(/L/g)).toHaveLength(2 * 7 + 1);
});

it("a row opens on every number, the estimators and the pictures at both ends", async () => {
	const faces = bitmap(4 * 40, 40, () => [9, 9, 9]);
	shown({
		target: "Egyptian Mau",
		faces,
		tested: [
			tested("stripes", {
				aligned: {
					most: [2, 0],
					least: [3, 1],
					raised: [4.1, 3],
					lowered: [-1, 0.5],
				},
			}),
			tested("stripes", {
				estimator: "pattern",
				significant: false,
				q: 0.3,
			}),
		],
	});
	fireEvent.click(button(/^stripes/));
	const table = await screen.findByRole("table", { name: /estimators/ });
	expect(within(table).getAllByRole("row")).toHaveLength(3);
	expect(screen.getByText(/estimators disagree/)).toBeTruthy();
	expect(panel().textContent).toMatch(/TCAV score\.93, \.90 to \.97 over runs/);
	expect(panel().textContent).toMatch(/t-test of the literature/);
	expect(screen.getByText(/Do not rely on it/)).toBeTruthy();
	const most = screen.getByText("most aligned").parentElement as HTMLElement;
	expect(most.textContent).toContain("4.13");
	expect(most.querySelectorAll(".nbx-face")).toHaveLength(2);
});

it("a concept is shown on the picture and steered", async () => {
	const state = { target: "Egyptian Mau", tested: [tested("stripes")] };
	const { model } = shown(state);
	fireEvent.click(button(/^stripes/));
	fireEvent.click(await screen.findByText("Show where it is"));
	expect(model.requests("concept_map").at(-1)).toMatchObject({
		concept: "stripes",
		discovered: false,
		layer: "head.conv",
		show: "presence",
	});
	fireEvent.click(button("More or less of it"));
	expect(model.requests("concept_steer")).toHaveLength(1);
	const steered = {
		concept: "stripes",
		layer: "head.conv",
		target: "Egyptian Mau",
		doses: [-1, -0.5, 0, 0.5, 1],
		scores: [3, 5, 7, 8, 9],
		best: ["lynx", "tabby", "Mau", "Mau", "Mau"],
		turning: -0.5,
		random: [
			[6, 7],
			[6.5, 12],
		],
		farther: 1,
	};
	await act(() =>
		model.push({ _concepts: gathered({ ...state, steered: [steered] }) }),
	);
	const dose = await screen.findByRole("slider", { name: "dose" });
	fireEvent.change(dose, { target: { value: "-1" } });
	await waitFor(() => expect(panel().textContent).toContain("Mau 3"));
	expect(panel().textContent).toContain("predicted: lynx");
	expect(panel().textContent).toContain("from a dose of −.5");
	expect(panel().textContent).toContain(
		"farther than 1 of 2 random directions",
	);
	// The scale has room for the random ends: 12 is its top, 3 its bottom.
	const ends = panel().querySelectorAll(".nbx-steering-random");
	expect([...ends].map((end) => Number(end.getAttribute("y1")))).toEqual(
		[6, 7, 6.5, 12].map((score) => expect.closeTo(96 - (92 * (score - 3)) / 9)),
	);
});

it("scores that are not of what is there now say so", async () => {
	const state = { tested: [tested("stripes")], target: "Egyptian Mau" };
	const { model } = shown({ ...state, stale: "The pictures have changed." });
	expect(screen.getByText(/pictures have changed\. Test again/)).toBeTruthy();
	await act(() =>
		model.push({ _concepts: gathered({ ...state, of_class: "lynx" }) }),
	);
	expect(
		await screen.findByText(/scores for Egyptian Mau, not for lynx/),
	).toBeTruthy();
	await act(() =>
		model.push({
			_concepts: gathered({
				...state,
				failure: { title: "None is a Mau.", hint: "Give some.", details: "" },
			}),
		}),
	);
	expect(await screen.findByText("None is a Mau.")).toBeTruthy();
});

it("discovered concepts are named and kept", async () => {
	const { model } = shown({
		discovery: {
			way: "craft",
			layer: "head.conv",
			target: "Egyptian Mau",
			measure: "what the score loses without it",
			explained: 0.8,
			concepts: [
				{
					name: "concept 2",
					importance: 3,
					error: 0.2,
					shown: 3,
					strip: bitmap(120, 40, () => [1, 2, 3]),
					kept: "",
				},
			],
		},
	});
	fireEvent.click(button("Look for concepts"));
	expect(model.requests("concept_discover").at(-1)).toMatchObject({
		way: "craft",
		count: 6,
	});
	fireEvent.input(screen.getByLabelText("name for concept 2"), {
		target: { value: "eyes" },
	});
	await waitFor(() => expect(button("Keep").disabled).toBe(false));
	fireEvent.click(button("Keep"));
	expect(model.requests("concept_keep").at(-1)).toMatchObject({
		discovered: "concept 2",
		name: "eyes",
	});
});

it("a saved view can be looked at and computes nothing", async () => {
	const { model } = shown({
		target: "Egyptian Mau",
		tested: [tested("stripes")],
	});
	model.closed = true;
	await act(() => model.emit("comm:close"));
	for (const name of [
		"Test",
		"New concept",
		"remove fur",
		"scrambled",
		"Look for concepts",
	]) {
		await waitFor(() => expect(button(name).disabled).toBe(true));
		expect(button(name).title).toMatch(/kernel/);
	}
	fireEvent.click(button(/^stripes: held out/));
	expect(await screen.findByText("Show where it is")).toBeTruthy();
	expect(button("Show where it is").disabled).toBe(true);
});

it("what was taken away in the waterfall becomes an example", async () => {
	const shapley = { ...spec, method: "shapley", params: { segments: 9 } };
	const { model, store } = opened({
		...shapley,
		_result: result("s", shapley),
		_concepts: gathered(),
	});
	store.ui.tab.value = "waterfall";
	render(<App store={store} host={document.body} />);
	await act(() => {
		store.ui.removed.value = [0];
	});
	fireEvent.click(await screen.findByText("Use as concept"));
	const crop = model.requests("concept_crop").at(-1);
	const [left = 0, top = 0, right = 0, bottom = 0] = crop?.box ?? [];
	expect(right - left).toBeGreaterThan(0);
	expect(bottom - top).toBeLessThan(SIZE);
	answer(model, "concept_crop");
	expect(await screen.findByText("✓ in fur")).toBeTruthy();
});
