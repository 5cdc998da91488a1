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
import { Panel } from "../src/components/panel/Panel";
import type { Traits } from "../src/model/protocol";
import { checks, deletion, found, halfway, sanity } from "./checks";
import { result, spec } from "./fixtures";
import { answer, closeAll, opened } from "./parts";

afterEach(closeAll);

const plain = { _result: result("r1", spec), _checks: checks() };
const known = { ...plain, _result: result("r1", spec, { checks: found }) };

function tab(state: Partial<Traits> = {}) {
	const both = opened({ ...plain, ...state });
	both.store.ui.tab.value = "check";
	render(<Panel store={both.store} />);
	return both;
}

function app(state: Partial<Traits> = {}) {
	const both = opened({ ...plain, ...state });
	render(<App store={both.store} host={document.body} />);
	return both;
}

const card = (name: string) => screen.getByRole("region", { name });
const tick = (name: string) =>
	screen.getByRole("checkbox", { name }) as HTMLInputElement;
const button = (name: string | RegExp) =>
	screen.getByRole("button", { name }) as HTMLButtonElement;
const line = () =>
	within(screen.getByRole("list", { name: "evidence" }) as HTMLElement);

describe("before anything was checked", () => {
	it("says what it would do and for how long, and asks for what is ticked", () => {
		const { model } = tab();
		expect(card("Deletion").textContent).toContain("What deletion does");
		expect(card("Deletion").textContent).toContain("about 5 s");
		expect(tick("Deletion").checked).toBe(true);
		expect(tick("Insertion").checked, "it takes too long").toBe(false);
		expect(screen.getByText(/3 checks, about 6 s/)).toBeTruthy();
		fireEvent.click(tick("Stability"));
		fireEvent.click(button("Check it"));
		expect(model.requests("check")).toMatchObject([
			{ result: "r1", checks: ["sanity", "deletion"] },
		]);
	});

	it("cannot be asked for nothing", () => {
		tab();
		for (const name of ["Sanity", "Stability", "Deletion"])
			fireEvent.click(tick(name));
		expect(button("Check it").disabled).toBe(true);
		expect(screen.getByText("tick what to check")).toBeTruthy();
	});

	it("says why a check cannot be made of this result", () => {
		const [first, ...others] = checks().offers;
		const obstacle = "the model has no weights that could be shuffled";
		const without = { ...first, suggested: false, obstacle } as NonNullable<
			typeof first
		>;
		tab({ _checks: checks({ offers: [without, ...others] }) });
		expect(tick("Sanity").disabled).toBe(true);
		expect(card("Sanity").textContent).toContain(obstacle);
	});

	it("shows what was refused", async () => {
		const { model } = tab();
		fireEvent.click(button("Check it"));
		const error = { title: "The weights have changed", hint: "Run it again." };
		await act(async () =>
			answer(model, "check", {
				ok: false,
				error: { ...error, details: "" },
			}),
		);
		const refused = await screen.findByRole("alert");
		expect(refused.textContent).toContain("Run it again");
	});

	it("explains why it must wait", () => {
		tab({ _result: result("r1", spec, { complete: false, done: 23 }) });
		expect(button("Check it").disabled).toBe(true);
		expect(screen.getByText(/stopped at 23 of 50/)).toBeTruthy();
	});
});

describe("while it is checked", () => {
	const now = { ...plain, _checks: halfway("r1") };

	it("shows progress, what is there already, and stops", () => {
		const { model } = tab(now);
		const bar = screen.getByRole("progressbar", { name: "checks" });
		expect(bar.getAttribute("aria-valuenow")).toBe("26");
		expect(screen.getByText("about 10 s left")).toBeTruthy();
		expect(card("Sanity").textContent).toContain("hardly changes");
		expect(card("Stability").textContent).toContain("does not fit in memory");
		expect(card("Deletion").textContent).toContain("120 of 343");
		expect(card("Insertion").textContent).toContain("queued");
		fireEvent.click(button("Stop"));
		expect(model.requests("stop")).toMatchObject([{ panel: "checks" }]);
	});

	it("draws the part of a curve that is known, without a band", () => {
		tab(now);
		const drawing = card("Deletion").querySelector("svg");
		expect(drawing?.querySelector(".nbx-band")).toBeNull();
		const d = drawing?.querySelector(".nbx-curve-line")?.getAttribute("d");
		const [known, last] = d?.slice(1).split("M") ?? [];
		expect(known?.split("L")).toHaveLength(12);
		expect(last).toMatch(/^100.00,/);
	});

	it("is stopped by Escape", () => {
		const { model } = app(now);
		fireEvent.keyDown(
			screen.getByRole("group", { name: "nbxplain explorer" }),
			{
				key: "Escape",
			},
		);
		expect(model.requests("stop")).toMatchObject([{ panel: "checks" }]);
	});

	it("leaves to the explanation what it has said", () => {
		app({ _job: { ...checks().job, state: "done", done: 50, total: 50 } });
		const spoken = document.querySelector(".nbxplain > [aria-live]");
		expect(spoken?.textContent).toBe("explanation done");
	});

	it("is announced at its quarters and its end", async () => {
		const { model } = app(now);
		const spoken = () =>
			document.querySelector(".nbxplain > [aria-live]")?.textContent;
		expect(spoken()).toBe("25 % done");
		const { job } = halfway("r1");
		await act(async () =>
			model.push({ _checks: checks({ job: { ...job, state: "done" } }) }),
		);
		expect(spoken()).toBe("checks done");
	});

	it("says that another result is being checked", () => {
		tab({ ...plain, _checks: halfway("other") });
		expect(screen.getByText("Another result is being checked.")).toBeTruthy();
		expect(card("Sanity").textContent).not.toContain("hardly changes");
	});
});

