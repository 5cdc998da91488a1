import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { percentileOf } from "../../color/ranking";
import type { Heatmap, Store } from "../../model/store";
import { ordinal, plain, signed } from "./numbers";
import { context, type Raster } from "./raster";
import type { Scene } from "./scene";
import { cellAt, type Point, type Size } from "./viewport";

const QUIET = 500;

/** What lies under the pointer: place, value, rank and the picture's own colour. */
export function Readout({ store, scene }: { store: Store; scene: Scene }) {
	const pixel = store.ui.crosshair.value;
	const value = useValue(store, scene, pixel);
	const rgb = useColours(
		scene.picture,
		pixel && onto(scene.picture, store.traits._image.value, pixel),
	);
	const rank = value === null ? null : percentileOf(scene.ranking.value, value);
	const spoken = useQuiet(
		pixel && value !== null && rank !== null
			? `x ${pixel.x}, y ${pixel.y}: ${signed(value)}, ${ordinal(rank)} percentile`
			: "",
	);
	return (
		<div class="nbx-readout">
			{pixel ? (
				<>
					<span>
						x {pixel.x} y {pixel.y}
					</span>
					{value !== null && rank !== null && (
						<>
							<span>
								value <b>{signed(value)}</b>
							</span>
							<span>{ordinal(rank)} percentile</span>
						</>
					)}
					{rgb && <span>rgb {rgb.join(" ")}</span>}
				</>
			) : (
				<Summary scene={scene} />
			)}
			<span class="nbx-hidden" aria-live="polite">
				{spoken}
			</span>
		</div>
	);
}

/** Said while nothing is pointed at: how fine the map is and how large. */
function Summary({ scene }: { scene: Scene }) {
	const map = scene.heatmap.value;
	const largest = scene.ranking.value.at(-1);
	if (!map || !largest) return null;
	return (
		<>
			<span>
				{map.columns} × {map.rows} cells
			</span>
			<span>largest magnitude {plain(largest)}</span>
		</>
	);
}

function useValue(store: Store, scene: Scene, pixel: Point | null) {
	const map = scene.heatmap.value;
	if (!map || !pixel) return null;
	return valueAt(map, store.traits._image.value, pixel);
}

/** The value of the cell that covers a pixel: never an interpolated one. */
export function valueAt(map: Heatmap, picture: Size, pixel: Point): number {
	const { row, column } = cellAt(picture, map, pixel);
	return map.values[row * map.columns + column] ?? 0;
}

/** The same place on what is drawn, which may be coarser than the explained picture. */
function onto(drawn: Raster | null, picture: Size, pixel: Point): Point {
	if (!drawn) return pixel;
	const cells = { rows: drawn.height, columns: drawn.width };
	const { row, column } = cellAt(picture, cells, pixel);
	return { x: column, y: row };
}

/** Read back once for each picture: reading pixel by pixel would stall the pointer. */
export function useColours(picture: Raster | null, pixel: Point | null) {
	const asked = useRef(false);
	asked.current ||= pixel !== null;
	const wanted = asked.current ? picture : null;
	const data = useMemo(
		() =>
			wanted &&
			context(wanted)?.getImageData(0, 0, wanted.width, wanted.height).data,
		[wanted],
	);
	if (!data || !wanted || !pixel) return null;
	const at = 4 * (pixel.y * wanted.width + pixel.x);
	return [...data.slice(at, at + 3)];
}

/** A text that changes at most twice a second: a screen reader must be able to finish it. */
export function useQuiet(text: string): string {
	const [said, say] = useState(text);
	const latest = useRef(text);
	latest.current = text;
	useEffect(() => {
		if (text === said) return;
		const timer = setTimeout(() => say(latest.current), QUIET);
		return () => clearTimeout(timer);
	}, [text === said, said]);
	return said;
}
