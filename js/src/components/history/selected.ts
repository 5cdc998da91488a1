import { batch } from "@preact/signals";
import type { HistoryItem } from "../../model/protocol";
import type { Store } from "../../model/store";

/** The item that is looked at: in the Edit tab what was found, else what is explained. */
export function selectedIn(store: Store): HistoryItem | undefined {
	const { tab, looking, editor, alternatives } = store.ui;
	const items = store.traits._history.value;
	const found = editor.looking.value ?? alternatives.looking.value;
	const id = looking.value ?? store.traits._result.value?.id;
	return (
		(tab.value === "edit" && items.find((item) => item.id === found)) ||
		items.find((item) => item.id === id)
	);
}

/** Explanations are shown on the stage; the newest is what it shows anyway. What was found, the
 * Edit tab shows. */
export function lookAt({ ui, traits }: Store, item: HistoryItem) {
	batch(() => {
		ui.editor.looking.value = item.found ? item.id : null;
		ui.alternatives.looking.value = item.rows ? item.id : null;
		if (item.result) {
			const newest = traits._result.peek()?.id;
			ui.looking.value = item.id === newest ? null : item.id;
		} else {
			ui.tab.value = "edit";
		}
	});
}

/** Nothing of the history is looked at any more. */
export function lookAway({ ui }: Store) {
	batch(() => {
		ui.looking.value = null;
		ui.editor.looking.value = null;
		ui.alternatives.looking.value = null;
	});
}