describe("what was found", () => {
	it("has a verdict in a sign and a word, and a reading", () => {
		tab(known);
		expect(card("Deletion").textContent).toContain("✓good");
		expect(card("Deletion").textContent).toContain("(threshold 2)");
		expect(card("Sanity").textContent).toContain("✕poor");
		expect(card("Stability").textContent).toContain("~weak");
	});

	it("says plainly when it cannot tell", () => {
		tab(known);
		expect(card("Insertion").textContent).toContain("cannot tell?no verdict");
	});

	it("is drawn: curve with band, cascade with similarities, spread", () => {
		tab(known);
		const curve = within(card("Deletion")).getByRole("img");
		expect(curve.getAttribute("aria-label")).toMatch(
			/probability as places are taken away, from .38 .* 10 random orders/,
		);
		expect(curve.querySelector(".nbx-band")).toBeTruthy();
		const stages = card("Sanity").querySelectorAll("li");
		expect(stages).toHaveLength(5);
		expect(stages[1]?.textContent).toContain(".92");
		expect(stages[4]?.textContent).toContain("not finite");
		expect(stages[4]?.textContent).toContain("–");
		expect(card("Stability").querySelectorAll("canvas")).toHaveLength(2);
		expect(card("Stability").querySelectorAll(".nbx-dots b")).toHaveLength(7);
	});

	it("is checked again, or what is left of it", () => {
		tab(known);
		expect(button("Check again")).toBeTruthy();
		closeAll();
		tab({ ...plain, _result: result("r1", spec, { checks: [sanity] }) });
		expect(tick("Sanity").checked).toBe(false);
		expect(button("Check the rest")).toBeTruthy();
	});

	it("is seen without a kernel, where nothing can be checked", async () => {
		const { model } = tab(known);
		model.closed = true;
		await act(async () => model.emit("comm:close"));
		expect(button("Check again").disabled).toBe(true);
		expect(button("Check again").title).toContain("kernel");
		expect(tick("Deletion").disabled).toBe(true);
		expect(card("Deletion").textContent).toContain("✓good");
	});

	it("is that of the earlier result that is looked at", async () => {
		const earlier = result("r0", spec, { checks: [deletion] });
		const item = { id: "r0", name: "IG", pinned: false, result: earlier };
		const { store, model } = tab({ _history: [item] });
		await act(async () => {
			store.ui.looking.value = "r0";
		});
		expect(card("Deletion").textContent).toContain("✓good");
		expect(screen.queryByRole("region", { name: "Sanity" })).toBeNull();
		fireEvent.click(button("Show it again"));
		expect(model.requests("history")).toMatchObject([
			{ action: "restore", item: "r0" },
		]);
	});

	it("does not end a look at an earlier result", async () => {
		const item = {
			id: "r0",
			name: "IG",
			pinned: false,
			result: result("r0", spec),
		};
		const { store, model } = tab({ _history: [item] });
		store.ui.looking.value = "r0";
		await act(async () => model.push({ _result: known._result }));
		expect(store.ui.looking.value).toBe("r0");
		await act(async () => model.push({ _result: result("r2", spec) }));
		expect(store.ui.looking.value).toBeNull();
	});
});

describe("the line of evidence under the map", () => {
	it("offers to check what was not checked", () => {
		const { model, store } = app();
		expect(line().getByText(/not checked yet/)).toBeTruthy();
		fireEvent.click(line().getByRole("button", { name: "Check it" }));
		expect(model.requests("check")).toHaveLength(1);
		expect(store.ui.tab.value).toBe("check");
	});

	it("opens the curve that a number was read from", async () => {
		app(known);
		fireEvent.click(line().getByRole("button", { name: /^deletion/ }));
		await waitFor(() => expect(document.activeElement).toBe(card("Deletion")));
		fireEvent.click(line().getByRole("button", { name: /^completeness gap/ }));
		await waitFor(() => expect(document.activeElement).toBe(card("path")));
	});

	it("says each verdict in a word", () => {
		app(known);
		const deleted = line().getByRole("button", { name: /^deletion/ });
		expect(deleted.textContent).toContain(", good");
		expect(line().queryByText(/not checked yet/)).toBeNull();
		expect(line().queryByText(/evaluations/)).toBeNull();
	});

	it("is in the list of all evidence too", () => {
		app(known);
		const evidence = screen.getByRole("region", { name: "evidence" });
		expect(evidence.textContent).toContain("stabilityρ 0.74");
	});
});
