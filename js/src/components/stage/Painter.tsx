import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { alike, type Division, enclosed, paint } from "../../model/painted";
import { repaint } from "../../model/painting";
import type { LabelMap } from "../../model/runs";
import type { Store } from "../../model/store";
import { prepare } from "./draw";
import { Canvas, useView } from "./Layers";
import { borders, drawBorders } from "./outline";
import { closed, Stroke } from "./Stroke";
import { type Point, type Size, toPane } from "./viewport";

interface Props {
	store: Store;
	pane: Size;
}

/** Gives pixels to the region that is added to, or to a new one. */
export function paintOn({ ui }: Store, pixels: number[]) {
	const before = ui.painted.value;
	if (before) repaint(ui, paint(before, pixels, ui.adding.value));
}

/** The outlines of the regions in use; with a tool, where they are painted. */
export function Painter({ store, pane }: Props) {
	const { outlined, painted, pieces, tool } = store.ui;
	const division = tool.value ? painted.value : outlined.value;
	const parts = tool.value === "superpixel" ? pieces.value : null;
	const stroke = useSignal<Point[]>([]);
	const picture = store.traits._image.value;
	const { width } = picture;
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
			{tool.value && (
				<Stroke
					store={store}
					pane={pane}
					tool={tool.value === "superpixel" ? null : tool.value}
					stroke={stroke}
					onPress={({ x, y }) => {
						if (pieces.value)
							paintOn(store, alike(pieces.value, y * width + x));
					}}
					onDone={(drawn) => paintOn(store, enclosed(drawn, picture))}
				/>
			)}
		</>
	);
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
	const drawn = closed(stroke);
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
