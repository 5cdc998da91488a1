import { fireEvent, render, screen, waitFor } from "@testing-library/preact";
import { act } from "preact/test-utils";
import { afterEach, expect, it } from "vitest";
import { App } from "../src/components/App";
import { useScene } from "../src/components/stage/scene";
import type { Result } from "../src/model/protocol";
import type { Store } from "../src/model/store";
import { grid, result, spec } from "./fixtures";
import { closeAll, opened } from "./parts";

afterEach(closeAll);

const flat = (id: string, side: number, value: number, method = "gradient") =>
	result(
		id,
		{ ...spec, method },
		{ map: grid(side, side, (x) => (x < 0.5 ? value : 0)), signed: false },
	);
const kept = (each: Result, pinned: boolean) => ({
	id: each.id,
	name: each.id,
	pinned,
	result: each,
});

/** The explorer with a pinned result, and what its stage draws. */
function explained(shown: Result, pinned: Result, alsoPinned = false) {
	const both = opened({
		method: shown.spec.method,
		_result: shown,
		_history: [kept(pinned, true), kept(shown, alsoPinned)],
	});
	let scene = {} as ReturnType<typeof useScene>;
	function Probe({ store }: { store: Store }) {
		scene = useScene(store);
		return null;
	}
	render(<Probe store={both.store} />);
	const { container } = render(<App store={both.store} host={document.body} />);
	const root = container.querySelector(".nbxplain") as HTMLElement;
	const press = (key: string) =>
		act(() => void fireEvent.keyDown(root, { key }));
	const drawn = () => [...(scene.heatmap.value?.values ?? [])];
	return { ...both, press, drawn, limit: () => scene.look.value.limit };
}

it("D shows two results of one method as their difference, in their unit", async () => {
	const { press, drawn } = explained(flat("now", 2, 3), flat("pin", 2, 1));
	await press("d");
	expect(drawn()[0]).toBeCloseTo(2, 3);
	expect(drawn()[1]).toBe(0);
	expect(screen.getByText("less pin")).toBeTruthy();
	expect(screen.getByRole("img", { name: "Gradient less pin" })).toBeTruthy();
	await press("d");
	expect(drawn()[0]).toBeCloseTo(3, 3);
	expect(screen.queryByText("less pin")).toBeNull();
});

it("those of two methods lie each on its own scale", async () => {
	const cam = flat("pin", 2, 1000, "smoothgrad");
	const { press, drawn } = explained(flat("now", 2, 3), cam);
	await press("d");
	expect(screen.getByText("less pin, relative")).toBeTruthy();
	expect(drawn()).toEqual([0, 0, 0, 0].map((zero) => expect.closeTo(zero, 3)));
});

it("a coarse result is made as fine as the other", async () => {
	const { press, drawn } = explained(flat("now", 4, 3), flat("pin", 2, 3));
	await press("d");
	expect(drawn()).toHaveLength(16);
	expect(drawn()[0]).toBeCloseTo(0, 3);
});

it("without another pin it says what is missing", async () => {
	const { press, store } = explained(flat("now", 2, 3), flat("now", 2, 3));
	await press("d");
	expect(store.ui.against.value).toBeNull();
	expect(store.ui.announcement.value).toContain("pin another result first");
});

it("a result that is no longer pinned is no longer taken off", async () => {
	const { model, press, drawn } = explained(
		flat("now", 2, 3),
		flat("pin", 2, 1),
	);
	await press("d");
	await act(() => model.push({ _history: [kept(flat("now", 2, 3), false)] }));
	expect(drawn()[0]).toBeCloseTo(3, 3);
});

it("the padlock puts all pinned results on one scale", async () => {
	const { limit } = explained(flat("now", 2, 3), flat("pin", 2, 12), true);
	const own = limit();
	expect(own).toBeCloseTo(3, 2);
	const lock = screen.getByRole("button", { name: "same scale" });
	fireEvent.click(lock);
	await waitFor(() => expect(limit()).toBeCloseTo(12, 2));
	expect(lock.getAttribute("aria-pressed")).toBe("true");
	fireEvent.click(lock);
	await waitFor(() => expect(limit()).toBe(own));
});
