import { batch } from "@preact/signals";
import type { Store } from "../../model/store";
import { centreForZoom, clampCentre, MOST_ZOOM, type Point } from "./viewport";

/** Sets the magnification, 1 to 64, keeping the picture's point `still` in place. */
export function zoomTo(
	store: Store,
	wanted: number,
	still: Point | null = null,
) {
	const { zoom, centre } = store.ui;
	const picture = store.traits._image.value;
	const to = Math.min(MOST_ZOOM, Math.max(1, wanted));
	const from = { zoom: zoom.value, centre: centre.value };
	batch(() => {
		centre.value = to === 1 ? null : centreForZoom(picture, from, to, still);
		zoom.value = to;
	});
}

export function panBy(store: Store, dx: number, dy: number) {
	const { zoom, centre } = store.ui;
	const picture = store.traits._image.value;
	const { x, y } = clampCentre(picture, zoom.value, centre.value);
	centre.value = clampCentre(picture, zoom.value, { x: x + dx, y: y + dy });
}

/** Moves the crosshair by whole pixels and lets the view follow it. */
export function moveCrosshair(store: Store, dx: number, dy: number) {
	const { crosshair, zoom, centre } = store.ui;
	const { width, height } = store.traits._image.value;
	const from = crosshair.value ?? {
		x: Math.floor(width / 2),
		y: Math.floor(height / 2),
	};
	const to = {
		x: Math.min(width - 1, Math.max(0, from.x + dx)),
		y: Math.min(height - 1, Math.max(0, from.y + dy)),
	};
	batch(() => {
		crosshair.value = to;
		if (zoom.value > 1)
			centre.value = clampCentre({ width, height }, zoom.value, to);
	});
}
