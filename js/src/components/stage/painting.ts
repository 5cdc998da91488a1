import { computed, type ReadonlySignal } from "@preact/signals";
import { colour, type Look, palette } from "../../color/colour";
import { percentile, type Ranking } from "../../color/ranking";
import { smooth } from "../../color/resample";
import type { Heatmap, Store } from "../../model/store";
import { fromPixels, type Raster } from "./raster";

const FINEST = 1024;

/** A map before it is coloured. */
export interface Source {
	/** The values as computed, at the method's own resolution. */
	heatmap: ReadonlySignal<Heatmap | null>;
	ranking: ReadonlySignal<Ranking>;
	signed: ReadonlySignal<boolean>;
	/** The end of the colours; null means that the clip percentile decides. */
	limit: ReadonlySignal<number | null>;
}

export interface Painting extends Pick<Source, "heatmap" | "ranking"> {
	look: ReadonlySignal<Look>;
	/** The colours of the map over the picture, and on their own. */
	veil: ReadonlySignal<Raster | null>;
	opaque: ReadonlySignal<Raster | null>;
}

/** A map in the colours of the look: each part only anew when what it needs changed. */
export function painting({ traits }: Store, source: Source): Painting {
	const { heatmap, ranking, signed, limit } = source;
	const twoSided = computed(
		() => signed.value && traits.sign.value !== "absolute",
	);
	const colours = computed(() =>
		palette(traits.colormap.value, twoSided.value),
	);
	const look = computed<Look>(() => ({
		...colours.value,
		limit: limit.value ?? limitOf(ranking.value, traits.clip.value),
		floor: floorOf(ranking.value, traits.threshold.value),
		sign: traits.sign.value,
		alpha: twoSided.value ? "veil" : "magnitude",
	}));
	const fine = computed(() => {
		const { width, height } = traits._image.value;
		return refine(heatmap.value, traits.native.value, width, height);
	});
	const raster = (map: Heatmap | null, how: Look) =>
		map && fromPixels(colour(map, how), map.columns, map.rows);
	const veil = computed(() => raster(fine.value, look.value));
	const opaque = computed(() =>
		raster(fine.value, { ...look.value, alpha: "opaque" }),
	);
	return { heatmap, ranking, look, veil, opaque };
}

/** A map that is zero but for a few cells has a percentile of zero: then its maximum counts. */
export function limitOf(ranking: Ranking, clip: number): number {
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
