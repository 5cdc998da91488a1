import type { Comparison } from "../../model/protocol";
import type { Store } from "../../model/store";

/** The comparison that the stage shows: only while its tab is open, and only if it has maps. */
export function compared({ traits, ui }: Store): Comparison | null {
	const comparison = traits._comparison.value;
	const shown = ui.tab.value === "compare" && comparison?.results.length;
	return shown ? comparison : null;
}
