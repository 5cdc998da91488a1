import { decodeMap } from "../../model/decode";
import type {
	EditRequest,
	Players,
	Result,
	TableInfo,
} from "../../model/protocol";
import { compact } from "../controls/number";

/**
 * The features of a row as players, with the values they are edited to. Of a result without
 * players the attributions are taken as they are; before the first result all are zero.
 */
export function partsOf(
	result: Result | null,
	{ features }: TableInfo,
	edits: EditRequest["values"],
): Players {
	const values = result && decodeMap(result.map)?.values;
	const players = result?.players ?? {
		names: features.map(({ name }) => name),
		values: features.map((_, i) => values?.[i] ?? 0),
		errors: null,
		shown: features.map(({ shown }) => shown),
		labels: null,
		base: 0,
		score: 0,
		unit: "score",
		evaluations: 0,
	};
	const shown = players.names.map((name, i) => {
		const before = players.shown[i] ?? "";
		return name in edits ? `${before} → ${text(edits[name])}` : before;
	});
	return { ...players, shown };
}

export function text(value: number | string | null | undefined): string {
	if (value === null || value === undefined) return "missing";
	return typeof value === "number" ? compact(value) : value;
}
