import { context, type Raster } from "./raster";
import type { Box, Point, Size, Viewport } from "./viewport";
import { toPane } from "./viewport";

const HONEST_ZOOM = 4;

export interface Layer {
	raster: Raster | null;
	/** Cells with hard edges, at any magnification. */
	sharp: boolean;
}

/** Sizes a canvas for the screen's density and clears it. */
export function prepare(canvas: HTMLCanvasElement, pane: Size) {
	const density = window.devicePixelRatio || 1;
	const width = Math.round(pane.width * density);
	const height = Math.round(pane.height * density);
	if (canvas.width !== width) canvas.width = width;
	if (canvas.height !== height) canvas.height = height;
	const draw = context(canvas);
	draw?.setTransform(density, 0, 0, density, 0, 0);
	draw?.clearRect(0, 0, pane.width, pane.height);
	return draw;
}

/** Draws a raster over the whole picture, as far as the viewport shows it. */
export function drawLayer(
	canvas: HTMLCanvasElement,
	pane: Size,
	view: Viewport,
	picture: Size,
	{ raster, sharp }: Layer,
) {
	const draw = prepare(canvas, pane);
	if (!draw || !raster) return;
	const zoom = (view.scale * picture.width) / pane.width;
	draw.imageSmoothingEnabled = !sharp && zoom < HONEST_ZOOM;
	draw.imageSmoothingQuality = "high";
	draw.drawImage(
		raster,
		-view.left * view.scale,
		-view.top * view.scale,
		picture.width * view.scale,
		picture.height * view.scale,
	);
}

/** A ring around a pixel; once pixels are large, the pixel's own outline; or the box it speaks for. */
export function drawMarks(
	canvas: HTMLCanvasElement,
	pane: Size,
	view: Viewport,
	pixel: Point | null,
	box: Box | null,
) {
	const draw = prepare(canvas, pane);
	if (!draw || !pixel) return;
	const corner = toPane(view, pixel);
	const half = view.scale / 2;
	const rectangle = ({ x, y, width, height }: Box) => {
		const at = toPane(view, { x, y });
		draw.rect(at.x, at.y, width * view.scale, height * view.scale);
	};
	const outline = () => {
		draw.beginPath();
		if (box) rectangle(box);
		else if (view.scale >= 10) rectangle({ ...pixel, width: 1, height: 1 });
		else draw.arc(corner.x + half, corner.y + half, 6, 0, 2 * Math.PI);
		draw.stroke();
	};
	// Light on dark: visible on any colour.
	draw.lineWidth = 3;
	draw.strokeStyle = "rgb(0 0 0 / 65%)";
	outline();
	draw.lineWidth = 1.5;
	draw.strokeStyle = "white";
	outline();
}
