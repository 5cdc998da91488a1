import type { Signal } from "@preact/signals";
import type { Store } from "../../model/store";
import { useView } from "./Layers";
import type { Piece } from "./outline";
import { type Point, pixelAt, type Size, toPicture } from "./viewport";

interface Props {
	store: Store;
	pane: Size;
	/** How a drag draws; null: it draws nothing, a press is told to `onPress`. */
	tool: "lasso" | "rectangle" | null;
	stroke: Signal<Point[]>;
	onPress?: (pixel: Point) => void;
	/** The line so far, each time that it grows. */
	onDraw?: (stroke: Point[]) => void;
	/** The closed line that was drawn, in picture pixels. */
	onDone: (stroke: Point[]) => void;
}

/** Takes the pointer from the pane: a drag draws here, and pans there. */
export function Stroke({
	store,
	pane,
	tool,
	stroke,
	onPress,
	onDraw,
	onDone,
}: Props) {
	const { picture, view } = useView(store, pane);
	const place = (event: PointerEvent) => {
		const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
		return toPicture(view, {
			x: event.clientX - box.left,
			y: event.clientY - box.top,
		});
	};
	const onPointerDown = (event: PointerEvent) => {
		if (event.button !== 0) return;
		event.stopPropagation();
		const at = place(event);
		if (!tool) {
			const pixel = pixelAt(picture, at);
			if (pixel) onPress?.(pixel);
			return;
		}
		(event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
		stroke.value = [at];
		onDraw?.(stroke.value);
	};
	const onPointerMove = (event: PointerEvent) => {
		const [start] = stroke.value;
		if (!start) return;
		const at = place(event);
		stroke.value =
			tool === "lasso" ? [...stroke.value, at] : corners(start, at);
		onDraw?.(stroke.value);
	};
	const onPointerUp = () => {
		const drawn = stroke.value;
		stroke.value = [];
		if (drawn.length > 0) onDone(drawn);
	};
	return (
		<div
			class="nbx-painter"
			onPointerDown={onPointerDown}
			onPointerMove={onPointerMove}
			onPointerUp={onPointerUp}
			onPointerCancel={() => {
				stroke.value = [];
			}}
		/>
	);
}

function corners(from: Point, to: Point): Point[] {
	return [from, { x: to.x, y: from.y }, to, { x: from.x, y: to.y }];
}

/** The pieces of the closed line through some points. */
export function closed(stroke: Point[]): Piece[] {
	return stroke.map((at, i) => [at, stroke[(i + 1) % stroke.length] as Point]);
}
