import { type ReadonlySignal, useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { rank } from "../../color/ranking";
import { decodeMap } from "../../model/decode";
import type { Result } from "../../model/protocol";
import type { Head, Store } from "../../model/store";
import { alteredOf } from "./altered";
import { type Painting, painting } from "./painting";
import { difference, lockedLimit, takenOff } from "./pinned";
import { mixed, type Raster, useRaster } from "./raster";

/** All that is drawn in a pane. */
export interface Scene extends Painting {
	result: ReadonlySignal<Result | null>;
	/** What is drawn, in words. */
	description: ReadonlySignal<string | null>;
	picture: Raster | null;
}

/** The scene of the result that is shown. */
export function useScene(store: Store): Scene {
	const { ui, shown } = store;
	// The bytes, not the result, decide: a renamed result is not decoded again.
	const grid = useComputed(() => shown.value?.map ?? null);
	const other = useComputed(() => takenOff(store)?.result);
	const whole = useComputed(() => {
		const result = other.value && shown.value;
		if (result) return difference(store, result, other.value as Result);
		return grid.value && decodeMap(grid.value);
	});
	const attended = ui.attended;
	const heatmap = useComputed(
		() => attended.value ?? ui.scrubbed.value ?? whole.value,
	);
	// A path is read on the scale of its end: there the map only grows. A head has its own scale.
	const ranking = useComputed(() => {
		const measured = attended.value ?? whole.value;
		return measured ? rank(measured) : new Float32Array();
	});
	const signed = useComputed(
		() => !attended.value && (!!other.value || (shown.value?.signed ?? true)),
	);
	const description = useComputed(() => {
		if (ui.head.value) return `attention in ${nameOf(ui.head.value)}`;
		const name = takenOff(store)?.name;
		if (name) return `${shown.value?.title} less ${name}`;
		return shown.value?.description ?? null;
	});
	const limit = useComputed(
		() => ui.limit.value ?? (other.value ? null : lockedLimit(store)),
	);
	const painted = useMemo(
		() => painting(store, { heatmap, ranking, signed, limit }),
		[store],
	);
	return {
		...painted,
		result: shown,
		description,
		picture: usePicture(store),
	};
}

/** The picture, or the point on the path to it that the scrubber is at. */
function usePicture({ traits, shown, ui }: Store): Raster | null {
	const other = alteredOf({ ui })?.picture;
	const original = useRaster(other ?? traits._image.value);
	const baseline = useRaster(shown.value?.curve?.baseline);
	const alpha = ui.alpha.value;
	return useMemo(
		() =>
			original && baseline && alpha !== null
				? mixed(baseline, original, alpha)
				: original,
		[original, baseline, alpha],
	);
}

/** As Python counts layers and heads: from 0. */
export function nameOf({ layer, head }: Head): string {
	return `layer ${layer}, ${head < 0 ? "mean of the heads" : `head ${head}`}`;
}
