import { decodeMap } from "../../model/decode";
import type { SummaryInfo } from "../../model/protocol";

/** What the panel draws: the attributions and features of each player, row by row of the data. */
export interface Columns {
	phi: number[][];
	/** Between 0 and 1, null where a value is missing; empty for pictures. */
	features: (number | null)[][];
}

export function columnsOf({ values, features }: SummaryInfo): Columns {
	return {
		phi: columns(values),
		features: features
			? columns(features).map((column) =>
					column.map((value) => (value < 0 ? null : value)),
				)
			: [],
	};
}

function columns(grid: SummaryInfo["values"]): number[][] {
	const map = decodeMap(grid);
	if (!map) return [];
	return Array.from({ length: map.columns }, (_, column) =>
		Array.from(
			{ length: map.rows },
			(_, row) => map.values[row * map.columns + column] ?? 0,
		),
	);
}
