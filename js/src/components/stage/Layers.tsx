import { useLayoutEffect, useRef } from "preact/hooks";
import type { Store } from "../../model/store";
import { drawLayer, drawMarks } from "./draw";
import type { Raster } from "./raster";
import type { Scene } from "./scene";
import {
	type Box,
	boxOf,
	cellAt,
	type Point,
	type Size,
	viewportOf,
} from "./viewport";

export interface LayerProps {
	store: Store;
	scene: Scene;
	pane: Size;
}

/** A canvas is redrawn when its own signals change: hovering leaves picture and map alone. */
export function Canvas(props: {
	class: string;
	label?: string;
	style?: Record<string, string | number>;
	draw: (canvas: HTMLCanvasElement) => void;
}) {
	const canvas = useRef<HTMLCanvasElement>(null);
	useLayoutEffect(() => {
		if (canvas.current) props.draw(canvas.current);
	});
	return (
		<canvas
			ref={canvas}
			class={props.class}
			style={props.style}
			role={props.label ? "img" : undefined}
			aria-label={props.label}
			aria-hidden={!props.label}
		/>
	);
}

export function useView(store: Store, pane: Size) {
	const picture = store.traits._image.value;
	const { zoom, centre } = store.ui;
	return { picture, view: viewportOf(picture, pane, zoom.value, centre.value) };
}

export function PictureLayer(props: LayerProps & { label: string }) {
	const { store, scene, pane, label } = props;
	const { picture, view } = useView(store, pane);
	const layer = { raster: scene.picture, sharp: false };
	return (
		<Canvas
			class="nbx-canvas"
			label={label}
			draw={(canvas) => drawLayer(canvas, pane, view, picture, layer)}
		/>
	);
}

interface MapProps extends LayerProps {
	raster: Raster | null;
	opacity: number;
	/** Left of this share of the pane the map is cut away. */
	from?: number;
	label?: string;
}

export function MapLayer(props: MapProps) {
	const { store, pane, raster, opacity, from = 0, label } = props;
	const { picture, view } = useView(store, pane);
	const layer = { raster, sharp: store.traits.native.value };
	return (
		<Canvas
			class="nbx-canvas nbx-map"
			label={label}
			style={{
				"--opacity": opacity,
				clipPath: from > 0 ? `inset(0 0 0 ${100 * from}%)` : "none",
			}}
			draw={(canvas) => drawLayer(canvas, pane, view, picture, layer)}
		/>
	);
}

export function MarkLayer({ store, pane }: LayerProps) {
	const { view } = useView(store, pane);
	const pixel = store.ui.crosshair.value;
	const box = pixel && patchUnder(store, pixel);
	return (
		<Canvas
			class="nbx-canvas"
			draw={(canvas) => drawMarks(canvas, pane, view, pixel, box)}
		/>
	);
}

/** The patch that is being asked where it attends. */
function patchUnder({ traits, ui, shown }: Store, pixel: Point): Box | null {
	const heads = shown.value?.heads;
	if (!ui.head.value || !heads) return null;
	const [rows = 1, columns = 1] = heads.grid;
	const patches = { rows, columns };
	const picture = traits._image.value;
	return boxOf(picture, patches, cellAt(picture, patches, pixel));
}
