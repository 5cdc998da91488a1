import { DIVERGING, SEQUENTIAL } from "../color/tables";
import { checking } from "../model/checking";
import type { Store } from "../model/store";
import { stopChecking } from "./check/asking";
import { stopTesting, testing } from "./concepts/sending";
import { stopSearch } from "./counterfactual/asking";
import { escapeEdit, onEditKey } from "./edit/keys";
import { selectedIn } from "./history/selected";
import { toggleDifference } from "./stage/pinned";
import { zoomTo } from "./stage/zoom";

const BUSY = new Set(["queued", "running", "cancelling"]);
const OPACITY_STEP = 0.05;
const TABS = ["explain", "compare", "waterfall", "edit", "concepts", "check"];
const VIEWS = ["overlay", "side", "swipe", "map"] as const;
const SIGNS = ["both", "positive", "negative", "absolute"] as const;
const COLORMAPS = ["auto", ...DIVERGING, ...SEQUENTIAL];

type Act = (store: Store) => void;

/** One letter, one act; dialogs and pickers open through `ui.open`. */
const ACTS: Record<string, Act> = {
	m: open("method"),
	t: open("target"),
	l: open("layer"),
	x: open("export"),
	"?": open("help"),
	r: ask("run"),
	"[": opacity(-OPACITY_STEP),
	"]": opacity(OPACITY_STEP),
	c: (store) => {
		store.set({ colormap: after(COLORMAPS, store.traits.colormap.value) });
	},
	v: (store) => store.set({ view: after(VIEWS, store.traits.view.value) }),
	s: (store) => store.set({ sign: after(SIGNS, store.traits.sign.value) }),
	p: pin,
	d: toggleDifference,
	"+": (store) => zoomTo(store, store.ui.zoom.value * 2),
	"=": (store) => zoomTo(store, store.ui.zoom.value * 2),
	"-": (store) => zoomTo(store, store.ui.zoom.value / 2),
	"0": (store) => zoomTo(store, 1),
	...Object.fromEntries(
		TABS.map((name, i): [string, Act] => [
			String(i + 1),
			(store) => {
				store.ui.tab.value = name;
			},
		]),
	),
};

export function onKey(store: Store, event: KeyboardEvent) {
	if (event.defaultPrevented) return;
	if (event.key === "Escape") return leave(store, event);
	if (onEditKey(store, event, typing(event))) return event.preventDefault();
	const chord = event.ctrlKey || event.metaKey || event.altKey;
	if (chord || !store.traits.shortcuts.value || typing(event)) return;
	const act = ACTS[event.key.toLowerCase()];
	if (!act) return;
	event.preventDefault();
	act(store);
}

/** Stops what is running; with nothing to stop or to put away, leaves the widget to the notebook. */
function leave(store: Store, event: KeyboardEvent) {
	event.preventDefault();
	if (store.ui.open.value) store.ui.open.value = null;
	else if (BUSY.has(store.traits._job.value.state)) ask("stop")(store);
	else if (checking(store)) stopChecking(store);
	else if (testing(store)) stopTesting(store);
	else if (stopSearch(store) || escapeEdit(store)) return;
	else if (store.ui.tool.value) store.ui.tool.value = null;
	else if (store.ui.concepts.tool.value) store.ui.concepts.tool.value = null;
	else if (store.ui.head.value) store.ui.head.value = null;
	else if (store.ui.removed.value.length > 0) store.ui.removed.value = [];
	else (event.target as HTMLElement).blur();
}

/** Letters belong to a field that takes text; a radio or a slider takes none. */
function typing(event: KeyboardEvent): boolean {
	const target = event.target as HTMLElement;
	if (target.isContentEditable) return true;
	if (target instanceof HTMLInputElement)
		return !["radio", "checkbox", "range", "button"].includes(target.type);
	return /^(select|textarea)$/i.test(target.tagName);
}

function open(name: string): Act {
	return (store) => {
		store.ui.open.value = name;
	};
}

function ask(kind: "run" | "stop"): Act {
	return (store) => {
		if (store.online.value) store.ask({ kind }).catch(() => undefined);
	};
}

function opacity(step: number): Act {
	return (store) => {
		const to = store.traits.opacity.value + step;
		store.set({ opacity: Math.min(1, Math.max(0, Number(to.toFixed(2)))) });
	};
}

/** Pins what is looked at in the history, or lets it go. */
function pin(store: Store) {
	const item = selectedIn(store);
	if (!item || !store.online.value) return;
	const action = item.pinned ? "unpin" : "pin";
	store.ask({ kind: "history", action, item: item.id }).catch(() => undefined);
}

function after<T>(all: readonly T[], current: T): T {
	return all[(all.indexOf(current) + 1) % all.length] ?? current;
}
