import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { connect } from "../src/model/bridge";
import { savedModel } from "../src/model/offline";
import { FakeModel, fakeKernel } from "./fake";
import { result, spec, traits } from "./fixtures";

beforeEach(() => {
	vi.useFakeTimers();
});
afterEach(() => {
	vi.useRealTimers();
});

function setUp(state = {}) {
	const model = new FakeModel(state);
	return { model, ...connect(model) };
}

const answer = (model: FakeModel, id: string | undefined, more = {}) =>
	model.message({ id, kind: "answer", ok: true, error: null, ...more });

const frame = (model: FakeModel, seq: number, more = {}) => {
	const drawn = result(`f${seq}`, spec, { phase: "draft", ...more });
	const data = drawn.map.data as ArrayBuffer;
	const map = { ...drawn.map, data: new ArrayBuffer(0) };
	model.message({ kind: "frame", seq, result: { ...drawn, map } }, [data]);
};

test("a changed trait is read from the model, whatever the callback brings", () => {
	const { model, store } = setUp();
	model.state.opacity = 0.25;
	model.emit("change:opacity", 0.9);
	expect(store.traits.opacity.value).toBe(0.25);
});

test("one draft is in flight and of 200 the latest wins", async () => {
	const { model, store } = setUp();
	for (let steps = 1; steps <= 200; steps++)
		store.draft({ params: { n_steps: steps } });
	expect(model.requests("draft")).toHaveLength(1);
	answer(model, model.requests("draft")[0]?.id);
	await vi.advanceTimersByTimeAsync(0);
	const sent = model.requests("draft");
	expect(sent).toHaveLength(2);
	expect(sent[1]?.spec.params).toEqual({ n_steps: 200, rule: "gauss" });
	answer(model, sent[1]?.id);
	await vi.advanceTimersByTimeAsync(0);
	expect(model.requests("draft")).toHaveLength(2);
});

test("a draft that failed does not block the next", async () => {
	const { model, store } = setUp();
	store.draft({ target: 1 });
	store.draft({ target: 2 });
	const error = { title: "no", hint: "", details: "" };
	answer(model, model.requests("draft")[0]?.id, { ok: false, error });
	await vi.advanceTimersByTimeAsync(0);
	expect(model.requests("draft").map((r) => r.spec.target)).toEqual([1, 2]);
});

test("the final value is saved at once and supersedes the draft in waiting", async () => {
	const { model, store } = setUp();
	store.draft({ target: 1 });
	store.draft({ target: 2 });
	store.set({ target: 3 });
	expect(model.saved).toEqual([{ target: 3 }]);
	answer(model, model.requests("draft")[0]?.id);
	await vi.advanceTimersByTimeAsync(0);
	expect(model.requests("draft")).toHaveLength(1);
});

test("200 changes of the look are seen at once and saved once", () => {
	const { model, store } = setUp();
	for (let i = 1; i <= 200; i++) store.set({ opacity: i / 200 });
	expect(store.traits.opacity.value).toBe(1);
	expect(model.saved).toEqual([]);
	vi.advanceTimersByTime(300);
	expect(model.saved).toEqual([{ opacity: 1 }]);
	expect(model.sent.map(({ content }) => content.kind)).toEqual(["hello"]);
});

test("closing the view saves the look that was still waiting", () => {
	const { model, store, close } = setUp();
	store.set({ clip: 90 });
	close();
	expect(model.saved).toEqual([{ clip: 90 }]);
});

test("a frame is shown with its buffer and acknowledged after it was drawn", () => {
	const { model, store } = setUp();
	frame(model, 7);
	expect(store.shown.value?.id).toBe("f7");
	expect(store.shown.value?.map.data.byteLength).toBe(64 * 64 * 2);
	expect(model.requests("ack")).toEqual([]);
	vi.advanceTimersByTime(1000);
	expect(model.requests("ack")).toEqual([{ kind: "ack", seq: 7 }]);
});

test("the label map of a frame's players is its second buffer", () => {
	const { model, store } = setUp();
	const empty = new ArrayBuffer(0);
	const players = {
		names: ["left", "right"],
		values: [2, -1],
		errors: null,
		shown: [],
		labels: { shape: [1, 3], data: empty },
		base: 0,
		score: 1,
		unit: "score",
		evaluations: 4,
	};
	const drawn = result("f1", spec, { phase: "draft", players });
	const runs = Uint8Array.of(0, 0, 1, 0, 1, 0, 2, 0);
	model.message(
		{
			kind: "frame",
			seq: 1,
			result: { ...drawn, map: { ...drawn.map, data: empty } },
		},
		[drawn.map.data as ArrayBuffer, runs.buffer],
	);
	expect(store.shown.value?.players).toEqual({
		...players,
		labels: { shape: [1, 3], data: runs },
	});
});

test("the final result takes the place of the frames", () => {
	const { model, store } = setUp();
	frame(model, 1);
	model.push({ _result: result("final", spec) });
	expect(store.shown.value?.id).toBe("final");
});

test("a handle let go where it was taken brings the old result back", () => {
	const { model, store } = setUp({ _result: result("old", spec) });
	store.draft({ params: { n_steps: 99 } });
	frame(model, 1);
	expect(store.shown.value?.id).toBe("f1");
	store.set({ params: spec.params });
	expect(store.shown.value?.id).toBe("old");
});

