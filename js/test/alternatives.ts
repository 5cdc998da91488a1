import type {
	Alternative,
	Alternatives,
	Prediction,
} from "../src/model/protocol";
import { traits } from "./fixtures";
import { table } from "./table";

/** A row in which the features at these places have other values; `followed` are consequences. */
function row(
	changes: Record<number, number | string>,
	more: Partial<Alternative> = {},
	followed: number[] = [],
): Alternative {
	const acted = Object.keys(changes).length - followed.length;
	return {
		cells: table.features.map((feature, place) => {
			const value = changes[place] ?? feature.value;
			const how = followed.includes(place) ? "followed" : "acted";
			return {
				value,
				shown: String(value),
				changed: place in changes ? how : "",
			};
		}),
		says: 0.52,
		valid: true,
		margin: 0.08,
		distance: 2.4,
		changed: acted,
		...more,
	};
}

/** What a search has come to: three rows, one of which the model does not decide as wished. */
export function alternatives(more: Partial<Alternatives> = {}): Alternatives {
	return {
		job: { ...traits()._job, state: "done", done: 80, total: 80, seconds: 0.4 },
		error: null,
		asked: {
			desired: 1,
			k: 3,
			search: "auto",
			immutable: ["age"],
			monotone: { income: "increase" },
			ranges: { income: [0, 60000] },
		},
		desired: "benign",
		unit: "probability",
		names: table.features.map(({ name }) => name),
		rows: [
			row({}, { says: 0.07, valid: false, margin: 0, distance: 0 }),
			row({ 0: 0.0861 }, { distance: 1.63 }),
			row({ 0: 0.1102, 2: "sales" }, { distance: 2.41, says: 0.53 }),
			row(
				{ 3: 58200, 4: 0.2176 },
				{ valid: false, margin: -0.61, says: 0.35, distance: 3.9 },
				[4],
			),
		],
		explained: 0,
		diversity: 3.04,
		search: "gradient",
		notices: [],
		...more,
	};
}

export const diagnosis: Prediction = {
	classes: 2,
	top: [
		{ index: 0, label: "malignant", score: 2.6, probability: 0.93 },
		{ index: 1, label: "benign", score: 0, probability: 0.07 },
	],
};
