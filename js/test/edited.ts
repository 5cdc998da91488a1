import type { Painted, PaintRequest } from "../src/model/protocol";
import { decodeRuns } from "../src/model/runs";
import { bitmap, prediction, SIZE, shade } from "./fixtures";

/** What the model says of an edited picture: the more is painted, the less of a cat it is. */
export function painted(
	{ shape, adjustments }: Pick<PaintRequest, "shape" | "adjustments">,
	data: ArrayBuffer,
): Painted {
	const [rows = 1, columns = 1] = shape;
	const map = decodeRuns(data, columns, rows);
	const labels = map?.labels ?? new Uint16Array();
	const share = labels.filter((label) => label > 0).length / labels.length;
	const light = 255 * (adjustments.brightness ?? 0);
	const fade = Math.exp(-6 * share);
	return {
		target: "Egyptian Mau",
		before: 7.42,
		after: 7.42 * fade,
		choices: [
			...prediction.top.map(({ index, label, probability }) => ({
				index,
				label,
				before: probability ?? 0,
				after: (probability ?? 0) * fade,
			})),
			{ index: 967, label: "espresso", before: 0.001, after: 0.8 * (1 - fade) },
		],
		picture: bitmap(SIZE, SIZE, (x, y) => {
			const row = Math.floor((y * rows) / SIZE);
			const column = Math.floor((x * columns) / SIZE);
			if (labels[row * columns + column]) return [128, 128, 128];
			const [r, g, b] = shade(x, y);
			return [r + light, g + light, b + light];
		}),
	};
}
