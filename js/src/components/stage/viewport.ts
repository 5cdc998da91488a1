export interface Size {
	width: number;
	height: number;
}

export interface Point {
	x: number;
	y: number;
}

export interface Box extends Point, Size {}

/** Which part of the picture a pane shows: `scale` screen pixels per picture pixel, from `left`, `top`. */
export interface Viewport {
	scale: number;
	left: number;
	top: number;
}

export const MOST_ZOOM = 64;
export const TALLEST = 420;
/** The proportions of the room that is kept for a picture that is still to come. */
const PLACEHOLDER = 4 / 3;

/** The largest pane with the picture's proportions that fits. */
export function paneSize(picture: Size, available: number): Size {
	const known = picture.width > 0 && picture.height > 0;
	const ratio = known ? picture.width / picture.height : PLACEHOLDER;
	const width = Math.max(1, Math.min(available, TALLEST * ratio));
	return { width: Math.round(width), height: Math.round(width / ratio) };
}

export function viewportOf(
	picture: Size,
	pane: Size,
	zoom: number,
	centre: Point | null,
): Viewport {
	const scale = (pane.width / picture.width) * zoom;
	const { x, y } = clampCentre(picture, zoom, centre);
	return {
		scale,
		left: x - pane.width / scale / 2,
		top: y - pane.height / scale / 2,
	};
}

/** The view never leaves the picture. */
export function clampCentre(
	picture: Size,
	zoom: number,
	centre: Point | null,
): Point {
	const clamp = (value: number, size: number) => {
		const half = size / zoom / 2;
		return Math.min(size - half, Math.max(half, value));
	};
	return {
		x: clamp(centre?.x ?? picture.width / 2, picture.width),
		y: clamp(centre?.y ?? picture.height / 2, picture.height),
	};
}

export function toPicture(view: Viewport, at: Point): Point {
	return { x: view.left + at.x / view.scale, y: view.top + at.y / view.scale };
}

export function toPane(view: Viewport, at: Point): Point {
	return {
		x: (at.x - view.left) * view.scale,
		y: (at.y - view.top) * view.scale,
	};
}

/** The pixel at a point, or null outside of the picture. */
export function pixelAt(picture: Size, { x, y }: Point): Point | null {
	const pixel = { x: Math.floor(x), y: Math.floor(y) };
	const inside =
		pixel.x >= 0 &&
		pixel.y >= 0 &&
		pixel.x < picture.width &&
		pixel.y < picture.height;
	return inside ? pixel : null;
}

/** The cell of a grid over the whole picture that covers a pixel. */
export function cellAt(
	picture: Size,
	{ rows, columns }: { rows: number; columns: number },
	{ x, y }: Point,
): { row: number; column: number } {
	return {
		row: Math.floor(((y + 0.5) * rows) / picture.height),
		column: Math.floor(((x + 0.5) * columns) / picture.width),
	};
}

/** The place of a cell on the picture. */
export function boxOf(
	picture: Size,
	{ rows, columns }: { rows: number; columns: number },
	{ row, column }: { row: number; column: number },
): Box {
	const width = picture.width / columns;
	const height = picture.height / rows;
	return { x: column * width, y: row * height, width, height };
}

/** The centre that keeps the picture's point `still` where it is while zooming. */
export function centreForZoom(
	picture: Size,
	from: { zoom: number; centre: Point | null },
	to: number,
	still: Point | null,
): Point {
	const centre = clampCentre(picture, from.zoom, from.centre);
	const fixed = still ?? centre;
	const share = from.zoom / to;
	return clampCentre(picture, to, {
		x: fixed.x + (centre.x - fixed.x) * share,
		y: fixed.y + (centre.y - fixed.y) * share,
	});
}
