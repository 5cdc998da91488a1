import type { Comparison } from "../../model/protocol";
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
