import {
	act,
	fireEvent,
	render,
	screen,
	within,
} from "@testing-library/preact";
import { afterEach, expect, test } from "vitest";
import { App } from "../src/components/App";
import { connect } from "../src/model/bridge";
import { savedModel } from "../src/model/offline";
import type { Picture, Traits } from "../src/model/protocol";
import { alternatives, diagnosis } from "./alternatives";
import { result, spec, traits } from "./fixtures";
import { answer, closeAll, opened } from "./parts";
import { edited, features, table } from "./table";

afterEach(closeAll);

const asked = { ...spec, method: "shapley", target: 0 };

function tab(state: Partial<Traits> = {}) {
	const both = opened({
		...asked,
		_image: null as unknown as Picture,
		_table: table,
		_prediction: diagnosis,
		_catalog: { ...traits()._catalog, labels: ["malignant", "benign"] },
		_result: result("t1", asked, { players: features }),
		...state,
	});
	render(<App store={both.store} host={document.body} />);
	fireEvent.click(screen.getByRole("tab", { name: "Edit" }));
	return both;
}

const button = (name: string | RegExp) => screen.getByRole("button", { name });
const find = () => button("Find what would change its mind");
const choose = (label: string, value: string) =>
	fireEvent.change(screen.getByLabelText(label), { target: { value } });
const rows = () =>
	within(screen.getByRole("list", { name: "alternatives" })).getAllByRole(
		"listitem",
	);

test("pictures have another Edit tab", () => {
	const { store } = opened();
	render(<App store={store} host={document.body} />);
	fireEvent.click(screen.getByRole("tab", { name: "Edit" }));
	expect(
		screen.queryByRole("button", { name: "Find what would change its mind" }),
	).toBeNull();
});

test("without any choice the second class is asked for, and all may change", () => {
	const { model } = tab();
	fireEvent.click(find());
	expect(model.requests("alternatives").at(-1)?.asked).toEqual({
		desired: 1,
		k: 4,
		search: "auto",
		immutable: [],
		monotone: {},
		ranges: {},
	});
});

test("what may change is asked as it was set, here or beside the feature", () => {
	const { model } = tab();
	choose("age may change", "fixed");
	choose("income may change", "increase");
	choose("income to", "60 000".replace(" ", ""));
	fireEvent.click(button(/^radius error/));
	const beside = screen.getAllByLabelText("radius error may change")[0];
	fireEvent.change(beside as Element, { target: { value: "decrease" } });
	choose("how many, number", "2");
	choose("search", "genetic");
	fireEvent.click(find());
	expect(model.requests("alternatives").at(-1)?.asked).toEqual({
		desired: 1,
		k: 2,
		search: "genetic",
		immutable: ["age"],
		monotone: { income: "increase", "radius error": "decrease" },
		ranges: { income: [0, 60000] },
	});
	fireEvent.click(button("Everything"));
	fireEvent.click(find());
	expect(model.requests("alternatives").at(-1)?.asked.immutable).toEqual([]);
});

test("a category can be held, but has no direction and no range", () => {
	tab();
	const select = screen.getByLabelText("occupation may change");
	expect([...select.querySelectorAll("option")].map((o) => o.value)).toEqual([
		"freely",
		"fixed",
	]);
	expect(screen.queryByLabelText("occupation from")).toBeNull();
});

test("text that is no number leaves an end of the range as it is", () => {
	const { model } = tab();
	choose("age from", "20");
	choose("age from", "twenty");
	expect(screen.getByLabelText<HTMLInputElement>("age from").value).toBe("20");
	choose("age from", "");
	fireEvent.click(find());
	expect(model.requests("alternatives").at(-1)?.asked.ranges).toEqual({});
});

test("of a model with one score an interval is asked for", () => {
	const top = [{ index: 0, label: "price", score: 31, probability: null }];
	const { model } = tab({ _prediction: { classes: 1, top } });
	expect(screen.queryByLabelText("class")).toBeNull();
	expect(find()).toHaveProperty("disabled", true);
	choose("score from", "40");
	choose("score to", "50");
	fireEvent.click(find());
	expect(model.requests("alternatives").at(-1)?.asked.desired).toEqual([
		40, 50,
	]);
});

test("each row shows what is different in it, and whether that is enough", () => {
	tab({ _alternatives: alternatives() });
	const [first, one, two, three] = rows();
	expect(first?.textContent).toContain("as it wasbenign 0.07explained");
	expect(one?.querySelectorAll("mark")).toHaveLength(1);
	expect(one?.textContent).toContain(".1471→.0861");
	expect(one?.textContent).toContain("distance 1.63 · 1 feature changed");
	expect(two?.textContent).toContain("craft and repair→sales");
	expect(within(two as HTMLElement).getByRole("img").title).toBe("reached");
	expect(three?.textContent).toContain("✗ .61 short");
	expect(three?.textContent).toContain(".35→.2176follows");
	const section = screen.getByRole("region", { name: "to be benign" });
	expect(section.textContent).toContain("reached2 of 3");
	expect(section.textContent).toContain("mean distance2.65");
	expect(section.textContent).toContain("features changed1.3");
	expect(section.textContent).toContain("diversity3.04");
});

