import { batch, computed, type Signal, signal } from "@preact/signals";
import type { WidgetModel } from "./anywidget";
import { toBytes } from "./decode";
import { drafts } from "./drafts";
import { hostOf } from "./host";
import { keeper } from "./keeper";
import { SavedView } from "./offline";
import { patience } from "./patience";
import type { Bytes, Message, Players, Result, Spec, Traits } from "./protocol";
import { requests, unreachable } from "./requests";
import { answers, needed, specOf } from "./spec";
import type { Ask, PublicTraits, Store } from "./store";
import { COMPUTE_TRAITS, read, TRAITS } from "./traits";
import { createUi } from "./ui";

const SAVED = "Saved view: looking works, computing needs a kernel.";
const LOST =
	"The kernel was restarted or the widget closed. Run the cell again.";
const LOOK_DELAY = 300;
const HELLO_DELAY = 3000;
/** Frames are acknowledged even where the page is hidden and nothing is painted. */
const UNPAINTED_DELAY = 200;

/** These take as long as they take: their silence says nothing about the kernel. */
const SLOW = new Set<Ask["kind"]>([
	"path",
	"heads",
	"attention",
	"ablate",
	"edit",
	"paint",
	"clone_picture",
	"export",
	"concept_pictures",
	"concept_crop",
	"concept_controls",
	"concept_test",
]);

type Signals = { [K in keyof Traits]: Signal<Traits[K]> };

export interface Connection {
	store: Store;
	close(): void;
}

