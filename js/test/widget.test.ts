import { afterEach, expect, test } from "vitest";
import widget, { savedView } from "../src/widget";
import { FakeModel } from "./fake";
import { result, spec, traits } from "./fixtures";

const el = () => {
	const element = document.createElement("div");
	document.body.append(element);
	return element;
};

afterEach(() => {
	document.body.replaceChildren();
});

test("the view lives in a shadow root and leaves nothing behind", () => {
	const host = el();
	const close = widget.render({ model: new FakeModel(), el: host });
	expect(host.shadowRoot?.querySelector(".nbxplain")).not.toBeNull();
	expect(host.dataset.lmSuppressShortcuts).toBe("true");
	close();
	expect(host.shadowRoot?.querySelector(".nbxplain")).toBeNull();
});

test("another version of the protocol is said with the way out", () => {
	const host = el();
	widget.render({ model: new FakeModel({ _protocol: 99 }), el: host });
	const text = host.shadowRoot?.textContent;
	expect(text).toContain("pip install -U nbxplain");
	expect(host.shadowRoot?.querySelector(".nbx-stage")).toBeNull();
});

test("a saved page needs no kernel: JSON with base64 is enough", () => {
	const host = el();
	const grid = result("r", spec).map;
	const bytes = new Uint8Array(grid.data as ArrayBuffer);
	const data = btoa(String.fromCharCode(...bytes));
	const saved = traits({
		_result: result("r", spec, { map: { ...grid, data: data as never } }),
	});
	savedView(host, saved as unknown as Record<string, unknown>);
	const root = host.shadowRoot;
	expect(root?.textContent).toContain("Saved view");
	expect(root?.querySelector(".nbx-legend")?.textContent).toMatch(/clipped at/);
	const choice = root?.querySelector<HTMLButtonElement>(
		".nbx-predictions button",
	);
	expect(choice?.disabled).toBe(true);
});

test("a model that could not be opened leaves a page that says so", () => {
	const host = el();
	const failure = {
		title: "No such layer",
		hint: "Choose another.",
		details: "",
	};
	const state = { target: null, _image: null, _catalog: {}, _prediction: null };
	const model = new FakeModel({ ...state, _error: failure } as never);
	widget.render({ model, el: host });
	expect(host.shadowRoot?.textContent).toContain("No such layer");
});
