import { useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Store } from "../../model/store";
import { useLabels } from "../stage/Regions";
import { cellAt } from "../stage/viewport";

/** The player under the pointer on the stage is pointed at here as well. */
export function usePointing(store: Store) {
	const { crosshair, pointed } = store.ui;
	const labels = useLabels(store);
	useSignalEffect(() => {
		const pixel = crosshair.value;
		const map = labels.value;
		if (!map) return;
		if (!pixel) {
			pointed.value = null;
			return;
		}
		const cells = { rows: map.height, columns: map.width };
		const { row, column } = cellAt(store.traits._image.value, cells, pixel);
		const player = map.labels[row * map.width + column];
		if (player !== undefined && pointed.peek()?.[0] !== player)
			pointed.value = [player];
	});
	useEffect(
		() => () => {
			pointed.value = null;
		},
		[],
	);
}
