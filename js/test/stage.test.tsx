import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { App } from "../src/components/App";
import { valueAt } from "../src/components/stage/Readout";
import {
	centreForZoom,
	paneSize,
	toPicture,
	viewportOf,
} from "../src/components/stage/viewport";
import { connect } from "../src/model/bridge";
import type { Traits } from "../src/model/protocol";
import { FakeModel } from "./fake";
import { picture, result, spec } from "./fixtures";

beforeEach(() => {
	vi.useFakeTimers();
});
afterEach(() => {
	cleanup();
	vi.useRealTimers();
});

function show(state: Partial<Traits> = {}) {
	const model = new FakeModel({ _result: result("r", spec), ...state });
	const { store } = connect(model);
	const { container } = render(<App store={store} host={document.body} />);
	const root = container.querySelector(".nbxplain") as HTMLElement;
	const press = (key: string, target: Element = root) =>
		fireEvent.keyDown(target, { key });
	return { model, store, root, press };
}

test("the pane keeps the picture's proportions and is at most 420 high", () => {
	expect(paneSize({ width: 224, height: 224 }, 640)).toEqual({
		width: 420,
		height: 420,
	});
	expect(paneSize({ width: 400, height: 100 }, 640)).toEqual({
		width: 640,
		height: 160,
	});
});

test("zooming keeps the point under the pointer in place", () => {
	const size = { width: 100, height: 100 };
	const pane = { width: 200, height: 200 };
	const still = { x: 30, y: 40 };
	const centre = centreForZoom(size, { zoom: 1, centre: null }, 4, still);
	const before = viewportOf(size, pane, 1, null);
	const after = viewportOf(size, pane, 4, centre);
	const at = { x: 60, y: 80 };
	expect(toPicture(before, at)).toEqual(still);
	expect(toPicture(after, at)).toEqual(still);
});

test("the readout gives the cell that covers the pixel", () => {
	const map = { rows: 2, columns: 2, values: Float32Array.of(1, 2, 3, 4) };
	const size = { width: 4, height: 4 };
	expect(valueAt(map, size, { x: 1, y: 1 })).toBe(1);
	expect(valueAt(map, size, { x: 2, y: 1 })).toBe(2);
	expect(valueAt(map, size, { x: 3, y: 3 })).toBe(4);
});

test("the arrow keys move the crosshair and the readout follows", async () => {
	const { store, press, root } = show();
	const pane = root.querySelector(".nbx-pane") as Element;
	press("ArrowRight", pane);
	fireEvent.keyDown(pane, { key: "ArrowUp", shiftKey: true });
	const middle = picture.width / 2;
	expect(store.ui.crosshair.value).toEqual({ x: middle + 1, y: middle - 10 });
	await vi.advanceTimersByTimeAsync(600);
	const readout = root.querySelector(".nbx-readout");
	expect(readout?.textContent).toContain(`x ${middle + 1} y ${middle - 10}`);
	expect(readout?.querySelector("[aria-live]")?.textContent).toMatch(
		/percentile/,
	);
});

test("letters act in the widget but not in its fields, and can be turned off", async () => {
	const { model, store, press, root } = show();
	press("r");
	expect(model.requests("run")).toHaveLength(1);
	press("v");
	expect(store.traits.view.value).toBe("side");
	press("]");
	expect(store.traits.opacity.value).toBe(0.6);
	const input = document.createElement("input");
	root.append(input);
	press("r", input);
	expect(model.requests("run")).toHaveLength(1);
	store.set({ shortcuts: false });
	press("r");
	expect(model.requests("run")).toHaveLength(1);
});

test("with a modifier a letter belongs to the browser", () => {
	const { model, root } = show();
	fireEvent.keyDown(root, { key: "r", ctrlKey: true });
	expect(model.requests("run")).toHaveLength(0);
});

test("what is typed in the widget does not reach the notebook", () => {
	const { press } = show();
	const heard = vi.fn();
	document.body.addEventListener("keydown", heard);
	press("d");
	document.body.removeEventListener("keydown", heard);
	expect(heard).not.toHaveBeenCalled();
});

test("escape stops a run", () => {
	const { model, press } = show();
	model.push({ _job: { ...model.state._job, state: "running" } });
	press("Escape");
	expect(model.requests("stop")).toHaveLength(1);
});

test("the swipe handle is a slider", async () => {
	const { store, press } = show({ view: "swipe" });
	const handle = screen.getByRole("slider", { name: /picture left/ });
	press("ArrowRight", handle);
	expect(store.ui.swipe.value).toBeCloseTo(0.52);
	press("Home", handle);
	expect(store.ui.swipe.value).toBe(0);
});

test("an end of the legend clips, Home resets", () => {
	const { store, press } = show();
	const end = screen.getByRole("slider", { name: /upper end/ });
	const before = Number(end.getAttribute("aria-valuenow"));
	press("ArrowLeft", end);
	expect(store.ui.limit.value).toBeCloseTo(before / 1.05);
	press("Home", end);
	expect(store.ui.limit.value).toBeNull();
});

test("an unsigned map has one end to drag", () => {
	show({ _result: result("r", { ...spec, method: "grad_cam" }) });
	expect(screen.queryByRole("slider", { name: /lower end/ })).toBeNull();
});

test("a click on a class explains that class", () => {
	const { store } = show();
	fireEvent.click(screen.getByRole("button", { name: /tabby cat/ }));
	expect(store.traits.target.value).toBe(281);
});

test("before the first result the stage says which key runs what", () => {
	const { root } = show({ _result: null, method: "grad_cam" });
	expect(root.querySelector(".nbx-hint")?.textContent).toBe(
		"Press R to run Grad-CAM",
	);
});

test("a partial result can be resumed where the method allows it", () => {
	const partial = result("p", spec, { done: 23, complete: false });
	const { model, root } = show({ _result: partial });
	expect(root.querySelector(".nbx-badge button")).toBeNull();
	cleanup();
	const job = { ...model.state._job, state: "cancelled" as const };
	const again = show({ _result: partial, _job: { ...job, resumable: true } });
	const badge = again.root.querySelector(".nbx-badge");
	expect(badge?.textContent).toContain("partial 23/50");
	fireEvent.click(badge?.querySelector("button") as Element);
	expect(again.model.requests("resume")).toHaveLength(1);
});

test("a map that is zero everywhere is replaced by the reason", () => {
	const { root } = show({
		_result: result("z", spec, { reason: "The gradient is zero." }),
	});
	expect(root.querySelector(".nbx-degenerate")?.textContent).toBe(
		"The gradient is zero.",
	);
	expect(root.querySelector(".nbx-map")).toBeNull();
});

test("changed controls mark the map as stale", async () => {
	const { store, root } = show();
	store.set({ target: 281 });
	await vi.advanceTimersByTimeAsync(50);
	expect(root.querySelector(".nbx-badge")?.textContent).toBe("stale");
	expect(root.querySelector(".nbx-stale")).not.toBeNull();
});

test("the picture is described in words", () => {
	const { store } = show();
	const described = screen.getAllByRole("img", {
		name: store.shown.value?.description ?? "?",
	});
	expect(described).toHaveLength(1);
});
