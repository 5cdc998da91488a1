import { colour, gradient, type Look, palette } from "../../color/colour";
import type { Heatmap } from "../../model/store";

/** A dot: its place in pixels, and its value between 0 and 1, null where that is missing. */
export interface Dot {
	x: number;
	y: number;
	shade: number | null;
}

const RADIUS = 1.8;
const STEP = 2.5;

/** Dots in a row: those at the same place stand above and below each other, as far as there is room. */
export function swarm(
	xs: number[],
	shades: (number | null)[],
	middle: number,
	room: number,
): Dot[] {
	const taken = new Map<number, number>();
	return xs.map((x, i) => {
		const place = Math.round(x / STEP);
		const count = taken.get(place) ?? 0;
		taken.set(place, count + 1);
		const side = count % 2 ? -1 : 1;
		const far = Math.ceil(count / 2) * STEP;
		const most = Math.max(STEP, room / 2 - RADIUS);
		return { x, y: middle + side * (far % most), shade: shades[i] ?? null };
	});
}

/** The darkest colours are left out: they are not seen on a dark ground. */
const DARKEST = 0.2;

const LOOK: Look = {
	...palette("viridis", false),
	limit: 1,
	floor: 0,
	sign: "both",
	alpha: "opaque",
};

/** Draws dots in the colours of their values: not red and blue, which are a sign's. */
export function drawDots(draw: CanvasRenderingContext2D, dots: Dot[]) {
	const shades = Float32Array.from(dots, ({ shade }) =>
		shade === null ? Number.NaN : DARKEST + (1 - DARKEST) * shade,
	);
	const map: Heatmap = { rows: 1, columns: dots.length, values: shades };
	const pixels = colour(map, LOOK);
	dots.forEach(({ x, y }, i) => {
		const [red, green, blue] = pixels.subarray(4 * i, 4 * i + 3);
		draw.fillStyle = `rgb(${red} ${green} ${blue} / 80%)`;
		draw.beginPath();
		draw.arc(x, y, RADIUS, 0, 2 * Math.PI);
		draw.fill();
	});
}

/** The colours from the lowest value to the highest, as a CSS gradient. */
export function shades(): string {
	return gradient(LOOK, DARKEST, 1);
}
