import { type Signal, signal } from "@preact/signals";
import type { Estimator } from "./protocol";

export type CropTool = "lasso" | "rectangle";

/** What only this view knows of the Concepts panel. */
export interface ConceptsUi {
	/** The concept that pasted pictures and crops go to; null: the last one, or a new one. */
	into: Signal<string | null>;
	/** By which tool a part of the stage is cut out; null: none is. */
	tool: Signal<CropTool | null>;
	/** What is ticked; null where nobody has chosen yet. */
	layers: Signal<string[] | null>;
	estimators: Signal<Estimator[]>;
	/** Concepts to test one against the other; empty for none. */
	one: Signal<string>;
	other: Signal<string>;
	/** The score that is looked at closely: its concept, what that stands against, its layer. */
	open: Signal<string | null>;
	/** Why the last request was refused. */
	trouble: Signal<string>;
}

export function conceptsUi(): ConceptsUi {
	return {
		into: signal(null),
		tool: signal(null),
		layers: signal(null),
		estimators: signal(["mean"]),
		one: signal(""),
		other: signal(""),
		open: signal(null),
		trouble: signal(""),
	};
}
