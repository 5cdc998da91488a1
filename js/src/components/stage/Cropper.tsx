import { useSignal } from "@preact/signals";
import type { Store } from "../../model/store";
import { crop } from "../concepts/cropping";
import { prepare } from "./draw";
import { Canvas, useView } from "./Layers";
import { drawBorders } from "./outline";
import { closed, Stroke } from "./Stroke";
import type { Point, Size } from "./viewport";

/** Where a part of the picture is cut out as an example of a concept. */
export function Cropper({ store, pane }: { store: Store; pane: Size }) {
	const { tool } = store.ui.concepts;
	const stroke = useSignal<Point[]>([]);
	const { view } = useView(store, pane);
	if (!tool.value) return null;
	return (
		<>
			<Canvas
				class="nbx-canvas"
				draw={(canvas) => {
					const draw = prepare(canvas, pane);
					if (draw) drawBorders(draw, view, closed(stroke.value), 1.5);
				}}
			/>
			<Stroke
				store={store}
				pane={pane}
				tool={tool.value}
				stroke={stroke}
				onDone={(drawn) => {
					crop(store, drawn);
				}}
			/>
		</>
	);
}
