import type { SummaryInfo } from "../src/model/protocol";
import { grid } from "./fixtures";

const ROWS = 240;
const NAMES = [
	"age",
	"mean_concave_points_of_the_worst_nuclei",
	"occupation",
	"hours per week",
	"capital gain",
];
/** Pseudo-random numbers that are the same every time. */
const noise = (i: number, j: number) => {
	const wild = Math.sin(i * 12.9898 + j * 78.233) * 43758.5453;
	return wild - Math.floor(wild);
};
const feature = (row: number, player: number) =>
	player === 2 ? Math.round(2 * noise(row, 2)) / 2 : noise(row, player);
const share = (row: number, player: number) =>
	((feature(row, player) - 0.5) * 3 + 0.5 * (feature(row, 3) - 0.5)) /
	(player + 1);

const index = (place: number, count: number) => Math.floor(place * count);

/** Shares that rise with the feature's value, the first player's most. */
export const summary: SummaryInfo = {
	title: "Shapley values",
	target: "over 50K",
	unit: "score",
	rows: ROWS,
	names: NAMES,
	mean: NAMES.map((_, player) => 0.75 / (player + 1)),
	errors: NAMES.map((_, player) => 0.04 / (player + 1)),
	values: grid(ROWS, NAMES.length, (x, y) =>
		share(index(y, ROWS), index(x, NAMES.length)),
	),
	features: grid(ROWS, NAMES.length, (x, y) =>
		feature(index(y, ROWS), index(x, NAMES.length)),
	),
	minimum: [17, 0, 0, 1, 0],
	maximum: [90, 0.2, 2, 99, 99999],
	choices: [[], [], ["sales", "craft", "farming"], [], []],
	partners: [3, 3, 3, 0, 3],
	map: null,
	picture: null,
};