test("a failed run shows the result of before", () => {
	const { model, store } = setUp({ _result: result("old", spec) });
	frame(model, 1);
	model.push({ _job: { ...model.state._job, state: "error" } });
	expect(store.shown.value?.id).toBe("old");
});

test("a result is outdated when a control that it uses has changed", () => {
	const { store } = setUp({ _result: result("r", spec) });
	expect(store.outdated.value).toBe(false);
	store.set({ layer: "blocks.4" });
	expect(store.outdated.value).toBe(false);
	store.set({ params: { n_steps: 64, rule: "gauss" } });
	expect(store.outdated.value).toBe(true);
	store.set({ params: {} });
	expect(store.outdated.value).toBe(false);
	store.set({ target: "tabby cat" });
	expect(store.outdated.value).toBe(true);
	store.set({ target: "Egyptian Mau" });
	expect(store.outdated.value).toBe(false);
});

test("an unanswered request means waiting after a second, not offline", () => {
	const { model, store } = setUp();
	answer(model, model.requests("hello")[0]?.id);
	store.ask({ kind: "run" });
	vi.advanceTimersByTime(999);
	expect(store.waiting.value).toBe(false);
	vi.advanceTimersByTime(1);
	expect(store.waiting.value).toBe(true);
	vi.advanceTimersByTime(60_000);
	expect(store.online.value).toBe(true);
	answer(model, model.requests("run")[0]?.id);
	expect(store.waiting.value).toBe(false);
});

test("a long draft is not a silent kernel: any sign of life counts", () => {
	const { model, store } = setUp();
	answer(model, model.requests("hello")[0]?.id);
	store.draft({ target: 1 });
	model.push({ _job: { ...model.state._job, state: "running" } });
	vi.advanceTimersByTime(5000);
	expect(store.waiting.value).toBe(false);
});

test("a host without a kernel is offline after 3 s, until something is heard", () => {
	const { model, store } = setUp();
	vi.advanceTimersByTime(3000);
	expect(store.online.value).toBe(false);
	expect(store.waiting.value).toBe(false);
	expect(store.offlineReason.value).toContain("kernel");
	model.push({ _stale: false });
	expect(store.online.value).toBe(true);
});

test("a kernel that exists and does not answer is busy, not gone", () => {
	const model = new FakeModel();
	model.widget_manager = { kernel: {} };
	const { store } = connect(model);
	vi.advanceTimersByTime(3000);
	expect(store.online.value).toBe(true);
	expect(store.waiting.value).toBe(true);
});

test("a closed comm is offline at once, and whoever asked is told", async () => {
	const { model, store } = setUp();
	model.closed = true;
	const failure = await store.ask({ kind: "run" }).catch((error) => error);
	expect(failure.title).toContain("kernel");
	expect(store.online.value).toBe(false);
	store.set({ target: 5 });
	expect(store.traits.target.value).toBe(285);
	store.set({ opacity: 0.1 });
	expect(store.traits.opacity.value).toBe(0.1);
});

test("the maps of a path are fetched once", async () => {
	const model = new FakeModel();
	fakeKernel(model);
	const { store } = connect(model);
	const path = await store.path("r1");
	expect(await store.path("r1")).toBe(path);
	expect(model.requests("path")).toHaveLength(1);
	expect(path.maps).toHaveLength(path.alpha.length);
});

test("a scripted run ends in a final result and can be stopped half way", async () => {
	const model = new FakeModel();
	const kernel = fakeKernel(model, { tick: 10, steps: 10 });
	const { store } = connect(model);
	store.ask({ kind: "run" });
	await vi.advanceTimersByTimeAsync(45);
	expect(store.traits._job.value.state).toBe("running");
	expect(store.shown.value?.complete).toBe(false);
	store.ask({ kind: "stop" });
	expect(store.traits._job.value.state).toBe("cancelled");
	store.ask({ kind: "resume" });
	await vi.advanceTimersByTimeAsync(1000);
	expect(store.shown.value).toMatchObject({ phase: "final", complete: true });
	kernel.stop();
});

test("a view that was closed hears nothing more", () => {
	const { model, store, close } = setUp();
	close();
	model.push({ opacity: 0.9 });
	expect(store.traits.opacity.value).toBe(0.55);
});

test("a saved page can be looked at and its history too", () => {
	const item = { id: "h", name: "old", pinned: false };
	const saved = traits({ _history: [{ ...item, result: result("h", spec) }] });
	const image = { ...saved._image, data: "AAEC" };
	const { store } = connect(savedModel({ ...saved, _image: image }));
	expect(store.online.value).toBe(false);
	expect(store.offlineReason.value).toContain("Saved view");
	expect(store.traits._image.value.data).toEqual(Uint8Array.of(0, 1, 2));
	store.ui.looking.value = "h";
	expect(store.shown.value?.id).toBe("h");
	store.set({ sign: "absolute" });
	expect(store.traits.sign.value).toBe("absolute");
});

test("what Python left empty is still something to draw", () => {
	const { store } = setUp({
		target: null,
		_image: null,
		_catalog: {},
	} as never);
	expect(store.traits._image.value.width).toBe(0);
	expect(store.traits._catalog.value.methods).toEqual([]);
});

test("a draft names only what its method uses", () => {
	const { model, store } = setUp({ method: "grad_cam" });
	store.draft({ layer: "blocks.6" });
	const [draft] = model.requests("draft");
	expect(draft?.spec).toMatchObject({ baseline: {}, layer: "blocks.6" });
});
