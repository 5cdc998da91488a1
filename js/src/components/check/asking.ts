import { tickedOf } from "../../model/checking";
import type { Result } from "../../model/protocol";
import type { Store } from "../../model/store";
import { reason } from "../controls/reason";

/** The section of the Check tab that begins it. */
export const START = "can this be trusted?";

/** Puts a result through the ticked checks. */
export function check(store: Store, result: Result) {
	const { trouble } = store.ui.checking;
	const checks = tickedOf(store, result);
	trouble.value = "";
	store
		.ask({ kind: "check", result: result.id, checks })
		.then(() => {
			store.ui.checking.ticked.value = null;
		})
		.catch((failure) => {
			trouble.value = reason(failure);
		});
}

export function stopChecking(store: Store) {
	store.ask({ kind: "stop", panel: "checks" }).catch(() => undefined);
}

/** Brings a section of a tab into view: its `data-section`. */
export function reveal({ ui }: Store, tab: string, section: string) {
	ui.tab.value = tab;
	ui.sought.value = section;
}

/** Why this result cannot be checked now; empty where it can. */
export function hindrance(store: Store, result: Result): string {
	const last = store.traits._result.value;
	if (store.offlineReason.value) return store.offlineReason.value;
	if (result.id.startsWith("frame") || result.phase === "draft")
		return "The map is still being computed.";
	if (result.id !== last?.id)
		return "This is an earlier result: show it again to check it.";
	if (!result.complete)
		return `This result was stopped at ${result.done} of ${result.total}: resume it first.`;
	if (store.traits._stale.value)
		return "The model has changed since: run the method again first.";
	return "";
}

/** About how long, in words. */
export function about(seconds: number): string {
	if (seconds < 1) return "under 1 s";
	if (seconds < 100) return `about ${Math.ceil(seconds)} s`;
	return `about ${Math.round(seconds / 60)} min`;
}