/** The Store of a live widget: traits become signals, verbs become messages. */
export function connect(model: WidgetModel): Connection {
	const traits = Object.fromEntries(
		TRAITS.map((key) => [key, signal(read(model, key))]),
	) as unknown as Signals;
	const ui = createUi();
	const frame = signal<Result | null>(null);
	const trouble = signal("");
	const clock = patience();
	const asking = requests((content, buffers) =>
		reach(() => model.send(content, undefined, buffers)),
	);
	const drafting = drafts((spec: Spec) =>
		ask({ kind: "draft", spec }).finally(discardNeedlessDraft),
	);
	const maps = keeper(ask);
	let saving: ReturnType<typeof setTimeout> | undefined;
	let heard = false;
	let dragging = false;

	/** Runs what needs the kernel: a closed comm throws. */
	function reach(action: () => void) {
		try {
			action();
		} catch (error) {
			lose(error instanceof SavedView ? SAVED : LOST);
		}
	}

	function lose(reason: string) {
		trouble.value = reason;
		clock.forget();
		asking.rejectAll(unreachable(reason));
	}

	function signOfLife() {
		heard = true;
		trouble.value = "";
		clock.signOfLife();
	}

	function ask(request: Ask, buffers?: ArrayBuffer[]) {
		const { kind } = request;
		return asking.ask(request, buffers, (id) => {
			if (!SLOW.has(kind)) clock.expect(id, kind === "draft");
		});
	}

	function save() {
		clearTimeout(saving);
		saving = undefined;
		reach(() => model.save_changes());
	}

	function set(changes: Partial<PublicTraits>) {
		const keys = Object.keys(changes) as (keyof PublicTraits)[];
		const compute = keys.some((key) => COMPUTE_TRAITS.has(key));
		if (compute && trouble.peek()) return;
		batch(() => {
			for (const key of keys) {
				(traits[key] as Signal<unknown>).value = changes[key];
				model.set(key, changes[key]);
			}
			if (compute) ui.looking.value = null;
		});
		clearTimeout(saving);
		if (!compute) {
			saving = setTimeout(save, LOOK_DELAY);
			return;
		}
		drafting.drop();
		dragging = false;
		discardNeedlessDraft();
		save();
		// A saved trait is not answered; a greeting behind it tells whether the kernel listens.
		greet();
	}

	function greet() {
		ask({ kind: "hello" }).catch(() => {});
	}

	function draft(changes: Partial<Spec>) {
		if (trouble.peek()) return;
		const now = specOf((key) => traits[key].peek());
		const params = { ...now.params, ...changes.params };
		const catalog = traits._catalog.peek();
		dragging = true;
		ui.looking.value = null;
		drafting.push(needed({ ...now, ...changes, params }, catalog));
	}

	/** A handle let go where it was taken: the result of before is still right. */
	function discardNeedlessDraft() {
		const result = traits._result.peek();
		const asked = specOf((key) => traits[key].peek());
		if (!dragging && result && answers(result, asked, traits._catalog.peek()))
			frame.value = null;
	}

	function receive(message: Message, buffers: Bytes[] = []) {
		signOfLife();
		if (message.kind === "answer") {
			clock.answered(message.id);
			asking.settle(message, buffers);
			return;
		}
		if (message.kind !== "frame") return;
		const { result, seq } = message;
		const map = { ...result.map, data: toBytes(buffers[0] ?? result.map.data) };
		const players = withLabels(result.players, buffers[1]);
		batch(() => {
			ui.looking.value = null;
			// Python keeps no frame: nothing more can be asked of its attention.
			frame.value = { ...result, map, players, heads: null };
		});
		afterPaint(() => reach(() => model.send({ kind: "ack", seq })));
	}

	/**
	 * A result or the end of a final run takes the place of the frames before it. What was found
	 * out about the `last` result does not make it another one.
	 */
	function settleFrame(key: keyof Traits, last?: string) {
		const other = key === "_result" && traits._result.peek()?.id !== last;
		if (other) frame.value = null;
		if (other || key === "_comparison") ui.looking.value = null;
		const { state, phase } = traits._job.peek();
		const over = state === "error" || (state === "done" && phase === "final");
		if (key === "_job" && over) frame.value = null;
	}

	const listeners = TRAITS.map((key) => {
		// marimo calls back with the value alone, Jupyter with the model first: ask the model.
		const listener = () => {
			const last = traits._result.peek()?.id;
			batch(() => {
				(traits[key] as Signal<unknown>).value = read(model, key);
				settleFrame(key, last);
			});
			if (key.startsWith("_")) signOfLife();
		};
		return [`change:${key}`, listener] as const;
	});
	const lost = () => {
		lose(LOST);
		// The comm may be back already: then the answer to this brings the view back to life.
		greet();
	};
	const events = [
		...listeners,
		["msg:custom", receive] as const,
		["comm:close", lost] as const,
		["comm_live_update", lost] as const,
	];
	for (const [event, listener] of events)
		model.on(event, listener as () => void);

	greet();
	const greeting = setTimeout(() => {
		// A kernel that is known to exist and says nothing is merely busy.
		if (!heard && hostOf(model) !== "kernel") lose(SAVED);
	}, HELLO_DELAY);

	const shown = computed(() => {
		const item = traits._history.value.find(
			({ id }) => id === ui.looking.value,
		);
		return item?.result ?? frame.value ?? traits._result.value;
	});
	const outdated = computed(() => {
		const result = shown.value;
		if (!result || ui.looking.value || result.phase === "draft") return false;
		const asked = specOf((key) => traits[key].value);
		return !answers(result, asked, traits._catalog.value);
	});

	return {
		store: {
			traits,
			shown,
			outdated,
			online: computed(() => trouble.value === ""),
			offlineReason: trouble,
			waiting: computed(() => clock.waiting.value && trouble.value === ""),
			set,
			draft,
			ask,
			...maps,
			ui,
		},
		close() {
			clearTimeout(greeting);
			if (saving) save();
			clock.forget();
			for (const [event, listener] of events)
				model.off(event, listener as () => void);
		},
	};
}

/** The players of a frame, whose label map came as a buffer of its own. */
function withLabels(players: Players | null, data: Bytes | undefined) {
	if (!players?.labels || !data) return players;
	return { ...players, labels: { ...players.labels, data: toBytes(data) } };
}

/** Once, after the next paint; in a hidden page, where nothing is painted, a little later. */
function afterPaint(action: () => void) {
	let done = false;
	const once = () => {
		if (!done) action();
		done = true;
	};
	requestAnimationFrame(() => setTimeout(once));
	setTimeout(once, UNPAINTED_DELAY);
}
