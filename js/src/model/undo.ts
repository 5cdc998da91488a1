import type { LabelMap } from "./runs";

/** What is drawn: a label for each pixel, and what else is set. */
interface Drawn {
	map: LabelMap;
}

/** One step from a drawing to the next: which pixels changed, and the settings on both sides. */
interface Step {
	pixels: Uint32Array;
	labels: [before: Uint16Array, after: Uint16Array];
	settings: [before: object, after: object];
}

/** Steps that were made; those from `at` on were undone. */
export interface Steps {
	made: Step[];
	at: number;
}

const MOST = 100;

export const NO_STEPS: Steps = { made: [], at: 0 };

/** The steps with one more; null where nothing changed. */
export function stepped<T extends Drawn>(
	{ made, at }: Steps,
	before: T,
	after: T,
): Steps | null {
	const { map: old, ...was } = before;
	const { map: now, ...is } = after;
	const pixels = Uint32Array.from(old.labels.keys()).filter(
		(i) => old.labels[i] !== now.labels[i],
	);
	if (pixels.length === 0 && JSON.stringify(was) === JSON.stringify(is))
		return null;
	const step: Step = {
		pixels,
		labels: [
			Uint16Array.from(pixels, (i) => old.labels[i] as number),
			Uint16Array.from(pixels, (i) => now.labels[i] as number),
		],
		settings: [was, is],
	};
	const kept = [...made.slice(0, at), step].slice(-MOST);
	return { made: kept, at: kept.length };
}

/** The drawing a step back (0) or ahead (1), and the steps then; null where there is none. */
export function walked<T extends Drawn>(
	{ made, at }: Steps,
	drawn: T,
	side: 0 | 1,
): { steps: Steps; drawn: T } | null {
	const step = made[side === 0 ? at - 1 : at];
	if (!step) return null;
	const labels = drawn.map.labels.slice();
	step.pixels.forEach((pixel, i) => {
		labels[pixel] = step.labels[side][i] as number;
	});
	return {
		steps: { made, at: side === 0 ? at - 1 : at + 1 },
		drawn: { ...drawn, ...step.settings[side], map: { ...drawn.map, labels } },
	};
}
