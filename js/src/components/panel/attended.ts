import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { decodeMaps } from "../../model/decode";
import type { Heads, Result } from "../../model/protocol";
import type { Heatmap, Store } from "../../model/store";
import { reason } from "../controls/reason";
import { cellAt } from "../stage/viewport";

export interface Attention {
	/** One row a layer: its heads, and their mean at the end. */
	rows: Heatmap[][];
	/** Why there is none, in words. */
	trouble: string;
}

/**
 * The maps of all heads. The enlarged one is drawn on the stage, and while a patch is pointed at
 * there, where that patch attends.
 */
export function useAttention(
	store: Store,
	{ id }: Result,
	heads: Heads,
): Attention {
	const { head, attended, crosshair } = store.ui;
	const rows = useSignal<Heatmap[][]>([]);
	const trouble = useSignal("");
	const fail = (failure: unknown) => {
		trouble.value = reason(failure);
	};
	const online = store.online.value;
	// The heads of the last result stay until those of the next are there: nothing jumps.
	useEffect(() => {
		let wanted = online;
		// A saved page brings them along.
		if (heads.maps && !online)
			rows.value = byLayer(decodeMaps(heads.maps), heads.heads);
		if (wanted)
			store
				.heads(id)
				.then(({ maps }) => {
					if (!wanted) return;
					rows.value = byLayer(maps, heads.heads);
					trouble.value = "";
				})
				.catch(fail);
		return () => {
			wanted = false;
		};
	}, [id, online]);
	useSignalEffect(() => {
		const chosen = head.value;
		const pixel = crosshair.value;
		const own = chosen && rows.value[chosen.layer]?.at(chosen.head);
		attended.value = (pixel && chosen && attended.peek()) ?? own ?? null;
		if (!chosen || !pixel || !store.online.value) return;
		const [height = 1, width = 1] = heads.grid;
		const patches = { rows: height, columns: width };
		const { row, column } = cellAt(store.traits._image.value, patches, pixel);
		store
			.attention(id, chosen.layer, chosen.head)
			.then(({ maps }) => {
				if (head.peek() !== chosen || crosshair.peek() !== pixel) return;
				attended.value = maps[row * width + column] ?? null;
			})
			.catch(fail);
	});
	useEffect(
		() => () => {
			head.value = null;
			attended.value = null;
		},
		[id],
	);
	return { rows: rows.value, trouble: trouble.value };
}

/** The mean comes last, so that head -1 is found where Python would look for it. */
function byLayer(maps: Heatmap[], heads: number): Heatmap[][] {
	const layers = Math.floor(maps.length / heads);
	return Array.from({ length: layers }, (_, layer) => {
		const own = maps.slice(layer * heads, (layer + 1) * heads);
		return [...own, mean(own)];
	});
}

function mean(maps: Heatmap[]): Heatmap {
	const [first] = maps as [Heatmap];
	const values = first.values.map((_, i) => {
		const sum = maps.reduce((so, map) => so + (map.values[i] ?? 0), 0);
		return sum / maps.length;
	});
	return { ...first, values };
}
