import type { LabelMap } from "../../model/runs";
import type { Store } from "../../model/store";
import { destination, send } from "./sending";

interface Point {
	x: number;
	y: number;
}

/** Left, top, right, bottom in pixels of the picture. */
export type Box = [number, number, number, number];

/** A side of the square around the crosshair, as a share of the picture's shorter one. */
const AROUND = 0.3;

/** Sends the part of the picture around some points to the chosen concept. */
export async function crop(store: Store, points: Point[]): Promise<boolean> {
	const known = store.traits._concepts.value;
	if (!known || store.offlineReason.value) return false;
	const concept = destination(store, known);
	const { width, height } = store.traits._image.value;
	const box = around(points, width, height);
	const taken = await send(store, { kind: "concept_crop", concept, box });
	if (taken) store.ui.announcement.value = `cut out for ${concept}`;
	return taken;
}

function around(points: Point[], width: number, height: number): Box {
	const xs = points.map(({ x }) => Math.min(width, Math.max(0, x)));
	const ys = points.map(({ y }) => Math.min(height, Math.max(0, y)));
	return [
		Math.floor(Math.min(...xs)),
		Math.floor(Math.min(...ys)),
		Math.ceil(Math.max(...xs)),
		Math.ceil(Math.max(...ys)),
	];
}

/** The corners of a square around a pixel, kept inside the picture. */
export function square(
	{ x, y }: Point,
	{ width, height }: { width: number; height: number },
): Point[] {
	const side = Math.round(AROUND * Math.min(width, height));
	const left = Math.min(width - side, Math.max(0, x - side / 2));
	const top = Math.min(height - side, Math.max(0, y - side / 2));
	return [
		{ x: left, y: top },
		{ x: left + side, y: top + side },
	];
}

/** The corners of what some labels cover, in pixels of the picture. */
export function covered(
	{ labels, width, height }: LabelMap,
	wanted: number[],
	picture: { width: number; height: number },
): Point[] {
	const across = picture.width / width;
	const down = picture.height / height;
	const points: Point[] = [];
	labels.forEach((label, i) => {
		if (!wanted.includes(label)) return;
		const x = i % width;
		const y = Math.floor(i / width);
		points.push({ x: x * across, y: y * down });
		points.push({ x: (x + 1) * across, y: (y + 1) * down });
	});
	return points;
}
