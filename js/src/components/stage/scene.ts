import { type ReadonlySignal, useComputed } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import {
	colormapName,
	colour,
	type Look,
	scaleOf,
	table,
} from "../../color/colour";
import { percentile, type Ranking, rank } from "../../color/ranking";
import { smooth } from "../../color/resample";
import { decodeMap } from "../../model/decode";
import type { Result } from "../../model/protocol";
import type { Heatmap, Store } from "../../model/store";
import { fromPixels, mixed, type Raster, useRaster } from "./raster";

const FINEST = 1024;

/** All that is drawn, worked out from the store: each part only anew when what it needs changed. */
export interface Scene {
	result: ReadonlySignal<Result | null>;
	/** The values as computed, at the method's own resolution. */
	heatmap: ReadonlySignal<Heatmap | null>;
	ranking: ReadonlySignal<Ranking>;
	look: ReadonlySignal<Look>;
	/** The limit that the clip percentile asks for. */
	clipped: ReadonlySignal<number>;
	/** The colours of the heatmap over the picture, and on their own. */
	veil: ReadonlySignal<Raster | null>;
	opaque: ReadonlySignal<Raster | null>;
	picture: Raster | null;
}

export function useScene(store: Store): Scene {
	const { traits, ui } = store;
	useFreshView(store);
	const original = useRaster(traits._image.value);
	const baseline = useRaster(store.shown.value?.curve?.baseline);
	const alpha = ui.alpha.value;
	const picture = useMemo(
		() =>
			original && baseline && alpha !== null
				? mixed(baseline, original, alpha)
				: original,
		[original, baseline, alpha],
	);
	// The bytes, not the result, decide: a renamed result is not decoded again.
	const grid = useComputed(() => store.shown.value?.map ?? null);
	const whole = useComputed(() => grid.value && decodeMap(grid.value));
	const heatmap = useComputed(() => ui.scrubbed.value ?? whole.value);
	// A path is read on the scale of its end: there the map only grows.
	const ranking = useComputed(() =>
		whole.value ? rank(whole.value) : new Float32Array(),
	);
	const clipped = useComputed(() => limitOf(ranking.value, traits.clip.value));
	const twoSided = useComputed(
		() =>
			(store.shown.value?.signed ?? true) && traits.sign.value !== "absolute",
	);
	const name = useComputed(() =>
		colormapName(traits.colormap.value, twoSided.value),
	);
	const colours = useComputed(() => table(name.value));
	const look = useComputed<Look>(() => ({
		table: colours.value,
		scale: scaleOf(name.value, twoSided.value),
		limit: ui.limit.value ?? clipped.value,
		floor: floorOf(ranking.value, traits.threshold.value),
		sign: traits.sign.value,
		alpha: twoSided.value ? "veil" : "magnitude",
	}));
	const fine = useComputed(() => {
		const { width, height } = traits._image.value;
		return refine(heatmap.value, traits.native.value, width, height);
	});
	const raster = (map: Heatmap | null, how: Look) =>
		map && fromPixels(colour(map, how), map.columns, map.rows);
	const veil = useComputed(() => raster(fine.value, look.value));
	const opaque = useComputed(() =>
		raster(fine.value, { ...look.value, alpha: "opaque" }),
	);
	const result = store.shown;
	return { result, heatmap, ranking, look, clipped, veil, opaque, picture };
}

/** A scale set by hand is for one method, and a magnified place for one picture. */
function useFreshView({ traits, shown, ui }: Store) {
	const method = shown.value?.spec.method;
	const picture = traits._image.value;
	useEffect(() => {
		ui.limit.value = null;
	}, [method]);
	useEffect(() => {
		ui.zoom.value = 1;
		ui.centre.value = null;
	}, [picture]);
}

/** A map that is zero but for a few cells has a percentile of zero: then its maximum counts. */
function limitOf(ranking: Ranking, clip: number): number {
	return percentile(ranking, clip) || (ranking.at(-1) ?? 0);
}

function floorOf(ranking: Ranking, threshold: number): number {
	return threshold > 0 ? percentile(ranking, threshold) : 0;
}

/** A coarse map at the picture's resolution, unless its cells are to be seen as computed. */
function refine(
	map: Heatmap | null,
	native: boolean,
	width: number,
	height: number,
): Heatmap | null {
	if (!map || native) return map;
	const finer = map.columns < width || map.rows < height;
	if (!finer || width < 1 || height < 1) return map;
	const shrink = Math.min(1, FINEST / Math.max(width, height));
	return smooth(map, Math.round(height * shrink), Math.round(width * shrink));
}
