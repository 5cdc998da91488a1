import { act, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, test } from "vitest";
import { App } from "../src/components/App";
import type { Picture, Traits } from "../src/model/protocol";
import { grid, result, spec } from "./fixtures";
import { answer, closeAll, opened } from "./parts";
import { edited, features, table } from "./table";

afterEach(closeAll);

const asked = { ...spec, method: "shapley" };

function row(state: Partial<Traits> = {}) {
	const both = opened({
		...asked,
		_image: null as unknown as Picture,
		_table: table,
		_result: result("t1", asked, { players: features }),
		...state,
	});
	render(<App store={both.store} host={document.body} />);
	return both;
}

const feature = (name: RegExp) => screen.getByRole("button", { name });

test("a row of a table has its shares in the place of the stage", () => {
	row();
	expect(screen.getByRole("region", { name: "row" })).toBeTruthy();
	expect(screen.queryByRole("region", { name: "stage" })).toBeNull();
	expect(screen.queryByRole("tab", { name: "Waterfall" })).toBeNull();
	expect(feature(/^age = 41: 1.72/)).toBeTruthy();
	expect(screen.queryByRole("region", { name: "look" })).toBeNull();
});

test("a click on a row opens its feature, and the prediction moves with it", async () => {
	const { model } = row();
	fireEvent.click(feature(/^age/));
	const age = screen.getByLabelText("age");
	expect(age.getAttribute("max")).toBe("90");
	fireEvent.input(age, { target: { value: "50" } });
	fireEvent.change(age, { target: { value: "51" } });
	expect(model.requests("edit")).toMatchObject([
		{ values: { age: 51 }, apply: false },
	]);
	await act(async () =>
		answer(model, "edit", { ablation: edited({ values: { age: 51 } }) }),
	);
	const section = screen.getByRole("region", { name: "what if" });
	expect(section.textContent).toContain("7.58 → 8.58 (+1)");
	expect(feature(/^age = 41 → 51/).getAttribute("aria-pressed")).toBe("true");
	const predictions = screen.getByRole("list", { name: "predictions" });
	expect(predictions.textContent).toContain("0.43");
	expect(predictions.querySelector("i")?.style.left).toBe("38%");
});

test("one question is asked at a time, the latest next", async () => {
	const { model } = row();
	fireEvent.click(feature(/^age/));
	const age = screen.getByLabelText("age");
	for (const value of ["45", "50", "60"])
		fireEvent.change(age, { target: { value } });
	expect(model.requests("edit")).toHaveLength(1);
	await act(async () => answer(model, "edit"));
	const sent = model.requests("edit").map(({ values }) => values.age);
	expect(sent).toEqual([45, 60]);
});

test("a category is chosen, and put back", () => {
	const { model, store } = row();
	fireEvent.click(feature(/^occupation/));
	fireEvent.change(screen.getByLabelText("occupation"), {
		target: { value: "sales" },
	});
	expect(model.requests("edit").at(-1)?.values).toEqual({
		occupation: "sales",
	});
	fireEvent.click(screen.getByRole("button", { name: "Put back" }));
	expect(store.ui.edits.value).toEqual({});
	expect(store.ui.ablation.value).toBeNull();
});

test("an edited row is explained, and then it is the row", () => {
	const { model, store } = row();
	fireEvent.click(feature(/^age/));
	fireEvent.change(screen.getByLabelText("age"), { target: { value: "60" } });
	fireEvent.click(screen.getByRole("button", { name: "Explain this row" }));
	expect(model.requests("edit").at(-1)).toMatchObject({
		values: { age: 60 },
		apply: true,
	});
	const [first, age, ...others] = table.features;
	const moved = [
		first,
		{ ...age, value: 60 },
		...others,
	] as typeof table.features;
	act(() => model.push({ _table: { features: moved } }));
	expect(store.ui.edits.value).toEqual({});
});

test("values that do not add up are bars, and nothing is said of E[f]", () => {
	const map = grid(1, 5, (x) => x - 0.5);
	row({ _result: result("g1", spec, { map, players: null, curve: null }) });
	expect(feature(/^income = 31250: .2/)).toBeTruthy();
	expect(screen.queryByText(/E\[f\]/)).toBeNull();
	expect(screen.queryByRole("radio", { name: "force" })).toBeNull();
});

test("before the first result the features are there to be edited", () => {
	row({ _result: null });
	expect(feature(/^age = 41: 0/)).toBeTruthy();
});
