import type { WidgetModel } from "../src/model/anywidget";
import type { Division } from "../src/model/painted";
import type {
	Answer,
	AttentionRequest,
	CompareRequest,
	HeadsRequest,
	HistoryItem,
	HistoryRequest,
	PathRequest,
	Request,
	Result,
	Spec,
	Traits,
} from "../src/model/protocol";
import { encodeRuns } from "../src/model/runs";
import { painted } from "./edited";
import { result, traits } from "./fixtures";
import {
	attentionMaps,
	comparedMethods,
	comparedTargets,
	headMaps,
	pathMaps,
} from "./multiples";
import { ablation, early } from "./players";
import { edited } from "./table";

type Listener = (...values: unknown[]) => void;
type Sent = { content: Request; buffers: ArrayBuffer[] };

/** An anywidget model as the browser sees it, with a record of all that was sent. */
export class FakeModel implements WidgetModel {
	state: Traits;
	sent: Sent[] = [];
	saved: Partial<Traits>[] = [];
	widget_manager: unknown;
	/** What a kernel would do with a message or a saved trait; nothing by default. */
	receive: (request: Request, buffers: ArrayBuffer[]) => void = () => {};
	observe: (changes: Partial<Traits>) => void = () => {};
	/** True once the comm is closed: sending throws, as in Jupyter. */
	closed = false;
	private dirty: Partial<Traits> = {};
	private listeners = new Map<string, Set<Listener>>();

	constructor(state: Partial<Traits> = {}) {
		this.state = traits(state);
	}

	get(key: string): unknown {
		return this.state[key as keyof Traits];
	}

	set(key: string, value: unknown): void {
		this.state = { ...this.state, [key]: value };
		this.dirty = { ...this.dirty, [key]: value };
		this.emit(`change:${key}`);
	}

	save_changes(): void {
		this.refuseWhenClosed();
		const changes = this.dirty;
		this.dirty = {};
		this.saved.push(changes);
		this.observe(changes);
	}

	send(
		content: unknown,
		_callbacks?: unknown,
		buffers: ArrayBuffer[] = [],
	): void {
		this.refuseWhenClosed();
		const request = content as Request;
		this.sent.push({ content: request, buffers });
		this.receive(request, buffers);
	}

	on(event: string, callback: (...values: never[]) => void): void {
		const known = this.listeners.get(event) ?? new Set();
		this.listeners.set(event, known.add(callback as Listener));
	}

	off(event: string, callback: (...values: never[]) => void): void {
		this.listeners.get(event)?.delete(callback as Listener);
	}

	emit(event: string, ...values: unknown[]): void {
		for (const listener of [...(this.listeners.get(event) ?? [])])
			listener(...values);
	}

	/** Traits set by Python. */
	push(changes: Partial<Traits>): void {
		this.state = { ...this.state, ...changes };
		for (const key of Object.keys(changes)) this.emit(`change:${key}`);
	}

	/** A custom message from Python. */
	message(content: unknown, buffers: ArrayBuffer[] = []): void {
		this.emit(
			"msg:custom",
			content,
			buffers.map((buffer) => new DataView(buffer)),
		);
	}

	/** The requests of one kind, oldest first. */
	requests<K extends Request["kind"]>(
		kind: K,
	): Extract<Request, { kind: K }>[] {
		return this.sent
			.map((sent) => sent.content)
			.filter((r): r is Extract<Request, { kind: K }> => r.kind === kind);
	}

	private refuseWhenClosed() {
		if (this.closed) throw new Error("Comm is closed");
	}
}

const COMPUTE: (keyof Traits)[] = [
	"method",
	"target",
	"layer",
	"params",
	"baseline",
	"regions",
];

/**
 * A scripted kernel: answers every request, computes in `steps` ticks of `tick` milliseconds.
 * A `params.fail` makes the run end in an error.
 */
