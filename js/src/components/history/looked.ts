import type { Result } from "../../model/protocol";
import type { Store } from "../../model/store";

/** The result on the stage: an earlier one while it is looked at, else the newest. */
export function lookedAt(store: Store): Result | null {
	const id = store.ui.looking.value;
	const item = store.traits._history.value.find((entry) => entry.id === id);
	return item?.result ?? store.shown.value;
}
