import { type Signal, signal } from "@preact/signals";
import type { Search } from "./protocol";

/** How a feature may change. */
export type Way = "freely" | "increase" | "decrease" | "fixed";

/** What may become of a feature: the way, and the ends it must keep to (null: the data's own). */
export interface Rule {
	way: Way;
	low: number | null;
	high: number | null;
}

export type Rules = Readonly<Record<string, Rule>>;

export const FREE: Rule = { way: "freely", low: null, high: null };

/** What only this view knows of the Edit tab of a table; null where nobody has chosen yet. */
export interface AlternativesUi {
	/** The class that is wanted, or the ends of the score. */
	desired: Signal<number | null>;
	low: Signal<number | null>;
	high: Signal<number | null>;
	count: Signal<number | null>;
	search: Signal<Search | null>;
	rules: Signal<Rules | null>;
	/** The search in the history that is looked at; null for the last one. */
	looking: Signal<string | null>;
	/** Why the last request was refused. */
	trouble: Signal<string>;
}

export function alternativesUi(): AlternativesUi {
	return {
		desired: signal(null),
		low: signal(null),
		high: signal(null),
		count: signal(null),
		search: signal(null),
		rules: signal(null),
		looking: signal(null),
		trouble: signal(""),
	};
}