export function fakeKernel(model: FakeModel, { tick = 20, steps = 10 } = {}) {
	let timer: ReturnType<typeof setTimeout> | undefined;
	let count = 0;
	let seq = 0;
	let partial: Result | null = null;

	const spec = (): Spec => {
		const { method, params, baseline, regions, target, layer } = model.state;
		return { method, params, baseline, regions, target, layer };
	};
	const answer = (
		id: string,
		more: Partial<Answer> = {},
		buffers?: ArrayBuffer[],
	) =>
		model.message(
			{ id, kind: "answer", ok: true, error: null, ...more },
			buffers,
		);
	const job = (more: Partial<Traits["_job"]>) =>
		model.push({ _job: { ...model.state._job, ...more } });

	function compute(
		what: Spec,
		phase: "draft" | "final",
		from = 0,
		ended?: () => void,
	) {
		clearTimeout(timer);
		const total = phase === "draft" ? Math.ceil(steps / 4) : steps;
		const resumable = what.method === "integrated_gradients";
		count += 1;
		model.push({ _error: null });
		job({ id: count, state: "running", phase, done: from, total, resumable });
		const advance = (done: number) => {
			const whole = done >= total;
			const now = result(`run${count}`, what, {
				phase,
				done,
				total,
				complete: whole,
				seconds: (done * tick) / 1000,
			});
			if (what.params.fail) return fail();
			if (whole) return finish(now);
			partial = now;
			frame(now);
			job({ done, seconds: now.seconds, eta: ((total - done) * tick) / 1000 });
			timer = setTimeout(advance, tick, done + 1);
		};
		const finish = (now: Result) => {
			if (phase === "draft") frame(now);
			else model.push({ _result: now, _history: remember(now) });
			job({ state: "done", done: total, seconds: now.seconds, eta: null });
			ended?.();
		};
		timer = setTimeout(advance, tick, from + 1);
	}

	function fail() {
		job({ state: "error" });
		model.push({
			_error: {
				title: "The model ran out of memory",
				hint: "Halve the batch: Explorer(..., batch=8).",
				details: "Traceback (most recent call last):\n  torch.OutOfMemoryError",
			},
		});
	}

	function frame(now: Result) {
		seq += 1;
		const data = now.map.data as ArrayBuffer;
		const map = { ...now.map, data: new ArrayBuffer(0) };
		const players = now.players && early(now.players, now.done / now.total);
		model.message({ kind: "frame", seq, result: { ...now, map, players } }, [
			data,
		]);
	}

	function remember(now: Result): HistoryItem[] {
		const item = {
			id: now.id,
			name: `${now.title} ${now.subtitle}`,
			pinned: false,
		};
		return [...model.state._history, { ...item, result: now }].slice(-12);
	}

	function stop() {
		clearTimeout(timer);
		if (partial)
			model.push({ _result: { ...partial, id: `run${count}-partial` } });
		job({ state: "cancelled" });
	}

	function history({ action, item, name }: HistoryRequest) {
		const all = model.state._history;
		const chosen = all.find((entry) => entry.id === item);
		if (action === "restore" && chosen?.result) {
			model.push({ ...chosen.result.spec, _result: chosen.result });
		} else if (action === "forget") {
			model.push({ _history: all.filter((entry) => entry !== chosen) });
		} else if (chosen) {
			const pinned = action === "pin" || (chosen.pinned && action !== "unpin");
			const changed = { ...chosen, pinned, name: name ?? chosen.name };
			model.push({ _history: all.map((e) => (e === chosen ? changed : e)) });
		}
	}

	/** Cells that lean, for superpixels; straight ones for a grid. */
	function divided({ kind, rows = 5, columns = 5 }: Spec["regions"]): Division {
		const { width, height } = model.state._image;
		const [down, across] = [Number(rows), Number(columns)];
		const lean = (at: number) =>
			kind === "grid" ? 0 : 0.3 * Math.sin((9 * at) / height);
		const labels = Uint16Array.from({ length: width * height }, (_, i) => {
			const [x, y] = [i % width, Math.floor(i / width)];
			const row = Math.floor((y / height) * down);
			const column = Math.floor((x / width) * across + lean(y));
			return row * across + Math.min(across - 1, Math.max(0, column));
		});
		return { map: { width, height, labels }, names: [] };
	}

	/** Each of the compared explanations takes one tick. */
	function compare({ methods, targets }: CompareRequest) {
		clearTimeout(timer);
		const total = methods.length + targets.length;
		const advance = (done: number) => {
			job({ state: done < total ? "running" : "done", done, total });
			if (done < total) timer = setTimeout(advance, tick, done + 1);
			else
				model.push({
					_comparison: methods.length
						? comparedMethods(methods)
						: comparedTargets(targets),
				});
		};
		advance(0);
	}

	function maps(request: PathRequest | HeadsRequest | AttentionRequest) {
		const { buffer, ...more } =
			request.kind === "path"
				? pathMaps()
				: request.kind === "heads"
					? headMaps()
					: attentionMaps(request.layer, request.head);
		answer(request.id, more, [buffer]);
	}

	model.receive = (request, buffers) => {
		if (request.kind === "ack") return;
		const { id } = request;
		if (request.kind === "draft") {
			compute(request.spec, "draft", 0, () => answer(id));
			return;
		}
		if (request.kind === "run") compute(spec(), "final");
		if (request.kind === "stop") stop();
		if (request.kind === "resume") compute(spec(), "final", partial?.done ?? 0);
		if (request.kind === "history") history(request);
		if (request.kind === "compare") compare(request);
		if (
			request.kind === "path" ||
			request.kind === "heads" ||
			request.kind === "attention"
		)
			return maps(request);
		if (request.kind === "regions") {
			const { map, names } = divided(request.regions);
			const { width, height } = map;
			const labels = { shape: [height, width], data: new ArrayBuffer(0) };
			return answer(id, { labels, names }, [encodeRuns(map)]);
		}
		if (request.kind === "painted_regions") {
			const regions = { kind: "map", names: ["rest", ...request.names] };
			model.push({ regions: { ...regions, digest: "painted" } });
			compute(spec(), "final");
		}
		if (request.kind === "ablate") {
			const { picture, ...rest } = ablation(request);
			const data = picture?.data as DataView<ArrayBuffer>;
			const bare = picture && { ...picture, data: new ArrayBuffer(0) };
			const told = { ...rest, picture: bare };
			setTimeout(() => answer(id, { ablation: told }, [data.buffer]), 4 * tick);
			return;
		}
		if (request.kind === "edit" && !request.apply) {
			setTimeout(() => answer(id, { ablation: edited(request) }), tick);
			return;
		}
		if (request.kind === "paint") {
			const { picture, ...rest } = painted(request, buffers[0] as ArrayBuffer);
			const { buffer } = picture.data as DataView<ArrayBuffer>;
			const told = {
				...rest,
				picture: { ...picture, data: new ArrayBuffer(0) },
			};
			setTimeout(() => answer(id, { painted: told }, [buffer]), tick);
			return;
		}
		if (request.kind === "hello") return answer(id, { protocol: 1 });
		if (request.kind === "code")
			return answer(id, { code: 'nbxplain.explain(model, image, "gradient")' });
		if (request.kind === "export") {
			const more = { filename: `map.${request.format}`, mime: "image/png" };
			return answer(id, more, [new ArrayBuffer(8)]);
		}
		answer(id);
	};
	model.observe = (changes) => {
		if (COMPUTE.some((key) => key in changes)) compute(spec(), "final");
	};
	return { stop: () => clearTimeout(timer) };
}
