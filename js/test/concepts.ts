import type {
	Concepts,
	Gathered,
	Pile,
	Tested,
	Traits,
} from "../src/model/protocol";
import { bitmap, traits } from "./fixtures";

const FEWEST = { concept: 4, random: 8, class: 5 };
const ENOUGH = { concept: 10, random: 40, class: 20 };
const SQUARE = 40;
const MOST_SHOWN = 10;

export function pile(into: Gathered, name: string, count: number): Pile {
	const shown = Math.min(count, MOST_SHOWN);
	return {
		name,
		count,
		fewest: FEWEST[into],
		enough: ENOUGH[into],
		shown,
		strip: shown
			? bitmap(SQUARE * shown, SQUARE, (x, y) => [
					(x * 7) % 256,
					(y * 5) % 256,
					count * 9,
				])
			: null,
	};
}

export function tested(concept: string, more: Partial<Tested> = {}): Tested {
	return {
		concept,
		against: "",
		layer: "head.conv",
		estimator: "mean",
		score: 0.93,
		spread: [0.9, 0.97],
		magnitude: 2.4,
		null: { low: -1.2, high: 1.3, counts: [1, 4, 9, 14, 12, 6, 2] },
		p: 0.005,
		q: 0.01,
		accuracy: 0.91,
		accuracy_p: 0.005,
		literature_p: 1e-12,
		alpha: 0.05,
		found: true,
		significant: true,
		verdict: `${concept} at head.conv moves the model towards the class (q 0.01).`,
		aligned: null,
		...more,
	};
}

export const unseen = tested("holiday", {
	accuracy: 0.52,
	accuracy_p: 0.4,
	found: false,
	significant: false,
	magnitude: 0.1,
	p: 0.8,
	q: 0.8,
	verdict:
		"head.conv does not tell holiday from random pictures (held out 0.52, p 0.4): no score.",
});

export const idle: Traits["_job"] = traits()._job;

/** Two concepts with all that a test needs. */
export function gathered(more: Partial<Concepts> = {}): Concepts {
	return {
		job: idle,
		failure: null,
		concepts: [pile("concept", "stripes", 12), pile("concept", "fur", 6)],
		random: pile("random", "", 60),
		pictures: pile("class", "", 19),
		of_class: "Egyptian Mau",
		explained: true,
		wanting: [],
		target: "",
		layers: [],
		tested: [],
		faces: null,
		notices: [],
		stale: "",
		steered: [],
		discovery: null,
		...more,
	};
}
