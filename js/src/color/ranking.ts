import type { Heatmap } from "../model/store";

/** Magnitudes in ascending order: percentiles by index, ranks by bisection. */
export type Ranking = Float32Array;

/** Of larger maps an even sample is ranked: sorting a million values would stall each frame. */
const MOST = 2 ** 16;

export function rank({ values }: Heatmap): Ranking {
	const stride = Math.ceil(values.length / MOST);
	const size = Math.ceil(values.length / (stride || 1));
	const ranking = Float32Array.from({ length: size }, (_, i) =>
		Math.abs(values[i * stride] ?? 0),
	).sort();
	if (stride > 1)
		ranking[size - 1] = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
	return ranking;
}

/** The magnitude below which `percent` of the cells lie, interpolated as numpy does. */
export function percentile(ranking: Ranking, percent: number): number {
	if (ranking.length === 0) return 0;
	const at = (Math.min(100, Math.max(0, percent)) / 100) * (ranking.length - 1);
	const below = ranking[Math.floor(at)] ?? 0;
	const above = ranking[Math.ceil(at)] ?? below;
	return below + (above - below) * (at - Math.floor(at));
}

/** The percentage of cells whose magnitude is at most that of `value`. */
export function percentileOf(ranking: Ranking, value: number): number {
	const magnitude = Math.abs(value);
	let low = 0;
	let high = ranking.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((ranking[middle] ?? 0) <= magnitude) low = middle + 1;
		else high = middle;
	}
	return ranking.length ? (100 * low) / ranking.length : 0;
}
