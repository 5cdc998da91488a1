import type { Removed } from "../../model/protocol";
import { figure } from "../controls/number";

/** The score along the order of the map, before the band of random orders. */
export function RemovedView({ removed }: { removed: Removed }) {
	const { share, score, mean, low, high, moved, orders, unit, fill } = removed;
	const known = score.filter((value) => value !== null);
	const all = [...known, ...low, ...high];
	if (all.length === 0) return null;
	const bottom = Math.min(0, ...all);
	const top = Math.max(...all);
	const at = (value: number, i: number) => {
		const y = 100 * (1 - (value - bottom) / (top - bottom || 1));
		return `${(100 * (share[i] ?? 0)).toFixed(2)},${y.toFixed(2)}`;
	};
	const line = strokes(score).map((stroke) =>
		stroke.map(([i, value]) => at(value, i)).join("L"),
	);
	const band = [...high.map(at), ...low.map(at).reverse()];
	return (
		<figure class="nbx-removed-curve">
			<div
				class="nbx-curve-plot"
				role="img"
				aria-label={`${unit} as places are ${moved}, from ${figure(known[0] ?? 0)} to ${figure(known.at(-1) ?? 0)}, beside ${orders} random orders`}
			>
				<svg
					viewBox="0 0 100 100"
					preserveAspectRatio="none"
					aria-hidden="true"
				>
					{orders > 1 && (
						<>
							<path class="nbx-band" d={`M${band.join("L")}Z`} />
							<path class="nbx-band-mean" d={`M${mean.map(at).join("L")}`} />
						</>
					)}
					<path class="nbx-curve-line" d={`M${line.join("M")}`} />
				</svg>
				<span
					class="nbx-curve-top"
					data-left={moved === "put back"}
					aria-hidden="true"
				>
					{figure(top)}
				</span>
			</div>
			<div class="nbx-curve-ends" aria-hidden="true">
				<span>0</span>
				<span>share {moved}</span>
				<span>1</span>
			</div>
			<figcaption>
				<span class="nbx-key nbx-key-line">{unit}, the map's order</span>
				{orders > 1 && (
					<span class="nbx-key nbx-key-band">
						{orders} random maps, 90 % and mean
					</span>
				)}
				<span>fill: {fill}</span>
			</figcaption>
		</figure>
	);
}

/** Runs of known points with their places: where one is not known yet the line is broken. */
function strokes(score: (number | null)[]): [number, number][][] {
	const found: [number, number][][] = [];
	score.forEach((value, i) => {
		if (value === null) return;
		const last = found.at(-1);
		if (last && i > 0 && score[i - 1] !== null) last.push([i, value]);
		else found.push([[i, value]]);
	});
	return found;
}
