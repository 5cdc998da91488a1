import type { ReadonlySignal, Signal } from "@preact/signals";
import type { AlternativesUi } from "./alternatives";
import type { CheckingUi } from "./checking";
import type { ConceptsUi } from "./concepts";
import type { Altered, Editor } from "./editor";
import type { Division } from "./painted";
import type {
	Ablation,
	Answer,
	Comparison,
	EditRequest,
	Fill,
	Request,
	Result,
	Spec,
	Traits,
} from "./protocol";
import type { LabelMap } from "./runs";
import type { Steps } from "./undo";

/** The traits a user may set; the others flow from Python to the page. */
export type PublicTraits = Omit<Traits, `_${string}`>;

/** A request without its id: the bridge numbers it. */
export type Ask = Request extends infer R
	? R extends { id: string }
		? Omit<R, "id">
		: never
	: never;

/** A decoded map: values in the score's unit, row by row. */
export interface Heatmap {
	rows: number;
	columns: number;
	values: Float32Array;
}

/** Several maps of one result; `alpha` only where they lie along a path. */
export interface Maps {
	alpha: number[];
	maps: Heatmap[];
}

/** An attention head; `head` -1 is the mean of the heads of its layer. */
export interface Head {
	layer: number;
	head: number;
}

/** What is ticked in the Compare tab; null where nobody has chosen yet. */
export interface Selection {
	kind: Comparison["kind"] | null;
	methods: string[] | null;
	targets: number[] | null;
}

export type Tool = "lasso" | "rectangle" | "superpixel";

export type Sorted = "size" | "sign" | "position";

export type DrawnAs = "waterfall" | "bars" | "force";

/**
 * All that components see of the world: signals in, a few verbs out.
 * Components know nothing of Jupyter; tests and the saved page give them another Store.
 */
export interface Store {
	/** One signal per synced trait. */
	traits: { [K in keyof Traits]: ReadonlySignal<Traits[K]> };
	/** What is drawn: the newest frame while a job runs, else the result; null before the first. */
	shown: ReadonlySignal<Result | null>;
	/** False while the kernel does not answer (saved view, restarted kernel): compute is disabled. */
	online: ReadonlySignal<boolean>;
	/** Why compute is disabled, in words; empty while online. */
	offlineReason: ReadonlySignal<string>;
	/** True once a request has waited a second for its answer: a cell is keeping the kernel busy. */
	waiting: ReadonlySignal<boolean>;
	/** True when what is shown does not belong to the current controls (drawn dimmed, badge "stale"). */
	outdated: ReadonlySignal<boolean>;
	/** Sets public traits and saves them. Look traits are saved 300 ms after the last change. */
	set(changes: Partial<PublicTraits>): void;
	/** A control is being dragged: at most one draft in flight, the latest spec wins. */
	draft(changes: Partial<Spec>): void;
	/** Sends a request and resolves with its answer and buffers; rejects with a Failure-like error. */
	ask(
		request: Ask,
		buffers?: ArrayBuffer[],
	): Promise<{ answer: Answer; buffers: DataView[] }>;
	/** Cumulative path maps of a result, fetched once and kept. */
	path(result: string): Promise<Maps>;
	/** The attention of every head of a result, layer by layer, fetched once and kept. */
	heads(result: string): Promise<Maps>;
	/** Where each patch attends in one head, patch by patch, fetched once and kept. */
	attention(result: string, layer: number, head: number): Promise<Maps>;
	/** What only this view knows and no one saves. */
	ui: Ui;
}

/** Ephemeral state of one view: never synced with Python. */
export interface Ui {
	tab: Signal<string>;
	/** Magnification relative to fit, 1 to 64, and the centre in picture pixels. */
	zoom: Signal<number>;
	centre: Signal<{ x: number; y: number } | null>;
	/** Pixel under the pointer or the keyboard crosshair, in picture pixels. */
	crosshair: Signal<{ x: number; y: number } | null>;
	/** Position of the swipe handle, 0 to 1. */
	swipe: Signal<number>;
	/** Position on the path, 0 to 1; null when the stage shows the whole attribution. */
	alpha: Signal<number | null>;
	/** The cumulative map at `alpha`, drawn instead of the result's map while scrubbing. */
	scrubbed: Signal<Heatmap | null>;
	/** The attention head that is enlarged on the stage; null for the result itself. */
	head: Signal<Head | null>;
	/** The map of `head`, drawn instead of the result's on a scale of its own. */
	attended: Signal<Heatmap | null>;
	/** What is ticked in the Compare tab. */
	selection: Signal<Selection>;
	/** True when compared classes share one limit instead of one each. */
	sameUnits: Signal<boolean>;
	/** The players under the pointer or the focus; null while nothing is pointed at. */
	pointed: Signal<number[] | null>;
	/** The players that are taken away, what stands in their place, and what the model then says. */
	removed: Signal<number[]>;
	fill: Signal<Fill>;
	ablation: Signal<Ablation | null>;
	/** Features of a table row that are given other values, and the one that is open. */
	edits: Signal<EditRequest["values"]>;
	editing: Signal<string | null>;
	/** What is asked of the rows that the model decides otherwise. */
	alternatives: AlternativesUi;
	/** How the waterfall's rows are sorted, and how they are drawn. */
	sorted: Signal<Sorted>;
	drawnAs: Signal<DrawnAs>;
	/** The pinned result that is taken off the one shown (difference); null: none is. */
	against: Signal<string | null>;
	/** True when all pinned results share one scale. */
	locked: Signal<boolean>;
	/** The division whose outlines are on the stage while its section is in use. */
	outlined: Signal<Division | null>;
	/** What is painted, by which tool (null: nothing is painted now), and the region added to. */
	painted: Signal<Division | null>;
	tool: Signal<Tool | null>;
	adding: Signal<number | null>;
	paintedSteps: Signal<Steps>;
	/** True while the painter of regions is open, also with its tool put away. */
	painting: Signal<boolean>;
	/** The superpixels that can be added to a painted region. */
	pieces: Signal<LabelMap | null>;
	/** What the Edit panel knows, and what it shows in the place of the explained picture. */
	editor: Editor;
	altered: Signal<Altered | null>;
	/** What the Concepts panel keeps to itself. */
	concepts: ConceptsUi;
	/** What the Check panel keeps to itself. */
	checking: CheckingUi;
	/** The section of the open tab that is to be brought into view. */
	sought: Signal<string | null>;
	/** Legend ends set by hand, in the score's unit; null means the clip percentile decides. */
	limit: Signal<number | null>;
	/** The open popover or dialog: "method", "target", "layer", "export", "code", "help" or null. */
	open: Signal<string | null>;
	/** The history item that is looked at; null for the current result. */
	looking: Signal<string | null>;
	/** A sentence for the live region. */
	announcement: Signal<string>;
}
