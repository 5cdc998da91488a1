import type { Comparison, Result, Spec } from "../../model/protocol";
import { answers, specOf } from "../../model/spec";
import type { Store } from "../../model/store";

/**
 * The comparison that the stage shows: only while its tab is open and no earlier result is looked
 * at, and only if it has maps.
 */
export function compared({ traits, ui }: Store): Comparison | null {
	const comparison = traits._comparison.value;
	const open = ui.tab.value === "compare" && ui.looking.value === null;
	return open && comparison?.results.length ? comparison : null;
}

/** Whether other weights, another class or other settings hold now than those of the comparison. */
export function comparisonStale({ traits }: Store): boolean {
	const { kind, results = [] } = traits._comparison.value ?? {};
	const asked = specOf((key) => traits[key].value);
	const current = ({ spec: { method, params, target } }: Result): Spec =>
		kind === "methods" ? { ...asked, method, params } : { ...asked, target };
	return (
		traits._comparison_stale.value ||
		results.some(
			(result) => !answers(result, current(result), traits._catalog.value),
		)
	);
}
