import type { Heatmap } from "../model/store";

/** Bilinear interpolation of the values (not of the colours), cell centres aligned. */
export function smooth(
	heatmap: Heatmap,
	rows: number,
	columns: number,
): Heatmap {
	const down = taps(heatmap.rows, rows);
	const across = taps(heatmap.columns, columns);
	const values = new Float32Array(rows * columns);
	const { values: v, columns: width } = heatmap;
	let at = 0;
	for (const { low: y0, high: y1, share: ty } of down)
		for (const { low: x0, high: x1, share: tx } of across) {
			const top = mix(v[y0 * width + x0], v[y0 * width + x1], tx);
			const bottom = mix(v[y1 * width + x0], v[y1 * width + x1], tx);
			values[at++] = mix(top, bottom, ty);
		}
	return { rows, columns, values };
}

const mix = (a = Number.NaN, b = Number.NaN, share = 0) => a + (b - a) * share;

/** For each new cell the two old ones around its centre, and how far it is between them. */
function taps(from: number, to: number) {
	return Array.from({ length: to }, (_, i) => {
		const place = Math.min(
			from - 1,
			Math.max(0, ((i + 0.5) * from) / to - 0.5),
		);
		const low = Math.floor(place);
		return { low, high: Math.min(from - 1, low + 1), share: place - low };
	});
}
