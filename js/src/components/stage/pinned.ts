import { batch } from "@preact/signals";
import { rank } from "../../color/ranking";
import { smooth } from "../../color/resample";
import { decodeMap } from "../../model/decode";
import { type Explained, explained } from "../../model/history";
import type { Result } from "../../model/protocol";
import type { Heatmap, Store } from "../../model/store";
import { limitOf } from "./painting";

/** The pinned result that is taken off the one that is shown. */
export function takenOff({ traits, ui }: Store): Explained | undefined {
	return explained(traits._history.value).find(
		({ id, pinned }) => pinned && id === ui.against.value,
	);
}

/** The last pinned result but the one that is shown. */
export function lastPinned({ traits, shown }: Store): Explained | undefined {
	return explained(traits._history.value).findLast(
		({ id, pinned }) => pinned && id !== shown.value?.id,
	);
}

/** What is shown less the last pinned result, or what is shown itself again. */
export function toggleDifference(store: Store) {
	const { ui } = store;
	const other = takenOff(store) ? undefined : lastPinned(store);
	batch(() => {
		if (!other && !takenOff(store))
			ui.announcement.value = "pin another result first: P";
		ui.against.value = other?.id ?? null;
		ui.limit.value = null;
	});
}

/**
 * The difference of two results: of one method in their unit, else of each relative to its own
 * clipping limit. Both are taken from the history, where they are kept equally finely.
 */
export function difference(
	{ traits }: Store,
	result: Result,
	other: Result,
): Heatmap | null {
	const kept = traits._history.value.find(({ id }) => id === result.id);
	const maps = [kept?.result ?? result, other].map(({ map }) => decodeMap(map));
	const [a, b] = maps;
	if (!a || !b) return null;
	const rows = Math.max(a.rows, b.rows);
	const columns = Math.max(a.columns, b.columns);
	const same = result.spec.method === other.spec.method;
	const [mine, theirs] = [a, b].map((map) => {
		const unit = same ? 1 : limitOf(rank(map), traits.clip.value) || 1;
		const fits = map.rows === rows && map.columns === columns;
		const { values } = fits ? map : smooth(map, rows, columns);
		return values.map((value) => value / unit);
	}) as [Float32Array, Float32Array];
	const values = mine.map((value, i) => value - (theirs[i] as number));
	return { rows, columns, values };
}

/** The one limit of all pinned results, for those; null where each has its own. */
export function lockedLimit({ traits, shown, ui }: Store): number | null {
	const items = explained(traits._history.value);
	const pinned = items.filter((item) => item.pinned);
	if (!ui.locked.value || !pinned.some(({ id }) => id === shown.value?.id))
		return null;
	const limits = pinned.map(({ result }) => {
		const map = decodeMap(result.map);
		return map ? limitOf(rank(map), traits.clip.value) : 0;
	});
	return Math.max(...limits) || null;
}
