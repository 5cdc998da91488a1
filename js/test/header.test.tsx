import { act, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { Banners } from "../src/components/header/Banners";
import { Header } from "../src/components/header/Header";
import type { Traits } from "../src/model/protocol";
import { result, spec, traits } from "./fixtures";
import { closeAll, opened } from "./parts";

beforeAll(() => {
	// The simulated browser has no top layer.
	HTMLElement.prototype.showPopover ??= () => {};
});
afterEach(closeAll);

function header(state: Partial<Traits> = {}) {
	const both = opened(state);
	render(<Header store={both.store} />);
	return both;
}

const open = (name: string) =>
	fireEvent.click(screen.getByRole("button", { name: new RegExp(`^${name}`) }));
const field = () => screen.getByRole("combobox") as HTMLInputElement;
const press = (key: string) => fireEvent.keyDown(field(), { key });
const options = () => screen.getAllByRole("option");
const job = (more: Partial<Traits["_job"]>) => ({
	_job: { ...traits()._job, ...more },
});

describe("the pickers", () => {
	it("walk by keys, choose by Enter, and give the focus back", async () => {
		const { model, store } = header({ target: 285 });
		open("method");
		expect(document.activeElement).toBe(field());
		press("Home");
		press("ArrowDown");
		press("Enter");
		expect(model.state.method).toBe("input_x_gradient");
		expect(store.ui.open.value).toBeNull();
		await act(() => {});
		expect(document.activeElement?.textContent).toMatch(/^method/);
	});

	it("say why a method cannot run and do not choose it", () => {
		const { model } = header();
		open("method");
		press("End");
		press("Enter");
		expect(model.state.method).toBe("integrated_gradients");
		const last = options().at(-1);
		expect(last?.getAttribute("aria-disabled")).toBe("true");
		expect(last?.textContent).toContain("this model has none");
	});

	it("close on Escape without stopping the job", () => {
		const { model, store } = header(job({ state: "running", total: 64 }));
		open("for");
		press("Escape");
		expect(store.ui.open.value).toBeNull();
		expect(model.requests("stop")).toHaveLength(0);
	});

	it("open from outside, as the keyboard shortcuts do", async () => {
		const { store } = header();
		await act(() => {
			store.ui.open.value = "target";
		});
		expect(options()).toHaveLength(5);
	});

	it("ask for no layer where none is needed, and filter them where one is", () => {
		header();
		const layer = screen.getByRole("button", { name: /^layer/ });
		expect(layer.textContent).toContain("not needed");
		expect((layer as HTMLButtonElement).disabled).toBe(true);
		closeAll();
		const { model } = header({ method: "grad_cam", layer: null });
		expect(
			screen.getByRole("button", { name: /^layer/ }).textContent,
		).toContain("head.conv");
		open("layer");
		fireEvent.input(field(), { target: { value: "blocks" } });
		expect(options()).toHaveLength(2);
		press("Enter");
		expect(model.state.layer).toBe("blocks.4");
	});
});

describe("the target", () => {
	it("is searched for among all labels, few of them drawn", () => {
		const { model } = header();
		open("for");
		fireEvent.input(field(), { target: { value: "class" } });
		expect(options()).toHaveLength(50);
		fireEvent.input(field(), { target: { value: "lynx" } });
		press("Enter");
		expect(model.state.target).toBe(287);
	});

	it("can be a contrast, and stop being one", () => {
		const { model } = header();
		open("for");
		fireEvent.click(screen.getByRole("button", { name: /^rather than/ }));
		fireEvent.click(screen.getByRole("option", { name: /tabby cat/ }));
		expect(model.state.target).toEqual({ index: 285, against: 281 });
		expect(screen.getByRole("button", { name: /^for/ }).textContent).toContain(
			"Egyptian Mau rather than tabby cat",
		);
		open("for");
		fireEvent.click(screen.getByLabelText("no contrast"));
		expect(model.state.target).toBe(285);
	});

	it("is named where it is a callable, and unknown before the picture is read", () => {
		header({ target: "callable margin" });
		expect(screen.getByRole("button", { name: /^for/ }).textContent).toContain(
			"callable margin",
		);
		closeAll();
		header({ target: null as unknown as number, _prediction: null });
		expect(screen.getByRole("button", { name: /^for/ }).textContent).toContain(
			"predicted class",
		);
	});

	it("cannot be contrasted with itself", () => {
		const { model } = header();
		open("for");
		fireEvent.click(screen.getByRole("button", { name: /^rather than/ }));
		fireEvent.click(screen.getByRole("option", { name: /Egyptian Mau/ }));
		expect(model.state.target).toBe(285);
	});
});

describe("the job", () => {
	it("shows how far it is, and what is left once that is known", async () => {
		const { model } = header(
			job({ state: "running", done: 46, total: 64, seconds: 0.9, eta: 1 }),
		);
		expect(screen.getByText("46 of 64")).toBeTruthy();
		expect(screen.getByText("0.9 s")).toBeTruthy();
		await act(() =>
			model.push(
				job({ state: "running", done: 46, total: 64, seconds: 3, eta: 4 }),
			),
		);
		expect(screen.getByText("4.0 s left")).toBeTruthy();
		fireEvent.click(screen.getByRole("button", { name: /^Stop/ }));
		expect(model.requests("stop")).toHaveLength(1);
		await act(() => model.push(job({ state: "cancelling" })));
		expect(screen.getByText("stopping")).toBeTruthy();
	});

	it("can be started when there is no result, and resumed when stopped", () => {
		const { model } = header({ _result: null });
		fireEvent.click(screen.getByText("Run"));
		expect(model.requests("run")).toHaveLength(1);
		closeAll();
		const stopped = header(
			job({ state: "cancelled", done: 23, total: 50, resumable: true }),
		);
		expect(screen.getByText("stopped at 23 of 50")).toBeTruthy();
		fireEvent.click(screen.getByText("Resume"));
		expect(stopped.model.requests("resume")).toHaveLength(1);
	});
});

describe("the banners", () => {
	const failure = {
		title: "The model ran out of memory",
		hint: "Halve the batch.",
		details: "Traceback",
	};

	it("show an error with the next step, until it is closed", async () => {
		const { model, store } = opened({ _error: failure });
		render(<Banners store={store} />);
		expect(screen.getByRole("alert").textContent).toContain(failure.hint);
		fireEvent.click(screen.getByText("Run again"));
		expect(model.requests("run")).toHaveLength(1);
		fireEvent.click(screen.getByLabelText("close"));
		expect(screen.queryByRole("alert")).toBeNull();
		await act(() => model.push({ _error: { ...failure } }));
		expect(screen.getByRole("alert")).toBeTruthy();
	});

	it("let a notice go, and offer to run a changed model again", () => {
		const { model, store } = opened({
			_notices: ["ImageNet normalisation was assumed."],
			_stale: true,
			_result: result("r1", spec),
		});
		render(<Banners store={store} />);
		fireEvent.click(screen.getByLabelText("dismiss"));
		expect(screen.queryByText(/was assumed/)).toBeNull();
		expect(screen.getByText(/weights changed/)).toBeTruthy();
		fireEvent.click(screen.getByText("Run"));
		expect(model.requests("run")).toHaveLength(1);
	});
});
