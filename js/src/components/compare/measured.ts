import { computed, type ReadonlySignal } from "@preact/signals";
import { type Ranking, rank } from "../../color/ranking";
import { decodeMap } from "../../model/decode";
import type { Heatmap, Store } from "../../model/store";
import { limitOf, type Source } from "../stage/painting";

/** The map of one compared result, decoded once. */
export interface Measured {
	heatmap: Heatmap | null;
	ranking: Ranking;
}

export interface Measures {
	maps: ReadonlySignal<Measured[]>;
	/** One sign for all: a map without negative values lies on the scale of those that have some. */
	signed: ReadonlySignal<boolean>;
	/** The one limit that all share; null while each map has its own. */
	limit: ReadonlySignal<number | null>;
}

/** What the maps of the comparison have in common. */
export function measuresOf({ traits, ui }: Store): Measures {
	const comparison = traits._comparison;
	const maps = computed(
		() => comparison.value?.results.map(({ map }) => measure(map)) ?? [],
	);
	const signed = computed(
		() => comparison.value?.results.some((result) => result.signed) ?? true,
	);
	const limit = computed(() => {
		// Units of different methods are not the same: nothing could be shared.
		if (!ui.sameUnits.value || comparison.value?.kind !== "targets")
			return null;
		const clip = traits.clip.value;
		return Math.max(...maps.value.map(({ ranking }) => limitOf(ranking, clip)));
	});
	return { maps, signed, limit };
}

/** One of the compared maps, as it is to be painted. */
export function compared({ maps, ...shared }: Measures, at: number): Source {
	return {
		...shared,
		heatmap: computed(() => maps.value[at]?.heatmap ?? null),
		ranking: computed(() => maps.value[at]?.ranking ?? new Float32Array()),
	};
}

function measure(grid: Parameters<typeof decodeMap>[0]): Measured {
	const heatmap = decodeMap(grid);
	return { heatmap, ranking: heatmap ? rank(heatmap) : new Float32Array() };
}
