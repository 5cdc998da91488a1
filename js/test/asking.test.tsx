import { render, screen, waitFor } from "@testing-library/preact";
import { afterEach, beforeAll, expect, it } from "vitest";
import { App } from "../src/components/App";
import { closeAll, opened } from "./parts";

beforeAll(() => {
	HTMLElement.prototype.showPopover ??= () => {};
});
afterEach(closeAll);

it("a stroke is asked about in the event that began it, not with the next frame", async () => {
	const { model, store } = opened();
	store.ui.tab.value = "edit";
	render(<App store={store} host={document.body} />);
	const stage = screen.getByRole("group", { name: /^stage/ });
	await waitFor(() => expect(stage.querySelector(".nbx-painter")).toBeTruthy());
	const canvas = stage.querySelector(".nbx-painter") as HTMLElement;
	canvas.setPointerCapture = () => {};
	// Not through the testing library, which lets what waits for frames happen first.
	const place = { clientX: 20, clientY: 20, button: 0, bubbles: true };
	canvas.dispatchEvent(new PointerEvent("pointerdown", place));
	expect(model.requests("paint")).toHaveLength(1);
	expect(model.requests("paint").at(-1)?.settled).toBe(false);
});
