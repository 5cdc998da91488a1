import { useMemo } from "preact/hooks";
import type { Comparison } from "../../model/protocol";
import type { Store } from "../../model/store";
import { signed } from "../stage/numbers";
import { Predictions } from "../stage/Predictions";
import { useColours, useQuiet, valueAt } from "../stage/Readout";
import { type Raster, useRaster } from "../stage/raster";
import { paneSize } from "../stage/viewport";
import { comparisonStale } from "./compared";
import { Multiple } from "./Multiple";
import { type Measures, measuresOf } from "./measured";
import { nameOf } from "./names";
import { SharedScale } from "./SharedScale";

const GAP = 12;
/** From this width on, three pictures beside each other can still be read. */
const WIDE = 560;

interface Props {
	store: Store;
	/** The width that there is. */
	available: number;
	comparison: Comparison;
}

/** Small multiples: the same picture under each map, the same place, the same crosshair. */
export function Multiples({ store, available, comparison }: Props) {
	const measures = useMemo(() => measuresOf(store), [store]);
	const picture = useRaster(store.traits._image.value);
	const columns = columnsFor(comparison.results.length, available);
	const room = (available - GAP * (columns - 1)) / columns;
	const pane = paneSize(store.traits._image.value, room);
	const width = pane.width * columns + GAP * (columns - 1);
	const stale = comparisonStale(store) ? " nbx-stale" : "";
	return (
		<>
			<ol
				class={`nbx-multiples${stale}`}
				aria-label="compared maps"
				style={{ "--columns": columns, "--pane": `${pane.width}px` }}
			>
				{comparison.results.map((result, at) => (
					<Multiple
						key={`${at} ${result.id}`}
						store={store}
						at={at}
						kind={comparison.kind}
						picture={picture}
						pane={pane}
						measures={measures}
					/>
				))}
			</ol>
			<div class="nbx-below" style={{ "--pane": `${width}px` }}>
				<Place store={store} measures={measures} picture={picture} />
				<SharedScale store={store} measures={measures} kind={comparison.kind} />
				<Predictions store={store} />
			</div>
		</>
	);
}

/** Four stand better as two by two than as three and one. */
export function columnsFor(count: number, available: number): number {
	const most = available >= WIDE && count !== 4 ? 3 : 2;
	return Math.min(most, count);
}

interface PlaceProps {
	store: Store;
	measures: Measures;
	picture: Raster | null;
}

/** Where the crosshair is. The values stand in the pictures; here they are said. */
function Place({ store, measures, picture }: PlaceProps) {
	const { traits, ui } = store;
	const pixel = ui.crosshair.value;
	const rgb = useColours(picture, pixel);
	const { kind, results = [] } = traits._comparison.value ?? {};
	const values = measures.maps.value.map(({ heatmap }, at) => {
		const result = results[at];
		if (!pixel || !heatmap || !result) return "";
		const value = valueAt(heatmap, traits._image.value, pixel);
		return `${nameOf(result, kind)} ${signed(value)}`;
	});
	const spoken = useQuiet(
		pixel ? `x ${pixel.x}, y ${pixel.y}: ${values.join(", ")}` : "",
	);
	const first = results[0];
	return (
		<div class="nbx-readout">
			{pixel ? (
				<span>
					x {pixel.x} y {pixel.y}
				</span>
			) : (
				<span>
					{kind === "methods" ? `for ${first?.target}` : first?.title}
				</span>
			)}
			{rgb && <span>rgb {rgb.join(" ")}</span>}
			<span class="nbx-hidden" aria-live="polite">
				{spoken}
			</span>
		</div>
	);
}
