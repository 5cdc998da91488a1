import { decodeMap } from "../../model/decode";
import { type EditTool, sketchOnce } from "../../model/editor";
import { alike, enclosed } from "../../model/painted";
import {
	blankSketch,
	labelled,
	type Sketch,
	strongest,
} from "../../model/sketch";
import type { Store } from "../../model/store";

export const TOOLS: { value: EditTool; label: string }[] = [
	{ value: "brush", label: "brush" },
	{ value: "eraser", label: "eraser" },
	{ value: "lasso", label: "lasso" },
	{ value: "rectangle", label: "rectangle" },
	{ value: "wand", label: "wand" },
];

interface Point {
	x: number;
	y: number;
}

/** What adjustments leave the picture as it is. */
export function defaultsOf({ traits }: Store): Record<string, number> {
	const controls = traits._catalog.value.edits?.adjustments ?? [];
	return Object.fromEntries(
		controls.map(({ name, default: initial }) => [name, Number(initial)]),
	);
}

/** The present sketch, or a blank one with the first fill that there is. */
export function sketchOf({ traits, ui }: Pick<Store, "traits" | "ui">): Sketch {
	const [first] = traits._catalog.peek().edits?.fills ?? [];
	return (
		ui.editor.sketch.peek() ??
		blankSketch(traits._image.peek(), fresh(first?.kind ?? "blur"))
	);
}

export const COLOUR = "#808080";

export function fresh(kind: string) {
	return kind === "colour" ? { kind, value: COLOUR } : { kind };
}

/** The same, which from now on is the present one. */
export function begun(store: Store): Sketch {
	const sketch = sketchOf(store);
	const { editor } = store.ui;
	if (editor.sketch.peek() === null) editor.sketch.value = sketch;
	return sketch;
}

/** What the tool gives to pixels: the fill that is painted with, or, for the eraser, nothing. */
export function labelOf({ ui }: Store): number {
	const { tool, layer } = ui.editor;
	return tool.peek() === "eraser" ? 0 : layer.peek() + 1;
}

/** A point of the picture on the mask, which may be coarser. */
export function onMask(store: Store, { x, y }: Point): Point {
	const { map } = sketchOf(store);
	const { width, height } = store.traits._image.peek();
	return { x: (x * map.width) / width, y: (y * map.height) / height };
}

/** Gives pixels of the mask to the fill that is painted with, as one step. */
export function paintOnce(store: Store, pixels: Iterable<number>) {
	sketchOnce(store.ui.editor, labelled(begun(store), pixels, labelOf(store)));
}

/** What lies within a closed line through points of the picture. */
export function paintInside(store: Store, line: Point[]) {
	const { map } = sketchOf(store);
	paintOnce(
		store,
		enclosed(
			line.map((point) => onMask(store, point)),
			map,
		),
	);
}

/** The superpixel that a pixel of the picture is in. */
export function paintPiece(store: Store, { x, y }: Point) {
	const pieces = store.ui.editor.pieces.peek();
	if (!pieces) return;
	paintLabel(store, pieces.labels[y * pieces.width + x] ?? 0);
}

/** A superpixel by its number. */
export function paintLabel(store: Store, piece: number) {
	const pieces = store.ui.editor.pieces.peek();
	const from = pieces?.labels.indexOf(piece) ?? -1;
	if (!pieces || from < 0) return;
	const { map } = sketchOf(store);
	if (map.width === pieces.width && map.height === pieces.height)
		return void paintOnce(store, alike(pieces, from));
	const pixels = [...map.labels.keys()].filter((i) => {
		const row = Math.floor(
			(Math.floor(i / map.width) * pieces.height) / map.height,
		);
		const column = Math.floor(((i % map.width) * pieces.width) / map.width);
		return pieces.labels[row * pieces.width + column] === piece;
	});
	paintOnce(store, pixels);
}

/** The strongest share of the map that is shown. */
export function paintStrongest(store: Store, share: number) {
	const result = store.shown.peek();
	const map = result && decodeMap(result.map);
	if (map) paintOnce(store, strongest(map, share, sketchOf(store).map));
}
