import type { LabelMap } from "./runs";

/** A division of the picture with names. While painting, 0 is the rest and i has the i-th name. */
export interface Division {
	map: LabelMap;
	names: string[];
}

interface Point {
	x: number;
	y: number;
}

export const REST = "rest";

export function unpainted(width: number, height: number): Division {
	const labels = new Uint16Array(width * height);
	return { map: { width, height, labels }, names: [] };
}

/** A division that Python keeps, as one that can be painted on: there a rest is a region as well. */
export function paintable({ map, names }: Division): Division {
	if (names[0] === REST) return { map, names: names.slice(1) };
	const labels = map.labels.map((label) => label + 1);
	const count = labels.reduce((most, label) => Math.max(most, label), 0);
	return {
		map: { ...map, labels },
		names: Array.from({ length: count }, (_, i) => names[i] || called(i + 1)),
	};
}

/** Gives pixels to a region, or to a new one; what is painted over is theirs no more. */
export function paint(
	{ map, names }: Division,
	pixels: number[],
	region: number | null,
): Division {
	if (pixels.length === 0) return { map, names };
	const label = region === null ? names.length + 1 : region + 1;
	const labels = map.labels.slice();
	for (const pixel of pixels) labels[pixel] = label;
	const all = region === null ? [...names, unused(names)] : names;
	return without({ map: { ...map, labels }, names: all }, (i) =>
		labels.every((own) => own !== i + 1),
	);
}

export function remove(division: Division, region: number): Division {
	return without(division, (i) => i === region);
}

export function rename(
	{ map, names }: Division,
	region: number,
	name: string,
): Division {
	return { map, names: names.map((old, i) => (i === region ? name : old)) };
}

function without(
	{ map, names }: Division,
	gone: (region: number) => boolean,
): Division {
	let count = 0;
	const becomes = [0, ...names.map((_, i) => (gone(i) ? 0 : ++count))];
	const labels = map.labels.map((label) => becomes[label] ?? 0);
	return { map: { ...map, labels }, names: names.filter((_, i) => !gone(i)) };
}

const called = (number: number) => `region ${number}`;

function unused(names: string[]): string {
	let number = names.length + 1;
	while (names.includes(called(number))) number++;
	return called(number);
}

/** The pixels whose centres lie inside a polygon (even-odd rule). */
export function enclosed(
	polygon: Point[],
	{ width, height }: { width: number; height: number },
): number[] {
	const pixels: number[] = [];
	for (let row = 0; row < height; row++) {
		const crossings = crossingsAt(polygon, row + 0.5);
		for (let i = 0; i + 1 < crossings.length; i += 2) {
			const from = Math.max(0, Math.ceil((crossings[i] as number) - 0.5));
			const to = Math.min(width, Math.ceil((crossings[i + 1] as number) - 0.5));
			for (let x = from; x < to; x++) pixels.push(row * width + x);
		}
	}
	return pixels;
}

function crossingsAt(polygon: Point[], y: number): number[] {
	return polygon
		.flatMap((a, i) => {
			const b = polygon[(i + 1) % polygon.length] as Point;
			if (a.y <= y === b.y <= y) return [];
			return [a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x)];
		})
		.sort((a, b) => a - b);
}

/** All pixels of the region that a pixel is in. */
export function alike({ labels }: LabelMap, pixel: number): number[] {
	const pixels: number[] = [];
	labels.forEach((label, i) => {
		if (label === labels[pixel]) pixels.push(i);
	});
	return pixels;
}
