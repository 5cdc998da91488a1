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
import type { Bottleneck, Picture, Traits } from "../src/model/protocol";
import { bottleneck } from "./bottleneck";
import { gathered } from "./concepts";
import { answer, closeAll, opened } from "./parts";
import { table } from "./table";

afterEach(closeAll);

function shown(known: Bottleneck, more: Partial<Traits> = {}) {
	const both = opened({
		_concepts: gathered(),
		_bottleneck: known,
		...more,
	});
	both.store.ui.tab.value = "concepts";
	render(<App store={both.store} host={document.body} />);
	return both;
}

type Model = ReturnType<typeof shown>["model"];

const section = () =>
	screen.getByRole("region", { name: "what this model sees" });
const answers = (name: string) =>
	within(section()).getByRole("group", { name: `is ${name} there?` });
const say = (name: string, word: "yes" | "no") =>
	within(answers(name)).getByRole("button", { name: word });
const row = (name: string) => answers(name).closest("li") as HTMLElement;
const corrections = (model: Model) =>
	model.requests("intervene").map((request) => request.corrections);

it("concepts and classes stand there as the model sees them", () => {
	shown(bottleneck());
	expect(row("striped").textContent).toContain("0.41");
	expect(row("striped").textContent).toContain("0.98");
	expect(section().querySelectorAll(".nbx-share > i")).toHaveLength(0);
	const classes = within(section()).getByRole("list", {
		name: "classes that follow",
	});
	const best = classes.querySelector('[data-best="true"]');
	expect(best?.textContent).toContain("Egyptian Mau");
});

it("a concept is corrected by yes, by no, and by a click on it", () => {
	const { model } = shown(bottleneck());
	fireEvent.click(say("striped", "yes"));
	fireEvent.click(say("furry", "no"));
	const there = { name: /^hoofs, .*say that hoofs is there/ };
	fireEvent.click(within(section()).getByRole("button", there));
	expect(corrections(model)).toEqual([
		{ striped: 1 },
		{ furry: 0 },
		{ hoofs: 1 },
	]);
});

it("a correction is pressed, its classes move past their marks, and it is taken back", () => {
	const { model } = shown(bottleneck());
	act(() => model.push({ _bottleneck: bottleneck({ striped: 1 }) }));
	expect(say("striped", "yes").getAttribute("aria-pressed")).toBe("true");
	const mark = row("striped").querySelector<HTMLElement>(".nbx-share > i");
	expect(mark?.style.left).toBe("41%");
	const tabby = within(section()).getByRole("listitem", { name: /^tabby/ });
	const [bar, ghost] = tabby.querySelectorAll<HTMLElement>(".nbx-share > *");
	expect([bar?.style.width, ghost?.style.left]).toEqual(["78%", "31%"]);
	expect(section().textContent).toContain("Egyptian Mau becomes tabby cat");
	fireEvent.click(say("striped", "yes"));
	expect(corrections(model)).toEqual([{ striped: null }]);
});

it("all corrections are taken back at once", () => {
	const { model } = shown(bottleneck({ striped: 1, furry: 0 }));
	fireEvent.click(screen.getByRole("button", { name: "Take back 2" }));
	expect(corrections(model)).toEqual([{ striped: null, furry: null }]);
});

it("the concept that is most worth asking for is marked, and the next after it", () => {
	const { model } = shown(bottleneck());
	expect(row("striped").dataset.next).toBe("false");
	fireEvent.click(screen.getByRole("button", { name: "Which next?" }));
	expect(row("striped").dataset.next).toBe("true");
	act(() => model.push({ _bottleneck: bottleneck({ striped: 1 }) }));
	expect(row("striped").dataset.next).toBe("false");
	expect(row("long tail").dataset.next).toBe("true");
});

it("what Python refuses is said", async () => {
	const { model } = shown(bottleneck());
	fireEvent.click(say("striped", "yes"));
	const error = { title: "There is no concept.", hint: "See.", details: "" };
	act(() => answer(model, "intervene", { ok: false, error }));
	await waitFor(() =>
		expect(section().textContent).toContain("There is no concept"),
	);
});

it("a bottleneck that cannot be read is a card", () => {
	const failure = { title: "Gives shape (3,)", hint: "Name all.", details: "" };
	shown(bottleneck({}, { concepts: [], choices: [], next: null, failure }));
	expect(section().querySelector(".nbx-failed")?.textContent).toContain(
		"Name all",
	);
});

it("of many concepts the first, the corrected and the next are shown", () => {
	const many = Array.from({ length: 40 }, (_, i) => ({
		name: `c${i}`,
		probability: 0.2,
		uncertainty: i === 30 ? 1 : 0.7,
		corrected: i === 20 ? 1 : null,
	}));
	shown(bottleneck({}, { concepts: many, next: "c30" }));
	const rows = () => section().querySelectorAll(".nbx-seen").length;
	expect(rows()).toBe(13);
	fireEvent.click(screen.getByRole("button", { name: "Which next?" }));
	expect(row("c30").dataset.next).toBe("true");
	fireEvent.click(screen.getByRole("button", { name: "show 26 others" }));
	expect(rows()).toBe(40);
});

it("without a kernel it is seen and cannot be corrected", () => {
	const { model } = shown(bottleneck({ striped: 1 }));
	model.closed = true;
	fireEvent.click(say("furry", "no"));
	const button = say("striped", "yes") as HTMLButtonElement;
	return waitFor(() => {
		expect(button.disabled).toBe(true);
		expect(button.title).not.toBe("");
		expect(row("striped").textContent).toContain("1.00");
	});
});

it("a row of a table has the tab where its model is a bottleneck", () => {
	const state = { _table: table, _image: null as unknown as Picture };
	const { model } = shown(bottleneck(), { ...state, _concepts: null });
	expect(screen.getByRole("tab", { name: "Concepts" })).toBeTruthy();
	expect(row("striped")).toBeTruthy();
	act(() => model.push({ _bottleneck: null }));
	expect(screen.queryByRole("tab", { name: "Concepts" })).toBeNull();
});
