import { cleanup } from "@testing-library/preact";
import { connect } from "../src/model/bridge";
import type { Answer, Traits } from "../src/model/protocol";
import { FakeModel } from "./fake";
import { result, spec } from "./fixtures";

const open: (() => void)[] = [];

/** A store over a fake model with one result, whose kernel answers only when told to. */
export function opened(state: Partial<Traits> = {}) {
	const model = new FakeModel({ _result: result("r1", spec), ...state });
	const { store, close } = connect(model);
	open.push(close);
	return { model, store };
}

/** Answers the newest request of one kind. */
export function answer(
	model: FakeModel,
	kind: Parameters<FakeModel["requests"]>[0],
	more: Partial<Answer> = {},
	buffers: ArrayBuffer[] = [],
) {
	const request = model.requests(kind).at(-1);
	if (!request || !("id" in request)) throw new Error(`no ${kind} was asked`);
	const { id } = request;
	model.message(
		{ id, kind: "answer", ok: true, error: null, ...more },
		buffers,
	);
}

/** For afterEach: the document is empty and no timer runs on. */
export function closeAll() {
	cleanup();
	for (const close of open.splice(0)) close();
}
