import { useComputed } from "@preact/signals";
import { decodeRuns, type LabelMap } from "../../model/runs";
import type { Store } from "../../model/store";
import { prepare } from "./draw";
import { Canvas, useView } from "./Layers";
import { borders, drawBorders, type Piece } from "./outline";
import type { Size } from "./viewport";

/** Which player each pixel of the picture belongs to; null where the players are not regions. */
export function useLabels(store: Store) {
	// The bytes, not the result, decide: a renamed result is not decoded again.
	const runs = useComputed(() => store.shown.value?.players?.labels);
	return useComputed(() => {
		const [rows = 0, columns = 0] = runs.value?.shape ?? [];
		return runs.value ? decodeRuns(runs.value.data, columns, rows) : null;
	});
}

/** The outlines of the players that are pointed at, and thinner of those that are taken away. */
export function RegionLayer({ store, pane }: { store: Store; pane: Size }) {
	const { pointed, removed } = store.ui;
	const labels = useLabels(store);
	const strong = useComputed(() => outlines(labels.value, pointed.value ?? []));
	const thin = useComputed(() => outlines(labels.value, removed.value));
	const { picture, view } = useView(store, pane);
	const map = labels.value;
	// While regions are painted, those of before would be taken for them.
	if (store.ui.tool.value) return null;
	if (!map || (strong.value.length === 0 && thin.value.length === 0))
		return null;
	const onPicture = {
		...view,
		scale: (view.scale * picture.width) / map.width,
		left: (view.left * map.width) / picture.width,
		top: (view.top * map.height) / picture.height,
	};
	return (
		<Canvas
			class="nbx-canvas"
			draw={(canvas) => {
				const draw = prepare(canvas, pane);
				if (!draw) return;
				drawBorders(draw, onPicture, thin.value, 0.75);
				drawBorders(draw, onPicture, strong.value);
			}}
		/>
	);
}

function outlines(map: LabelMap | null, players: number[]): Piece[] {
	return map ? players.flatMap((player) => borders(map, player)) : [];
}