test("what was asked from Python stands in the controls", () => {
	tab({ _alternatives: alternatives() });
	const value = (label: string) =>
		screen.getByLabelText<HTMLInputElement>(label).value;
	expect(value("age may change")).toBe("fixed");
	expect(value("income may change")).toBe("increase");
	expect(value("income to")).toBe("60000");
	expect(value("how many, number")).toBe("3");
});

test("an alternative is put into the row, and the prediction moves", async () => {
	const { model, store } = tab({ _alternatives: alternatives() });
	fireEvent.click(
		within(rows()[2] as HTMLElement).getByRole("button", { name: "Apply" }),
	);
	const values = {
		mean_concave_points_of_the_worst_nuclei: 0.1102,
		occupation: "sales",
	};
	expect(store.ui.edits.value).toEqual(values);
	expect(model.requests("edit").at(-1)).toMatchObject({ values, apply: false });
	await act(async () =>
		answer(model, "edit", { ablation: edited({ values: { age: 51 } }) }),
	);
	const section = screen.getByRole("region", { name: "what if" });
	expect(section.textContent).toContain("7.58 → 8.58 (+1)");
});

test("an alternative is explained, and then it says so", () => {
	const { model } = tab({ _alternatives: alternatives() });
	fireEvent.click(
		within(rows()[1] as HTMLElement).getByRole("button", { name: "Explain" }),
	);
	expect(model.requests("alternative").at(-1)).toMatchObject({
		action: "explain",
		place: 1,
	});
	act(() => model.push({ _alternatives: alternatives({ explained: 1 }) }));
	expect(rows()[1]?.getAttribute("aria-current")).toBe("true");
	expect(
		within(rows()[0] as HTMLElement).getByRole("button", { name: "Explain" }),
	).toBeTruthy();
});

test("they are taken away as code", async () => {
	const { model } = tab({ _alternatives: alternatives() });
	fireEvent.click(button("Code"));
	expect(model.requests("alternative").at(-1)?.action).toBe("code");
	await act(async () => answer(model, "alternative", { code: "found = 1" }));
	expect(button("Copy the code")).toBeTruthy();
});

test("a search tells how far it is, and is stopped", () => {
	const job = { ...traits()._job, id: 1, total: 80 };
	const { model } = tab({
		_alternatives: alternatives({
			job: { ...job, state: "running", done: 20 },
		}),
	});
	expect(screen.queryByRole("button", { name: /^Find/ })).toBeNull();
	const bar = screen.getByRole("progressbar", {
		name: "progress of the search",
	});
	expect(bar.getAttribute("aria-valuenow")).toBe("20");
	expect(rows()).toHaveLength(4);
	fireEvent.click(button("Stop"));
	fireEvent.keyDown(screen.getByRole("list", { name: "alternatives" }), {
		key: "Escape",
	});
	const stops = model.requests("stop").map(({ panel }) => panel);
	expect(stops).toEqual(["alternatives", "alternatives"]);
	act(() =>
		model.push({
			_alternatives: alternatives({
				job: { ...job, state: "cancelled", done: 30 },
			}),
		}),
	);
	expect(find()).toBeTruthy();
	expect(screen.getByText("stopped at 30 of 80")).toBeTruthy();
});

test("what went wrong is a card, and what cannot be reached is said", async () => {
	const error = {
		title: "The row is malignant already.",
		hint: "The nearest boundary is that to benign, 2.6 away in score.",
		details: "",
	};
	const { model } = tab({ _alternatives: alternatives({ error, rows: [] }) });
	expect(screen.getByText(error.title).closest('[role="alert"]')).toBeTruthy();
	expect(screen.queryByRole("list", { name: "alternatives" })).toBeNull();
	const notice = "1 of 1 rows cannot be made benign within the bounds.";
	act(() => model.push({ _alternatives: alternatives({ notices: [notice] }) }));
	expect(screen.getByText(notice)).toBeTruthy();
	fireEvent.click(find());
	const refused = { title: "There is no class 7.", hint: "", details: "" };
	await act(async () =>
		answer(model, "alternatives", { ok: false, error: refused }),
	);
	expect(screen.getByText("There is no class 7.")).toBeTruthy();
});

test("a saved page shows what was found and asks for nothing", () => {
	const saved = traits({
		...asked,
		_image: null as unknown as Picture,
		_table: table,
		_prediction: diagnosis,
		_result: result("t1", asked, { players: features }),
		_alternatives: alternatives(),
	});
	const { store } = connect(
		savedModel(saved as unknown as Record<string, unknown>),
	);
	render(<App store={store} host={document.body} />);
	fireEvent.click(screen.getByRole("tab", { name: "Edit" }));
	const [, one] = rows();
	const acts = within(one as HTMLElement).getAllByRole("button");
	for (const act of [find(), ...acts]) {
		expect(act).toHaveProperty("disabled", true);
		expect(act.title).toContain("Saved view");
	}
	expect(screen.getByLabelText("age may change")).toHaveProperty(
		"disabled",
		true,
	);
});
