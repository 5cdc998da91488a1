import { entry, type Look } from "../../color/colour";
import type { Heatmap } from "../../model/store";

/** The shares of a table row as bars from the middle, in the order of its features. */
export function drawBars(
	draw: CanvasRenderingContext2D,
	{ values }: Heatmap,
	look: Look,
	side: number,
) {
	const most = values.reduce((m, value) => Math.max(m, Math.abs(value)), 1e-12);
	const step = side / values.length;
	values.forEach((value, i) => {
		const length = (0.46 * side * value) / most;
		const at = 3 * entry(0.8 * Math.sign(value) * look.limit, look);
		draw.fillStyle = `rgb(${look.table.slice(at, at + 3).join(" ")})`;
		draw.fillRect(side / 2, i * step, length, Math.max(1, 0.8 * step));
	});
}
