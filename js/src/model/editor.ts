import { batch, type Signal, signal } from "@preact/signals";
import type { Moved, Picture, ProbeRequest } from "./protocol";
import type { LabelMap } from "./runs";
import type { Sketch } from "./sketch";
import { NO_STEPS, type Steps, stepped, walked } from "./undo";

export type EditTool = "brush" | "eraser" | "lasso" | "rectangle" | "wand";

/** What the stage shows in the place of the explained picture, and how the predictions moved. */
export interface Altered {
	picture: Picture | null;
	choices: Moved[];
	/** On the badge. */
	words: string;
}

/** A search for another picture: the class, where, and what was set of the numbers in `search` of
 * the catalog: how probable the class should be (0: it wins), and the weights. */
export interface Wish {
	desired: number | null;
	inside: boolean;
	numbers: Readonly<Record<string, number>>;
	count: number;
}

export type Attack = Pick<
	ProbeRequest,
	"attack" | "norm" | "epsilon" | "toward" | "seeks"
>;

/** What the Edit tab knows in one view. */
export interface Editor {
	/** The edit as it is drawn now; null before the first. */
	sketch: Signal<Sketch | null>;
	/** Where the stroke or drag that is under way began; null while there is none. */
	began: Signal<Sketch | null>;
	steps: Signal<Steps>;
	/** Raised by whatever makes answers to earlier sketches wrong. */
	epoch: Signal<number>;
	tool: Signal<EditTool | null>;
	/** Diameter of the brush, in picture pixels. */
	size: Signal<number>;
	/** The fill that is painted with. */
	layer: Signal<number>;
	/** Corners set so far with the keyboard, in picture pixels. */
	corners: Signal<{ x: number; y: number }[]>;
	/** The superpixels the wand takes, and the one that is looked at. */
	pieces: Signal<LabelMap | null>;
	piece: Signal<number | null>;
	/** True while the original is looked at instead. */
	original: Signal<boolean>;
	/** The found picture that is looked at, by its id. */
	looking: Signal<string | null>;
	/** What a counterfactual is to be, and what is probed. */
	wish: Signal<Wish>;
	attack: Signal<Attack>;
}

export const SIZES = { smallest: 2, largest: 200 };
const SIZE_STEP = 1.25;

export function createEditor(): Editor {
	return {
		sketch: signal(null),
		began: signal(null),
		steps: signal(NO_STEPS),
		epoch: signal(0),
		tool: signal(null),
		size: signal(24),
		layer: signal(0),
		corners: signal([]),
		pieces: signal(null),
		piece: signal(null),
		original: signal(false),
		looking: signal(null),
		wish: signal({
			desired: null,
			inside: false,
			numbers: {},
			count: 1,
		}),
		attack: signal({
			attack: "pgd",
			norm: "linf",
			epsilon: 0.03,
			toward: null,
			seeks: "change",
		}),
	};
}

/** The sketch while a stroke or a slider is under way: no step yet. */
export function sketchLive(
	{ sketch, began, original, looking }: Editor,
	next: Sketch,
) {
	batch(() => {
		if (began.peek() === null) began.value = sketch.peek();
		sketch.value = next;
		original.value = false;
		looking.value = null;
	});
}

/** The stroke is over: one step that can be undone. */
export function settle({ sketch, began, steps }: Editor) {
	const [before, after] = [began.peek(), sketch.peek()];
	const next = before && after && stepped(steps.peek(), before, after);
	batch(() => {
		began.value = null;
		if (next) steps.value = next;
	});
}

/** A change that is over as soon as it is made. */
export function sketchOnce(editor: Editor, next: Sketch) {
	batch(() => {
		sketchLive(editor, next);
		settle(editor);
	});
}

/** A step back (0) or ahead (1). */
export function walk(editor: Editor, side: 0 | 1) {
	const { sketch, steps, epoch, layer, looking, began } = editor;
	if (began.peek()) settle(editor);
	const now = sketch.peek();
	const there = now && walked(steps.peek(), now, side);
	if (!there) return;
	batch(() => {
		steps.value = there.steps;
		sketch.value = there.drawn;
		layer.value = Math.min(layer.value, there.drawn.fills.length - 1);
		looking.value = null;
		epoch.value++;
	});
}

export function resize({ size }: Editor, direction: 1 | -1) {
	const wanted = Math.round(size.value * SIZE_STEP ** direction) + direction;
	size.value = Math.min(SIZES.largest, Math.max(SIZES.smallest, wanted));
}

/** Another picture: nothing painted fits it. */
export function renew(editor: Editor) {
	batch(() => {
		editor.sketch.value = editor.began.value = editor.pieces.value = null;
		editor.steps.value = NO_STEPS;
		editor.corners.value = [];
		editor.piece.value = editor.looking.value = null;
		editor.layer.value = 0;
		editor.original.value = false;
		editor.epoch.value++;
	});
}
