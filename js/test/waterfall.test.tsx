import {
	act,
	fireEvent,
	render,
	screen,
	waitFor,
	within,
} from "@testing-library/preact";
import { afterEach, describe, expect, it } from "vitest";
import { App } from "../src/components/App";
import { scaleOf, spans } from "../src/components/waterfall/geometry";
import { figures, thousands } from "../src/components/waterfall/numbers";
import {
	MOST,
	order,
	type Row,
	rowsOf,
	settled,
} from "../src/components/waterfall/rows";
import { wrap } from "../src/components/waterfall/text";
import type { Result, Traits } from "../src/model/protocol";
import { result, spec } from "./fixtures";
import { answer, closeAll, opened } from "./parts";
import { ablation, players, regions } from "./players";

afterEach(closeAll);

const asked = { ...spec, method: "shapley", params: { segments: 14 } };

const row = (value: number, error: number | null = null): Row => ({
	players: [0],
	name: "",
	value,
	error,
	folded: false,
});

describe("rows", () => {
	it("are sorted by size, by sign, or as they come", () => {
		const values = [0.1, -3, 2, -0.5];
		expect(order(values, "size")).toEqual([1, 2, 3, 0]);
		expect(order(values, "sign")).toEqual([2, 0, 3, 1]);
		expect(order(values, "position")).toEqual([0, 1, 2, 3]);
	});

	it("fold the smallest into one that adds up, until it is opened", () => {
		const all = players(14);
		const folded = rowsOf(all, order(all.values, "size"), false);
		const others = folded.at(-1) as Row;
		expect(folded).toHaveLength(MOST);
		expect(others.name).toBe("5 others");
		expect(others.players).toHaveLength(5);
		const sum = folded.reduce((so, { value }) => so + value, all.base);
		expect(sum).toBeCloseTo(all.score, 10);
		expect(rowsOf(all, order(all.values, "size"), true)).toHaveLength(14);
	});

	it("fold the smallest also where they stand between larger ones", () => {
		const all = players(12);
		const folded = rowsOf(all, order(all.values, "position"), false);
		const least = order(all.values, "size").slice(-3).sort();
		expect([...(folded.at(-1)?.players ?? [])].sort()).toEqual(least);
	});

	it("say the value of a feature", () => {
		const row = players(2, { shown: ["41", "blue"] });
		expect(rowsOf(row, [0, 1], false).map(({ name }) => name)).toEqual([
			"left eye = 41",
			"forehead stripes = blue",
		]);
	});

	it("stay where they are while values settle, unless one is far off", () => {
		expect(settled([0, 1, 2, 3], [1, 0, 3, 2])).toEqual([0, 1, 2, 3]);
		expect(settled([0, 1, 2, 3], [3, 0, 1, 2])).toEqual([3, 0, 1, 2]);
		expect(settled([0, 1], [2, 1, 0])).toEqual([2, 1, 0]);
	});
});

describe("geometry", () => {
	const rows = [row(2), row(-0.5), row(1)];

	it("of a waterfall runs from E[f] to f(x) without a gap", () => {
		expect(spans(rows, 1, "waterfall")).toEqual([
			{ from: 1, to: 3 },
			{ from: 3, to: 2.5 },
			{ from: 2.5, to: 3.5 },
		]);
	});

	it("of bars begins at zero", () => {
		expect(spans(rows, 1, "bars").map(({ from }) => from)).toEqual([0, 0, 0]);
	});

	it("of forces meets at f(x): support from below, opposition from above", () => {
		const score = 1 + 2 - 0.5 + 1;
		expect(spans(rows, 1, "force")).toEqual([
			{ from: score - 2, to: score },
			{ from: score + 0.5, to: score },
			{ from: score - 3, to: score - 2 },
		]);
	});

	it("fits bars, whiskers and ends into the room", () => {
		const wide = [row(2, 0.5), row(-4, 1)];
		const x = scaleOf(wide, spans(wide, 0, "waterfall"), [0, -2], 100, 200);
		expect(x(2.5)).toBe(200);
		expect(x(-3)).toBe(100);
	});

	it("of values that are all zero is finite", () => {
		const x = scaleOf([row(0)], spans([row(0)], 0, "waterfall"), [0], 5, 9);
		expect(x(0)).toBe(5);
	});
});

