import type { LabelMap } from "../../model/runs";
import { type Point, toPane, type Viewport } from "./viewport";

/** A straight piece of border along the edges of pixels, in picture pixels. */
export type Piece = [from: Point, to: Point];

/**
 * The borders between regions, and, where one region is named, its own with those at the
 * picture's edge.
 */
export function borders(map: LabelMap, region?: number): Piece[] {
	const { width, height, labels } = map;
	const all = region === undefined;
	const labelAt = (x: number, y: number) => {
		const inside = x >= 0 && y >= 0 && x < width && y < height;
		const label = inside ? labels[y * width + x] : undefined;
		return all ? label : label === region;
	};
	const differ = (x: number, y: number, toX: number, toY: number) => {
		const a = labelAt(x, y);
		const b = labelAt(toX, toY);
		return a !== b && a !== undefined && b !== undefined;
	};
	return [
		...pieces(height, width, (line, at) => differ(at, line - 1, at, line)),
		...pieces(width, height, (line, at) => differ(line - 1, at, line, at)).map(
			(piece) => piece.map(({ x, y }) => ({ x: y, y: x })) as Piece,
		),
	];
}

/** Horizontal pieces, as long as they go. */
function pieces(
	lines: number,
	length: number,
	border: (line: number, at: number) => boolean,
): Piece[] {
	const found: Piece[] = [];
	for (let y = 0; y <= lines; y++)
		for (let x = 0; x < length; x++) {
			const from = x;
			while (x < length && border(y, x)) x++;
			if (x > from)
				found.push([
					{ x: from, y },
					{ x, y },
				]);
		}
	return found;
}

/** Strokes borders light on dark, so that they are seen on any colour. */
export function drawBorders(
	draw: CanvasRenderingContext2D,
	view: Viewport,
	borders: Piece[],
	width = 1.5,
) {
	draw.beginPath();
	for (const piece of borders) {
		const [from, to] = piece.map((point) => toPane(view, point)) as Piece;
		draw.moveTo(from.x, from.y);
		draw.lineTo(to.x, to.y);
	}
	draw.lineCap = "square";
	draw.lineWidth = 2 * width;
	draw.strokeStyle = "rgb(0 0 0 / 65%)";
	draw.stroke();
	draw.lineWidth = width;
	draw.strokeStyle = "white";
	draw.stroke();
}
