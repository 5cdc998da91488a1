import {
	fireEvent,
	render,
	screen,
	waitFor,
	within,
} from "@testing-library/preact";
import { afterEach, describe, expect, it } from "vitest";
import { Alternatives } from "../src/components/counterfactual/Alternatives";
import { History } from "../src/components/history/History";
import type { HistoryItem, Picture, Traits } from "../src/model/protocol";
import { alternatives, diagnosis } from "./alternatives";
import { found, probed, remembered } from "./edited";
import { result, spec, traits } from "./fixtures";
import { answer, closeAll, opened } from "./parts";
import { table } from "./table";

afterEach(closeAll);

const explanation: HistoryItem = {
	id: "r1",
	name: "IG",
	pinned: true,
	result: result("r1", spec),
};

const search = (id: string, desired: string): HistoryItem => ({
	id,
	name: `→ ${desired}`,
	pinned: false,
	rows: alternatives({ desired }),
});

function strip(items: HistoryItem[], state: Partial<Traits> = {}) {
	const both = opened({
		_history: items,
		_result: result("r1", spec),
		...state,
	});
	render(<History store={both.store} />);
	return both;
}

const option = (name: RegExp) => screen.getByRole("option", { name });
const selected = () =>
	screen
		.getAllByRole("option")
		.filter((one) => one.getAttribute("aria-selected") === "true")
		.map((one) => one.getAttribute("aria-label"));

describe("what was found, in the history", () => {
	it("stands beside the explanations, by what it is", () => {
		strip([explanation, ...remembered(found("f1"), probed("p1"))]);
		expect(
			screen
				.getAllByRole("option")
				.map((one) => one.getAttribute("aria-label")),
		).toEqual([
			expect.stringMatching(/^IG, for .*, pinned$/),
			"counterfactual → espresso",
			"probe PGD",
		]);
		expect(selected()).toEqual([expect.stringMatching(/^IG/)]);
	});

	it("a picture comes back in the Edit tab, and the explanation leaves it there", () => {
		const { store } = strip([explanation, ...remembered(found("f1"))]);
		fireEvent.click(option(/espresso/));
		expect(store.ui.tab.value).toBe("edit");
		expect(store.ui.editor.looking.value).toBe("f1");
		expect(store.ui.looking.value).toBeNull();
		expect(selected()).toEqual(["counterfactual → espresso"]);
		// Nothing to restore, and no difference of maps.
		expect(screen.queryByRole("button", { name: "restore" })).toBeNull();
		expect(screen.queryByRole("button", { name: "difference" })).toBeNull();
		fireEvent.click(option(/^IG/));
		expect(store.ui.editor.looking.value).toBeNull();
		expect(selected()).toEqual([expect.stringMatching(/^IG/)]);
	});

	it("is pinned and forgotten like the others", async () => {
		const { model, store } = strip([explanation, ...remembered(found("f1"))]);
		fireEvent.click(option(/espresso/));
		fireEvent.click(screen.getByRole("button", { name: "pin" }));
		expect(model.requests("history").at(-1)).toMatchObject({
			action: "pin",
			item: "f1",
		});
		fireEvent.click(screen.getByRole("button", { name: "forget" }));
		expect(model.requests("history").at(-1)).toMatchObject({
			action: "forget",
			item: "f1",
		});
		expect(store.ui.editor.looking.value).toBeNull();
		await answer(model, "history");
	});

	it("a search of rows is a glyph with the changed cells marked", () => {
		strip([search("a1", "benign")]);
		const marks = option(/benign/).querySelectorAll(
			'rect[data-changed="true"]',
		);
		const cells = alternatives().rows.flatMap((row) => row.cells);
		const changed = cells.filter((cell) => cell.changed !== "");
		expect(marks).toHaveLength(changed.length);
	});

	it("an earlier search comes back with its rows, also in a saved view", async () => {
		const row = {
			_table: table,
			_image: null as unknown as Picture,
			_prediction: diagnosis,
			_catalog: { ...traits()._catalog, labels: ["malignant", "benign"] },
		};
		const { model, store } = strip(
			[search("a1", "sick"), search("a2", "benign")],
			{ ...row, _alternatives: alternatives() },
		);
		render(<Alternatives store={store} />);
		expect(screen.getByRole("region", { name: "to be benign" })).toBeTruthy();
		fireEvent.click(option(/sick/));
		const region = await screen.findByRole("region", { name: "to be sick" });
		expect(screen.queryByRole("region", { name: "to be benign" })).toBeNull();
		const [explain] = within(region).getAllByRole("button", {
			name: "Explain",
		});
		fireEvent.click(explain as HTMLElement);
		expect(model.requests("alternative").at(-1)).toMatchObject({
			action: "explain",
			item: "a1",
		});
		fireEvent.click(within(region).getByRole("button", { name: "JSON" }));
		await waitFor(() =>
			expect(model.requests("alternative").at(-1)).toMatchObject({
				action: "json",
				item: "a1",
			}),
		);
		// A new search is what is looked at next.
		fireEvent.click(screen.getByRole("button", { name: /^Find/ }));
		expect(store.ui.alternatives.looking.value).toBeNull();
	});
});