describe("text", () => {
	const measure = (text: string) => text.length;

	it("wraps and loses no letter", () => {
		const name = "mean_concave_points of the whole background, right = 0.1471";
		const lines = wrap(name, 12, measure);
		expect(lines.join("").replaceAll(" ", "")).toBe(name.replaceAll(" ", ""));
		expect(Math.max(...lines.map(measure))).toBeLessThanOrEqual(12);
	});

	it("breaks a word that is longer than the room", () => {
		expect(wrap("abcdefgh", 3, measure)).toEqual(["abc", "def", "gh"]);
	});

	it("stays whole where there is room", () => {
		expect(wrap("left eye", 8, measure)).toEqual(["left eye"]);
	});

	it("aligns numbers: as many decimals for all as the largest needs", () => {
		const write = figures([0.5, 12], [row(-0.034)]);
		expect([12, -0.034, 0.01].map((value) => write(value))).toEqual([
			"+12.0",
			"0.0",
			"0.0",
		]);
		expect(figures([0], [row(-0.58)])(-0.58)).toBe("−0.580");
		expect(thousands(65536)).toBe("65\u202f536");
		expect(thousands(512)).toBe("512");
	});
});

function waterfall(state: Partial<Traits> = {}, more: Partial<Result> = {}) {
	const both = opened({
		...asked,
		_result: result("s1", asked, more),
		...state,
	});
	render(<App store={both.store} host={document.body} />);
	if (!state._alone)
		act(() => {
			both.store.ui.tab.value = "waterfall";
		});
	return both;
}

const player = (name: RegExp | string) => screen.getByRole("button", { name });

describe("the waterfall tab", () => {
	it("says target, unit and how it was counted", () => {
		waterfall();
		const section = screen.getByRole("region", { name: "Egyptian Mau, score" });
		expect(section.textContent).toContain("16\u202f384 evaluations");
		expect(section.textContent).toContain("E[f] = 0.42");
		expect(section.textContent).toContain("f(x) = 7.65");
	});

	it("calls exact what says so, and half a run a part", () => {
		const exact = {
			name: "exact",
			label: "values",
			value: "exact",
			verdict: "good",
			help: "",
		} as const;
		waterfall({}, { evidence: [exact], players: players(9, { errors: null }) });
		expect(screen.getByText("exact · 16 384 evaluations")).toBeTruthy();
		closeAll();
		waterfall({}, { complete: false, done: 512, total: 1024 });
		expect(screen.getByText("OddSHAP · 512 of 1 024")).toBeTruthy();
	});

	it("names each row with its value and error", () => {
		waterfall();
		expect(player("left eye: 2.31, standard error .22")).toBeTruthy();
		expect(player(/^background, right: −.58/)).toBeTruthy();
	});

	it("walks the rows with the arrow keys and points at regions", () => {
		const { store } = waterfall();
		const first = player(/^left eye/);
		act(() => first.focus());
		expect(store.ui.pointed.value).toEqual([0]);
		fireEvent.keyDown(first, { key: "ArrowDown" });
		expect(store.ui.pointed.value).toEqual([1]);
		fireEvent.keyDown(player(/^forehead/), { key: "End" });
		expect(document.activeElement).toBe(player(/^5 others/));
		expect(store.ui.pointed.value).toHaveLength(5);
	});

	it("opens the others in place and folds them again", async () => {
		waterfall();
		const others = player(/^5 others/);
		act(() => others.focus());
		fireEvent.keyDown(others, { key: "Enter" });
		await waitFor(() => expect(player(/^region 13/)).toBeTruthy());
		expect(screen.queryByRole("button", { name: /others/ })).toBeNull();
		fireEvent.click(player("fold the smallest"));
		expect(player(/^5 others/)).toBeTruthy();
	});

	it("highlights the row of the region under the pointer on the stage", () => {
		const { store } = waterfall();
		const { labels, width } = regions(14);
		const at = labels.indexOf(3);
		act(() => {
			store.ui.crosshair.value = { x: at % width, y: Math.floor(at / width) };
		});
		expect(player(/^nose/).dataset.pointed).toBe("true");
		act(() => {
			store.ui.crosshair.value = null;
		});
		expect(player(/^nose/).dataset.pointed).toBe("false");
	});

	it("redraws by layout and order without a message", () => {
		const { model } = waterfall();
		const before = model.sent.length;
		fireEvent.click(screen.getByRole("radio", { name: "bars" }));
		fireEvent.click(screen.getByRole("radio", { name: "position" }));
		fireEvent.click(screen.getByRole("radio", { name: "force" }));
		expect(model.sent.length).toBe(before);
	});

	it("computes in the other unit and says what probabilities do not do", () => {
		const { model } = waterfall();
		fireEvent.click(screen.getByRole("radio", { name: "probability" }));
		expect(model.state.params).toEqual({ segments: 14, unit: "probability" });
		expect(screen.getByText(/saturate/).textContent).toContain("do not add");
	});

	it("chooses the estimator among the Shapley methods", () => {
		const { model } = waterfall();
		fireEvent.change(screen.getByLabelText("estimator"), {
			target: { value: "kernel_shap" },
		});
		expect(model.state.method).toBe("kernel_shap");
	});
});

