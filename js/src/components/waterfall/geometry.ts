import type { DrawnAs } from "../../model/store";
import type { Row } from "./rows";

/** Where a bar begins and ends, in the unit of the values; it points from `from` to `to`. */
export interface Span {
	from: number;
	to: number;
}

/**
 * Bars of the rows, in their order. A waterfall runs from the base to the score, plain bars from
 * zero; in a force plot what supports ends at the score, one bar behind the other, and what opposes
 * begins there.
 */
export function spans(rows: Row[], base: number, drawnAs: DrawnAs): Span[] {
	if (drawnAs === "bars")
		return rows.map(({ value }) => ({ from: 0, to: value }));
	if (drawnAs === "force") return forces(rows, base);
	let at = base;
	return rows.map(({ value }) => {
		const from = at;
		at += value;
		return { from, to: at };
	});
}

function forces(rows: Row[], base: number): Span[] {
	const score = rows.reduce((sum, { value }) => sum + value, base);
	let below = score;
	let above = score;
	return rows.map(({ value }) => {
		const to = value < 0 ? above : below;
		const from = to - value;
		if (value < 0) above = from;
		else below = from;
		return { from, to };
	});
}

/** A linear scale onto pixels. */
export type Scale = (value: number) => number;

/** All bars and whiskers, and what else must be seen, within `left` .. `right`. */
export function scaleOf(
	rows: Row[],
	bars: Span[],
	marks: number[],
	left: number,
	right: number,
): Scale {
	const all = bars.flatMap(({ from, to }, at) => {
		const error = rows[at]?.error ?? 0;
		return [from, to - error, to + error];
	});
	const low = Math.min(...all, ...marks);
	const span = Math.max(...all, ...marks) - low || 1;
	return (value) => left + ((value - low) / span) * (right - left);
}
