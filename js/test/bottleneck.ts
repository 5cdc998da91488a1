import type { Bottleneck } from "../src/model/protocol";

const CONCEPTS: [string, number][] = [
	["furry", 0.97],
	["striped", 0.41],
	["spotted", 0.08],
	["long tail", 0.88],
	["pointed ears", 0.93],
	["hoofs", 0.02],
];
const CLASSES: [number, string, number, number][] = [
	[285, "Egyptian Mau", 0.52, 0.09],
	[281, "tabby cat", 0.31, 0.78],
	[282, "tiger cat", 0.09, 0.1],
	[287, "lynx", 0.06, 0.02],
	[292, "tiger", 0.02, 0.01],
];

const entropy = (p: number) => -p * Math.log2(p) - (1 - p) * Math.log2(1 - p);

/** A bottleneck, as predicted or with some concepts as given. */
export function bottleneck(
	corrections: Record<string, number> = {},
	more: Partial<Bottleneck> = {},
): Bottleneck {
	const told = Object.entries(corrections);
	const concepts = CONCEPTS.map(([name, probability]) => {
		const corrected = corrections[name] ?? null;
		const uncertainty = corrected === null ? entropy(probability) : 0;
		return { name, probability, uncertainty, corrected };
	});
	const [first] = concepts
		.filter(({ corrected }) => corrected === null)
		.sort((a, b) => b.uncertainty - a.uncertainty);
	const said = told.map(([name, value]) => `${name} = ${value}`).join(", ");
	return {
		concepts,
		choices: CLASSES.map(([index, label, before, after]) => ({
			index,
			label,
			before,
			after: told.length ? after : before,
		})),
		next: first?.name ?? null,
		reading: told.length
			? `${said} corrected: Egyptian Mau becomes tabby cat (its probability 0.31, now 0.78)`
			: "",
		failure: null,
		...more,
	};
}