describe("taking players away", () => {
	it("shows what the model then says, and puts them back", async () => {
		const { model, store } = waterfall();
		fireEvent.click(player(/^left eye/));
		expect(model.requests("ablate")).toMatchObject([
			{ result: "s1", players: [0], fill: "baseline" },
		]);
		await act(async () =>
			answer(model, "ablate", { ablation: ablation({ players: [0] }) }),
		);
		const section = screen.getByRole("region", { name: "left eye removed" });
		expect(section.textContent).toContain("7.65 → 5.34");
		expect(section.textContent).toContain("Egyptian Mau.38 → .12");
		expect(section.textContent).not.toContain("interaction");
		expect(player(/^left eye/).getAttribute("aria-pressed")).toBe("true");
		const predictions = screen.getByRole("list", { name: "predictions" });
		expect(within(predictions).getByText("0.12")).toBeTruthy();
		expect(predictions.querySelector("i")?.style.left).toBe("38%");
		expect(screen.getByText("without left eye")).toBeTruthy();
		fireEvent.click(player("Put back"));
		expect(store.ui.ablation.value).toBeNull();
		expect(within(predictions).getByText("0.38")).toBeTruthy();
		expect(predictions.querySelector("i")).toBeNull();
	});

	it("of two shows their interaction; a second press puts one back", async () => {
		const { model, store } = waterfall();
		fireEvent.click(player(/^left eye/));
		await act(async () =>
			answer(model, "ablate", { ablation: ablation({ players: [0] }) }),
		);
		fireEvent.click(player(/^nose/));
		const both = { players: [0, 3] };
		expect(model.requests("ablate").at(-1)).toMatchObject(both);
		await act(async () =>
			answer(model, "ablate", { ablation: ablation(both) }),
		);
		const section = screen.getByRole("region", {
			name: "left eye and nose removed",
		});
		expect(section.textContent).toContain("interaction+0.38");
		fireEvent.click(player(/^left eye/));
		expect(store.ui.removed.value).toEqual([3]);
	});

	it("asks one question at a time, the latest next", async () => {
		const { model } = waterfall();
		for (const name of [/^left eye/, /^nose/, /^right eye/])
			fireEvent.click(player(name));
		expect(model.requests("ablate")).toHaveLength(1);
		await act(async () =>
			answer(model, "ablate", { ablation: ablation({ players: [0] }) }),
		);
		const sent = model.requests("ablate").map(({ players }) => players);
		expect(sent).toEqual([[0], [0, 3, 2]]);
	});

	it("asks again when something else stands in their place", async () => {
		const { model } = waterfall();
		fireEvent.click(player(/^nose/));
		await act(async () => answer(model, "ablate"));
		fireEvent.change(screen.getByLabelText("fill"), {
			target: { value: "noise" },
		});
		expect(model.requests("ablate").at(-1)).toMatchObject({
			players: [3],
			fill: "noise",
		});
	});

	it("says why there is no answer", async () => {
		const { model } = waterfall();
		fireEvent.click(player(/^nose/));
		await act(async () => {
			const { id } = model.requests("ablate")[0] ?? {};
			const error = { title: "This result is not kept", hint: "", details: "" };
			model.message({ id, kind: "answer", ok: false, error });
		});
		expect(screen.getByText("This result is not kept")).toBeTruthy();
	});

	it("ends with another result", () => {
		const { model, store } = waterfall();
		fireEvent.click(player(/^nose/));
		act(() => model.push({ _result: result("s2", asked) }));
		expect(store.ui.removed.value).toEqual([]);
	});

	it("is refused without a kernel, with the reason; looking works", () => {
		const { model, store } = waterfall();
		model.closed = true;
		act(() => model.emit("comm:close"));
		fireEvent.click(player(/^left eye/));
		expect(store.ui.removed.value).toEqual([]);
		expect(player(/^left eye/).getAttribute("aria-disabled")).toBe("true");
		const section = screen.getByRole("region", { name: "Egyptian Mau, score" });
		expect(section.textContent).toContain(store.offlineReason.value);
		fireEvent.click(player(/^5 others/));
		expect(player(/^region 13/)).toBeTruthy();
	});
});

