import type { Fill, Sketch } from "./sketch";

/** One step from a sketch to the next: which pixels changed, and the settings on both sides. */
interface Step {
	pixels: Uint32Array;
	labels: [before: Uint16Array, after: Uint16Array];
	fills: [before: Fill[], after: Fill[]];
	adjustments: [before: Sketch["adjustments"], after: Sketch["adjustments"]];
}

/** Steps that were made; those from `at` on were undone. */
export interface Steps {
	made: Step[];
	at: number;
}

const MOST = 100;

export const NO_STEPS: Steps = { made: [], at: 0 };

/** The steps with one more; null where nothing changed. */
export function stepped(
	{ made, at }: Steps,
	before: Sketch,
	after: Sketch,
): Steps | null {
	const [old, now] = [before.map.labels, after.map.labels];
	const pixels = Uint32Array.from(old.keys()).filter((i) => old[i] !== now[i]);
	const same =
		pixels.length === 0 &&
		alike(before.fills, after.fills) &&
		alike(before.adjustments, after.adjustments);
	if (same) return null;
	const step: Step = {
		pixels,
		labels: [
			Uint16Array.from(pixels, (i) => old[i] as number),
			Uint16Array.from(pixels, (i) => now[i] as number),
		],
		fills: [before.fills, after.fills],
		adjustments: [before.adjustments, after.adjustments],
	};
	const kept = [...made.slice(0, at), step].slice(-MOST);
	return { made: kept, at: kept.length };
}

/** The sketch a step back (0) or ahead (1), and the steps then; null where there is none. */
export function walked(
	{ made, at }: Steps,
	sketch: Sketch,
	side: 0 | 1,
): { steps: Steps; sketch: Sketch } | null {
	const step = made[side === 0 ? at - 1 : at];
	if (!step) return null;
	const labels = sketch.map.labels.slice();
	step.pixels.forEach((pixel, i) => {
		labels[pixel] = step.labels[side][i] as number;
	});
	return {
		steps: { made, at: side === 0 ? at - 1 : at + 1 },
		sketch: {
			map: { ...sketch.map, labels },
			fills: step.fills[side],
			adjustments: step.adjustments[side],
		},
	};
}

function alike(a: unknown, b: unknown): boolean {
	return JSON.stringify(a) === JSON.stringify(b);
}
