import { resize, walk } from "../../model/editor";
import { walkPainted } from "../../model/painting";
import type { Store } from "../../model/store";
import { pressAt } from "../stage/Sketcher";

const BUSY = new Set(["queued", "running", "cancelling"]);

/** The keys of the Edit tab, and of painting; says whether one was meant for it. */
export function onEditKey(
	store: Store,
	event: KeyboardEvent,
	typing: boolean,
): boolean {
	const { tab, crosshair, editor } = store.ui;
	const { edits } = store.traits._catalog.value;
	if (typing || !store.online.value) return false;
	const open = tab.value === "edit";
	const key = event.key.toLowerCase();
	if (event.ctrlKey || event.metaKey) {
		if (key !== "z" || event.altKey) return false;
		return walkIn(store, event.shiftKey ? 1 : 0);
	}
	if (event.altKey || !edits) return false;
	const onStage = (event.target as HTMLElement).matches?.(".nbx-pane");
	if (key === "enter" && open && onStage && crosshair.value) {
		pressAt(store, crosshair.value);
		return true;
	}
	if (!store.traits.shortcuts.value) return false;
	if (key === "b" || key === "e") {
		editor.tool.value = key === "b" ? "brush" : "eraser";
		tab.value = "edit";
		return true;
	}
	if (!open || (key !== "," && key !== ".")) return false;
	resize(editor, key === "." ? 1 : -1);
	return true;
}

/** A step back (0) or ahead (1) of what is painted here; says whether anything is. */
function walkIn({ ui }: Store, side: 0 | 1): boolean {
	if (ui.tab.value === "edit") walk(ui.editor, side);
	else if (ui.painting.value) walkPainted(ui, side);
	else return false;
	return true;
}

/** Stops what the tab computes, or puts its tool away; says whether there was anything. */
export function escapeEdit(store: Store): boolean {
	const { tab, editor } = store.ui;
	if (tab.value !== "edit") return false;
	if (BUSY.has(store.traits._edits.value?.job.state ?? "idle"))
		store.ask({ kind: "stop", panel: "edits" }).catch(() => undefined);
	else if (editor.corners.value.length > 0) editor.corners.value = [];
	else if (editor.tool.value) editor.tool.value = null;
	else return false;
	return true;
}
