import type { Players } from "../../model/protocol";
import type { Sorted } from "../../model/store";

/** One line of the waterfall: a player, or the smallest ones together. */
export interface Row {
	players: number[];
	name: string;
	value: number;
	/** The standard error; null where the value is exact, or where errors do not simply add. */
	error: number | null;
	/** True for the one row that stands for several players and can be opened. */
	folded: boolean;
}

/** More players than these are folded to one row less, with "n others" as the last. */
export const MOST = 10;

/** While values still settle, a row moves only when it is at least so many places off. */
const FAR = 3;

/** The players as they are to be sorted. */
export function order(values: number[], sorted: Sorted): number[] {
	const players = values.map((_, player) => player);
	const size = (player: number) => Math.abs(values[player] ?? 0);
	const value = (player: number) => values[player] ?? 0;
	if (sorted === "position") return players;
	if (sorted === "sign") return players.sort((a, b) => value(b) - value(a));
	return players.sort((a, b) => size(b) - size(a));
}

/** The order of before, unless it is of other players or one of them is far off by now. */
export function settled(before: number[], wanted: number[]): number[] {
	const place = new Map(wanted.map((player, at) => [player, at]));
	const near = before.every(
		(player, at) => Math.abs((place.get(player) ?? Infinity) - at) < FAR,
	);
	return near && before.length === wanted.length ? before : wanted;
}

/** The rows in this order; unless `open`, the smallest are one row at the end. */
export function rowsOf(
	players: Players,
	order: number[],
	open: boolean,
): Row[] {
	const { names, values, errors, shown } = players;
	const row = (player: number): Row => ({
		players: [player],
		name: nameOf(names[player] ?? "", shown[player]),
		value: values[player] ?? 0,
		error: errors?.[player] ?? null,
		folded: false,
	});
	if (open || order.length <= MOST) return order.map(row);
	const small = new Set(smallest(values, order.length - MOST + 1));
	const others = order.filter((player) => small.has(player));
	return [
		...order.filter((player) => !small.has(player)).map(row),
		{
			players: others,
			name: `${others.length} others`,
			value: others.reduce((sum, player) => sum + (values[player] ?? 0), 0),
			error: null,
			folded: true,
		},
	];
}

function smallest(values: number[], count: number): number[] {
	return order(values, "size").slice(-count);
}

function nameOf(name: string, shown: string | undefined): string {
	return shown ? `${name} = ${shown}` : name;
}
