import {
	act,
	fireEvent,
	render,
	screen,
	waitFor,
} from "@testing-library/preact";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Dialogs } from "../src/components/dialogs/Dialogs";
import { History } from "../src/components/history/History";
import type { Traits } from "../src/model/protocol";
import { result, spec } from "./fixtures";
import { answer, closeAll, opened } from "./parts";

afterEach(() => {
	closeAll();
	vi.restoreAllMocks();
});

const items = ["r0", "r1"].map((id) => ({
	id,
	name: `IG ${id}`,
	pinned: false,
	result: result(id, spec),
}));

function history(state: Partial<Traits> = {}) {
	const both = opened({ _history: items, ...state });
	render(<History store={both.store} />);
	return both;
}

const option = (name: string) =>
	screen.getByRole("option", { name: new RegExp(`^${name}`) });

describe("the history", () => {
	it("is nothing but the model's line before the first result", () => {
		history({ _history: [] });
		expect(screen.queryByRole("listbox")).toBeNull();
		expect(
			screen.getByText("efficientnet-lite0 · float32 · 224 × 224"),
		).toBeTruthy();
	});

	it("looks at an earlier result, and back at the newest", () => {
		const { store } = history();
		expect(option("IG r1").getAttribute("aria-selected")).toBe("true");
		fireEvent.click(option("IG r0"));
		expect(store.ui.looking.value).toBe("r0");
		expect(store.shown.value?.id).toBe("r0");
		fireEvent.keyDown(option("IG r1"), { key: "Enter" });
		expect(store.ui.looking.value).toBeNull();
	});

	it("is one stop for Tab and walked by arrows", () => {
		history();
		option("IG r1").focus();
		fireEvent.keyDown(option("IG r1"), { key: "ArrowLeft" });
		expect(document.activeElement).toBe(option("IG r0"));
		expect(option("IG r0").tabIndex).toBe(-1);
	});

	it("pins, restores and forgets", () => {
		const { model } = history();
		fireEvent.click(option("IG r0"));
		fireEvent.click(screen.getByText("pin"));
		expect(model.requests("history").at(-1)).toMatchObject({
			action: "pin",
			item: "r0",
		});
		fireEvent.click(screen.getByText("restore"));
		expect(model.requests("history").at(-1)?.action).toBe("restore");
		fireEvent.keyDown(option("IG r0"), { key: "Delete" });
		expect(model.requests("history").at(-1)).toMatchObject({
			action: "forget",
			item: "r0",
		});
	});

	it("renames with F2 and Enter, and not with Escape", () => {
		const { model } = history();
		fireEvent.keyDown(option("IG r0"), { key: "F2" });
		const field = screen.getByLabelText("name") as HTMLInputElement;
		field.value = "sharp";
		fireEvent.keyDown(field, { key: "Enter" });
		expect(model.requests("history").at(-1)).toMatchObject({
			action: "rename",
			name: "sharp",
		});
		fireEvent.dblClick(option("IG r0"));
		fireEvent.keyDown(screen.getByLabelText("name"), { key: "Escape" });
		expect(screen.queryByLabelText("name")).toBeNull();
		expect(model.requests("history")).toHaveLength(1);
	});
});

function dialog(name: string, state: Partial<Traits> = {}) {
	const both = opened(state);
	render(<Dialogs store={both.store} />);
	return act(() => {
		both.store.ui.open.value = name;
	}).then(() => both);
}

describe("the dialogs", () => {
	it("export what was chosen and hand the file over", async () => {
		const click = vi
			.spyOn(HTMLAnchorElement.prototype, "click")
			.mockImplementation(() => {});
		const { model, store } = await dialog("export");
		fireEvent.click(screen.getByTitle("vectors, text as text"));
		expect(screen.queryByLabelText("resolution")).toBeNull();
		fireEvent.click(screen.getByTitle("double column, 180 mm"));
		fireEvent.click(screen.getByText("Save SVG"));
		expect(model.requests("export")[0]).toMatchObject({
			format: "svg",
			width: "double",
			caption: true,
		});
		answer(model, "export", { filename: "map.svg", mime: "image/svg+xml" }, [
			new ArrayBuffer(4),
		]);
		await waitFor(() => expect(store.ui.open.value).toBeNull());
		const link = click.mock.contexts[0] as HTMLAnchorElement;
		expect(link.download).toBe("map.svg");
	});

	it("warn before a partial result is exported", async () => {
		const partial = result("r1", spec, { done: 23, complete: false });
		await dialog("export", { _result: partial });
		expect(screen.getByText(/This is a partial result: 23 of 50/)).toBeTruthy();
	});

	it("ask for an earlier result to be restored before it is exported", async () => {
		const { model, store } = await dialog("export", { _history: items });
		await act(() => {
			store.ui.looking.value = "r0";
		});
		const save = screen.getByText("Save PNG") as HTMLButtonElement;
		expect(save.disabled).toBe(true);
		fireEvent.click(screen.getByText("Restore"));
		expect(model.requests("history").at(-1)?.item).toBe("r0");
		answer(model, "history");
		await waitFor(() => expect(save.disabled).toBe(false));
	});

	it("say that a draft on the screen is not what is saved", async () => {
		const { model } = await dialog("export");
		const draft = result("d1", spec, { phase: "draft" });
		const data = draft.map.data as ArrayBuffer;
		await act(() =>
			model.message({ kind: "frame", seq: 1, result: draft }, [data]),
		);
		expect(screen.getByText(/the last result is saved/)).toBeTruthy();
	});

	it("say why an export failed and stay open", async () => {
		const { model } = await dialog("export");
		fireEvent.click(screen.getByText("Save PNG"));
		const error = { title: "No space left", hint: "", details: "" };
		answer(model, "export", { ok: false, error });
		expect(await screen.findByText("No space left")).toBeTruthy();
	});

	it("without a kernel draw the stage and offer nothing else", async () => {
		const { model } = await dialog("export");
		await act(() => model.emit("comm:close"));
		const pdf = screen.getByTitle("vectors for a paper") as HTMLInputElement;
		expect(pdf.disabled).toBe(true);
		expect(screen.getByText("Save PNG")).toBeTruthy();
	});

	it("show the code and copy it", async () => {
		const writeText = vi.fn(async () => {});
		vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText } });
		const { model } = await dialog("code");
		answer(model, "code", { code: "nbxplain.explain(model, image)" });
		await screen.findByText("nbxplain.explain(model, image)");
		fireEvent.click(screen.getByText("copy"));
		await screen.findByText("copied");
		expect(writeText).toHaveBeenCalledWith("nbxplain.explain(model, image)");
		vi.unstubAllGlobals();
	});

	it("list the keys and close on Escape", async () => {
		const { store } = await dialog("help");
		const box = screen.getByRole("dialog", { name: "Keyboard" });
		expect(box.textContent).toContain("next colours");
		fireEvent(box, new Event("cancel", { cancelable: true }));
		expect(store.ui.open.value).toBeNull();
	});
});
