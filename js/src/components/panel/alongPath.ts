import type { Curve } from "../../model/protocol";
import type { Heatmap } from "../../model/store";

interface Between {
	below: number;
	above: number;
	/** How far from `below` to `above`, 0 to 1. */
	share: number;
}

/** The two neighbours of x among rising numbers; at the ends both are the same. */
export function between(xs: number[], x: number): Between {
	const above = xs.findIndex((value) => value >= x);
	if (above < 0)
		return { below: xs.length - 1, above: xs.length - 1, share: 0 };
	if (above === 0) return { below: 0, above: 0, share: 0 };
	const low = xs[above - 1] as number;
	const high = xs[above] as number;
	return { below: above - 1, above, share: (x - low) / (high - low) };
}

export function interpolate(xs: number[], ys: number[], x: number): number {
	const { below, above, share } = between(xs, x);
	return (ys[below] ?? 0) * (1 - share) + (ys[above] ?? 0) * share;
}

/** The attribution summed up to `alpha`. Before the first map it grows from nothing at the baseline. */
export function cumulativeMap(
	alphas: number[],
	maps: Heatmap[],
	alpha: number,
): Heatmap | null {
	const first = maps[0];
	if (!first) return null;
	const start = alphas[0] ?? 0;
	if (alpha < start) return blend(first, first, 0, alpha / start);
	const { below, above, share } = between(alphas, alpha);
	return blend(maps[below] ?? first, maps[above] ?? first, 1 - share, share);
}

function blend(a: Heatmap, b: Heatmap, wa: number, wb: number): Heatmap {
	const values = a.values.map(
		(value, i) => wa * value + wb * (b.values[i] as number),
	);
	return { rows: a.rows, columns: a.columns, values };
}

/** What the accumulated attribution misses of the difference it should explain. */
export function gap({ score, accumulated }: Curve): number {
	return (accumulated.at(-1) ?? 0) - ((score.at(-1) ?? 0) - (score[0] ?? 0));
}

export interface Outline {
	line: string;
	area: string;
	/** Height of a score in the drawing, 0 at the bottom, 1 at the top. */
	height: (score: number) => number;
}

/**
 * The drawing in a box of 100 × 100. The area starts at the baseline's score, so that line and
 * area meet at the picture exactly when the attribution is complete.
 */
export function outline({ alpha, score, accumulated }: Curve): Outline {
	const start = score[0] ?? 0;
	const filled = accumulated.map((value) => start + value);
	const all = [...score, ...filled];
	const low = Math.min(...all);
	const span = Math.max(...all) - low || 1;
	const height = (value: number) => (value - low) / span;
	const points = (values: number[]) =>
		values.map((value, i) => {
			const x = (100 * (alpha[i] ?? 0)).toFixed(2);
			return `${x},${(100 * (1 - height(value))).toFixed(2)}`;
		});
	const foot = (100 * (1 - height(start))).toFixed(2);
	const last = (100 * (alpha.at(-1) ?? 1)).toFixed(2);
	const area = `M0,${foot}L${points(filled).join("L")}L${last},${foot}Z`;
	return { line: `M${points(score).join("L")}`, area, height };
}
