import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { alike, type Division, enclosed, paint } from "../../model/painted";
import type { LabelMap } from "../../model/runs";
import type { Store } from "../../model/store";
import { prepare } from "./draw";
import { Canvas, useView } from "./Layers";
import { borders, drawBorders, type Piece } from "./outline";
import { type Point, pixelAt, type Size, toPane, toPicture } from "./viewport";

interface Props {
	store: Store;
	pane: Size;
}

/** Gives pixels to the region that is added to, or to a new one. */
export function paintOn({ ui }: Store, pixels: number[]) {
	const before = ui.painted.value;
	if (!before) return;
	const after = paint(before, pixels, ui.adding.value);
	// Painted over, a region is gone: the numbers of those behind it have changed.
	if (after.names.length < before.names.length) ui.adding.value = null;
	ui.painted.value = after;
}

/** The outlines of the regions in use; with a tool, where they are painted. */
export function Painter({ store, pane }: Props) {
	const { outlined, painted, pieces, tool } = store.ui;
	const division = tool.value ? painted.value : outlined.value;
	const parts = tool.value === "superpixel" ? pieces.value : null;
	const stroke = useSignal<Point[]>([]);
	if (!division) return null;
	return (
		<>
			<Outlines
				store={store}
				pane={pane}
				division={division}
				parts={parts}
				stroke={stroke.value}
			/>
			{tool.value && <Strokes store={store} pane={pane} stroke={stroke} />}
		</>
	);
}

interface StrokesProps extends Props {
	stroke: { value: Point[] };
}

/** Takes the pointer from the pane: a drag draws here, and pans there. */
function Strokes({ store, pane, stroke }: StrokesProps) {
	const { tool, pieces } = store.ui;
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
		const pixel = pixelAt(picture, at);
		if (tool.value === "superpixel") {
			if (pieces.value && pixel)
				paintOn(store, alike(pieces.value, pixel.y * picture.width + pixel.x));
			return;
		}
		(event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
		stroke.value = [at];
	};
	const onPointerMove = (event: PointerEvent) => {
		const [start] = stroke.value;
		if (!start) return;
		const at = place(event);
		stroke.value =
			tool.value === "lasso" ? [...stroke.value, at] : corners(start, at);
	};
	const onPointerUp = () => {
		paintOn(store, enclosed(stroke.value, picture));
		stroke.value = [];
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

interface OutlinesProps extends Props {
	division: Division;
	/** Drawn thinner: what can be added by a click. */
	parts: LabelMap | null;
	stroke: Point[];
}

function Outlines({ store, pane, division, parts, stroke }: OutlinesProps) {
	const { view } = useView(store, pane);
	const strong = useMemo(() => borders(division.map), [division.map]);
	const thin = useMemo(() => (parts ? borders(parts) : []), [parts]);
	const drawn: Piece[] = stroke.map((at, i) => [
		at,
		stroke[(i + 1) % stroke.length] as Point,
	]);
	const named = store.ui.tool.value ? division : { ...division, names: [] };
	const places = useMemo(() => centres(named), [named.map, named.names.length]);
	return (
		<>
			<Canvas
				class="nbx-canvas"
				draw={(canvas) => {
					const draw = prepare(canvas, pane);
					if (!draw) return;
					drawBorders(draw, view, thin, 0.5);
					drawBorders(draw, view, [...strong, ...drawn], 1.5);
				}}
			/>
			{places.map((place, i) => {
				const { x, y } = toPane(view, place);
				return (
					<span
						key={i}
						class="nbx-badge nbx-region"
						style={{ left: `${x}px`, top: `${y}px` }}
					>
						{named.names[i]}
					</span>
				);
			})}
		</>
	);
}

/** The middle of each named region. */
function centres({ map, names }: Division): Point[] {
	const sums = names.map(() => ({ x: 0, y: 0, count: 0 }));
	map.labels.forEach((label, i) => {
		const sum = sums[label - 1];
		if (!sum) return;
		sum.x += (i % map.width) + 0.5;
		sum.y += Math.floor(i / map.width) + 0.5;
		sum.count++;
	});
	return sums.map(({ x, y, count }) => ({ x: x / count, y: y / count }));
}
