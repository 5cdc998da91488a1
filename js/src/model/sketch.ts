import { smooth } from "../color/resample";
import type { LabelMap } from "./runs";
import type { Heatmap } from "./store";

/** What stands in the place of painted pixels: its kind, and the fields of that kind. */
export type Fill = { kind: string } & Record<string, unknown>;

/** An edit of the picture. In the map 0 is untouched and i has the i-th fill, from 1. */
export interface Sketch {
	map: LabelMap;
	fills: Fill[];
	adjustments: Record<string, number>;
}

interface Size {
	width: number;
	height: number;
}

interface Point {
	x: number;
	y: number;
}

/** Finer masks than this are of no use to a hand, and cost each stroke time. */
const FINEST = 512;
/** Coarser maps than this are read as the stage shows them: smoothed. */
const COARSE = 64;

export function blankSketch(picture: Size, fill: Fill): Sketch {
	const shrink = Math.min(
		1,
		FINEST / Math.max(picture.width, picture.height, 1),
	);
	const width = Math.round(picture.width * shrink);
	const height = Math.round(picture.height * shrink);
	const labels = new Uint16Array(width * height);
	return { map: { width, height, labels }, fills: [fill], adjustments: {} };
}

/** Whether it leaves the picture as it is. */
export function changesNothing(
	{ map, adjustments }: Sketch,
	defaults: Record<string, number>,
): boolean {
	return (
		Object.entries(adjustments).every(([name, v]) => v === defaults[name]) &&
		map.labels.every((label) => label === 0)
	);
}

/** The same with pixels that have another fill; 0 takes them back. */
export function labelled(
	sketch: Sketch,
	pixels: Iterable<number>,
	label: number,
): Sketch {
	const labels = sketch.map.labels.slice();
	for (const pixel of pixels) labels[pixel] = label;
	return { ...sketch, map: { ...sketch.map, labels } };
}

/** The same without a fill, and without what it was painted on. */
export function withoutFill(sketch: Sketch, at: number): Sketch {
	const labels = sketch.map.labels.map((label) =>
		label === at + 1 ? 0 : label > at + 1 ? label - 1 : label,
	);
	const fills = sketch.fills.filter((_, i) => i !== at);
	return { ...sketch, fills, map: { ...sketch.map, labels } };
}

/** The share of the picture that each fill is painted on. */
export function areas({ map, fills }: Sketch): number[] {
	const counts = new Array<number>(fills.length + 1).fill(0);
	for (const label of map.labels) counts[label] = (counts[label] ?? 0) + 1;
	return counts.slice(1).map((count) => count / map.labels.length);
}

/** The pixels whose centres a round brush touches on its way between two points. */
export function brushed(
	from: Point,
	to: Point,
	diameter: number,
	{ width, height }: Size,
): number[] {
	const radius = Math.max(diameter / 2, 0.5);
	const pixels: number[] = [];
	const [left, right] = range(from.x, to.x, radius, width);
	const [top, bottom] = range(from.y, to.y, radius, height);
	for (let y = top; y < bottom; y++)
		for (let x = left; x < right; x++)
			if (distance({ x: x + 0.5, y: y + 0.5 }, from, to) <= radius)
				pixels.push(y * width + x);
	return pixels;
}

function range(a: number, b: number, radius: number, size: number) {
	return [
		Math.max(0, Math.floor(Math.min(a, b) - radius)),
		Math.min(size, Math.ceil(Math.max(a, b) + radius)),
	] as const;
}

/** From a point to the straight line between two others. */
function distance(at: Point, from: Point, to: Point): number {
	const [dx, dy] = [to.x - from.x, to.y - from.y];
	const length = dx * dx + dy * dy;
	const along = length
		? ((at.x - from.x) * dx + (at.y - from.y) * dy) / length
		: 0;
	const t = Math.min(1, Math.max(0, along));
	return Math.hypot(at.x - from.x - t * dx, at.y - from.y - t * dy);
}

/** The pixels where the map supports most: the first `share` of them. */
export function strongest(
	map: Heatmap,
	share: number,
	{ width, height }: Size,
): number[] {
	const coarse = Math.min(map.rows, map.columns) < COARSE;
	const fine = coarse ? smooth(map, height, width) : map;
	const wanted = Math.max(1, Math.round(share * width * height));
	const values = Float32Array.from({ length: width * height }, (_, i) => {
		const row = Math.floor((Math.floor(i / width) * fine.rows) / height);
		const column = Math.floor(((i % width) * fine.columns) / width);
		return fine.values[row * fine.columns + column] ?? 0;
	});
	const threshold = values.slice().sort().at(-wanted) ?? 0;
	return [...values.keys()].filter(
		(i) => (values[i] as number) >= threshold && (values[i] as number) > 0,
	);
}
