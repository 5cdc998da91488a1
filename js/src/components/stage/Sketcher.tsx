import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { settle, sketchLive } from "../../model/editor";
import type { LabelMap } from "../../model/runs";
import { brushed, labelled } from "../../model/sketch";
import type { Store } from "../../model/store";
import {
	begun,
	labelOf,
	onMask,
	paintInside,
	paintPiece,
} from "../edit/strokes";
import { drawLayer, prepare } from "./draw";
import { Canvas, useView } from "./Layers";
import { borders, drawBorders, type Piece } from "./outline";
import { fromPixels } from "./raster";
import { closed, Stroke } from "./Stroke";
import { type Point, type Size, toPane, type Viewport } from "./viewport";

interface Props {
	store: Store;
	pane: Size;
}

/** Opacity of the veil over what is being painted, of 255. */
const VEIL = 90;

/** Where the picture is edited: the outlines of what was painted, and the strokes of the tools. */
export function Sketcher({ store, pane }: Props) {
	const { tool, corners } = store.ui.editor;
	const stroke = useSignal<Point[]>([]);
	const chosen = tool.value;
	const free = chosen === "brush" || chosen === "eraser";
	if (!chosen || store.ui.tab.value !== "edit") return null;
	return (
		<>
			<Marks
				store={store}
				pane={pane}
				stroke={free ? [] : [...corners.value, ...stroke.value]}
			/>
			<Stroke
				store={store}
				pane={pane}
				tool={free ? "lasso" : chosen === "wand" ? null : chosen}
				stroke={stroke}
				onPress={(pixel) => paintPiece(store, pixel)}
				onDraw={(drawn) => {
					const [from, to = from] = drawn.slice(-2);
					if (free && from && to) dab(store, from, to);
				}}
				onDone={(drawn) => {
					if (free) settle(store.ui.editor);
					else paintInside(store, drawn);
				}}
			/>
			{free && <Ring store={store} pane={pane} />}
		</>
	);
}

/** Paints from one point of the picture to another, as part of a stroke. */
export function dab(store: Store, from: Point, to: Point) {
	const { editor } = store.ui;
	const sketch = begun(store);
	const { width } = store.traits._image.peek();
	const diameter = (editor.size.peek() * sketch.map.width) / width;
	const pixels = brushed(
		onMask(store, from),
		onMask(store, to),
		diameter,
		sketch.map,
	);
	sketchLive(editor, labelled(sketch, pixels, labelOf(store)));
}

/** Presses the tool at the crosshair: the way without a pointer. */
export function pressAt(store: Store, pixel: Point) {
	const { editor } = store.ui;
	const tool = editor.tool.peek();
	const middle = { x: pixel.x + 0.5, y: pixel.y + 0.5 };
	if (tool === "wand") return paintPiece(store, pixel);
	if (tool === "brush" || tool === "eraser") {
		dab(store, middle, middle);
		return settle(editor);
	}
	const before = editor.corners.peek();
	const last = before.at(-1);
	const again = last?.x === middle.x && last.y === middle.y;
	const line = again ? before : [...before, middle];
	const done = tool === "rectangle" ? line.length > 1 : again;
	editor.corners.value = done ? [] : line;
	if (!done) return;
	const [a = middle, b = middle] = line;
	const box = [a, { x: b.x, y: a.y }, b, { x: a.x, y: b.y }];
	paintInside(store, tool === "rectangle" ? box : line);
}

/** Outlines of what was painted and of the superpixels; a veil while a stroke is under way. */
function Marks({ store, pane, stroke }: Props & { stroke: Point[] }) {
	const { sketch, began, pieces, piece, tool, looking } = store.ui.editor;
	const { picture, view } = useView(store, pane);
	const map = sketch.value?.map ?? null;
	const busy = began.value !== null;
	const strong = useMemo(() => (map && !busy ? borders(map) : []), [map, busy]);
	const wand = tool.value === "wand" ? pieces.value : null;
	const thin = useMemo(() => (wand ? borders(wand) : []), [wand]);
	const pointed = piece.value;
	const one = useMemo(
		() => (wand && pointed !== null ? borders(wand, pointed) : []),
		[wand, pointed],
	);
	const veil = useMemo(() => (map && busy ? veiled(map) : null), [map, busy]);
	if (looking.value) return null;
	return (
		<Canvas
			class="nbx-canvas"
			draw={(canvas) => {
				if (veil)
					drawLayer(canvas, pane, view, picture, { raster: veil, sharp: true });
				const draw = veil ? canvas.getContext("2d") : prepare(canvas, pane);
				if (!draw) return;
				if (wand) drawBorders(draw, scaled(view, picture, wand), thin, 0.5);
				if (wand) drawBorders(draw, scaled(view, picture, wand), one, 2);
				if (map) drawBorders(draw, scaled(view, picture, map), strong, 0.75);
				drawBorders(draw, view, closed(stroke) as Piece[], 1.5);
			}}
		/>
	);
}

/** The viewport in pixels of a map that lies over the whole picture. */
function scaled(view: Viewport, picture: Size, map: LabelMap): Viewport {
	return {
		scale: (view.scale * picture.width) / map.width,
		left: (view.left * map.width) / picture.width,
		top: (view.top * map.height) / picture.height,
	};
}

function veiled({ width, height, labels }: LabelMap) {
	const pixels = new Uint8ClampedArray(4 * width * height);
	labels.forEach((label, i) => {
		if (label > 0) pixels.set([255, 255, 255, VEIL], 4 * i);
	});
	return fromPixels(pixels, width, height);
}

/** The brush under the pointer, as large as it paints. */
function Ring({ store, pane }: Props) {
	const { view } = useView(store, pane);
	const pixel = store.ui.crosshair.value;
	if (!pixel) return null;
	const { x, y } = toPane(view, { x: pixel.x + 0.5, y: pixel.y + 0.5 });
	const side = store.ui.editor.size.value * view.scale;
	return (
		<i
			class="nbx-brush"
			style={{
				left: `${x}px`,
				top: `${y}px`,
				width: `${side}px`,
				height: `${side}px`,
			}}
		/>
	);
}