describe("while values settle", () => {
	const frame = (values: number[]) => {
		const now = result("run", asked, { complete: false, done: 5, total: 10 });
		const all = players(3);
		return { ...now, players: { ...all, values } };
	};
	const names = () =>
		screen
			.getAllByRole("button")
			.map((button) => button.getAttribute("aria-label") ?? "")
			.filter((name) => name.includes("standard error"))
			.map((name) => name.split(":")[0]);

	it("rows keep their places, and nothing can be taken away", () => {
		const { model, store } = waterfall();
		const send = (values: number[]) =>
			act(() =>
				model.message({ kind: "frame", seq: 1, result: frame(values) }),
			);
		send([3, 2, 1]);
		expect(names()).toEqual(["left eye", "forehead stripes", "right eye"]);
		send([2, 3, 1]);
		expect(names()).toEqual(["left eye", "forehead stripes", "right eye"]);
		fireEvent.click(player(/^left eye/));
		expect(store.ui.removed.value).toEqual([]);
		const last = frame([2, 3, 1]);
		act(() => model.push({ _result: { ...last, complete: true } }));
		expect(names()).toEqual(["forehead stripes", "left eye", "right eye"]);
	});
});

describe("where there is no waterfall yet", () => {
	it("offers the method that has them", () => {
		const { model } = waterfall({ ...spec, _result: result("r1", spec) });
		fireEvent.click(player("Explain with Shapley values"));
		expect(model.state.method).toBe("shapley");
	});

	it("runs the method where it is chosen already", () => {
		const { model } = waterfall({ _result: null });
		fireEvent.click(player("Explain with Shapley values"));
		expect(model.requests("run")).toHaveLength(1);
	});

	it("alone on a page it is all there is", () => {
		waterfall({ _alone: "waterfall" });
		expect(player(/^left eye/)).toBeTruthy();
		expect(screen.queryByRole("tablist")).toBeNull();
		expect(screen.queryByRole("region", { name: "stage" })).toBeNull();
		expect(screen.queryByRole("region", { name: "players" })).toBeNull();
	});
});
