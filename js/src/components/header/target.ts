import type {
	Choice,
	Contrast,
	Prediction,
	Traits,
} from "../../model/protocol";

export type Target = Traits["target"];

export function isContrast(target: Target): target is Contrast {
	// Python has no target yet while it cannot read the picture.
	return typeof target === "object" && target !== null;
}

/** The class a target is about: a label stands for its index, other text for the predicted class. */
export function classOf(
	target: Target,
	labels: string[],
	prediction: Prediction | null,
): number | null {
	if (typeof target === "number") return target;
	if (isContrast(target)) return target.index;
	const found = labels.indexOf(target);
	return found >= 0 ? found : (prediction?.top[0]?.index ?? null);
}

export function labelOf(
	index: number | null,
	labels: string[],
	prediction: Prediction | null,
): string {
	if (index === null) return "predicted class";
	return (
		labels[index] ?? choiceOf(index, prediction)?.label ?? `class ${index}`
	);
}

export function choiceOf(
	index: number | null,
	prediction: Prediction | null,
): Choice | undefined {
	return prediction?.top.find((choice) => choice.index === index);
}
