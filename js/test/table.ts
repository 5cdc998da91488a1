import type { Ablation, EditRequest, TableInfo } from "../src/model/protocol";
import { players } from "./players";

const NAMES = [
	"mean_concave_points_of_the_worst_nuclei",
	"age",
	"occupation",
	"income",
	"radius error",
];
const SHOWN = ["0.1471", "41", "craft and repair", "31250", "0.35"];

const number = (
	name: string,
	value: number,
	minimum: number,
	maximum: number,
) => ({
	name,
	value,
	shown: String(value),
	minimum,
	maximum,
	integer: Number.isInteger(value),
	choices: null,
});

/** A row with numbers, whole numbers and a category. */
export const table: TableInfo = {
	features: [
		number(NAMES[0] as string, 0.1471, 0, 0.2012),
		number("age", 41, 17, 90),
		{
			name: "occupation",
			value: "craft and repair",
			shown: "craft and repair",
			minimum: null,
			maximum: null,
			integer: false,
			choices: ["craft and repair", "sales", "farming and fishing"],
		},
		number("income", 31250, 0, 99999),
		number("radius error", 0.35, 0.1, 2.9),
	],
};

export const features = players(5, {
	names: NAMES,
	shown: SHOWN,
	labels: null,
	unit: "score",
	errors: null,
	evaluations: 32,
});

/** What the model says of an edited row: every year of age counts. */
export function edited({ values }: Pick<EditRequest, "values">): Ablation {
	const age = Number(values.age ?? 41);
	const after = features.score + (age - 41) / 10;
	return {
		players: Object.keys(values).map((name) => NAMES.indexOf(name)),
		before: features.score,
		after,
		choices: [
			{
				index: 285,
				label: "Egyptian Mau",
				before: 0.38,
				after: 0.38 + (age - 41) / 200,
			},
			{
				index: 281,
				label: "tabby cat",
				before: 0.26,
				after: 0.26 - (age - 41) / 200,
			},
		],
		singles: [after - features.score],
		interaction: null,
		picture: null,
	};
}
