import type { Tested } from "../../model/protocol";

export const nameOf = ({ concept, against }: Tested) =>
	against ? `${concept} against ${against}` : concept;

/** What tells a test from the others by the same estimator. */
export const keyOf = (tested: Tested) => `${nameOf(tested)} at ${tested.layer}`;

/** The verdict without the layer, under whose name it stands. */
export function inShort({ verdict, layer }: Tested): string {
	return verdict
		.replaceAll(` at ${layer}`, "")
		.replace(new RegExp(`^${escaped(layer)} `), "The layer ");
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** p values: three digits are more than they are worth. */
export function probability(p: number): string {
	if (p < 0.0001) return p.toExponential(0).replace("-", "−");
	return String(Number(p.toPrecision(2))).replace(/^0\./, ".");
}
