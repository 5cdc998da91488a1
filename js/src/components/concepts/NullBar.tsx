import type { Tested } from "../../model/protocol";
import { figure } from "../controls/number";
import { probability } from "./tested";

const HEIGHT = 30;
const BAR = 8;

/** The farthest from 0 that a magnitude or its chance goes. */
export function reachOf(rows: Tested[]): number {
	const all = rows.flatMap(({ magnitude, null: chance }) => [
		magnitude,
		chance.low,
		chance.high,
	]);
	return Math.max(...all.map(Math.abs)) || 1;
}

interface Props {
	tested: Tested;
	/** Both ends of the scale, which all concepts of a layer share. */
	reach: number;
}

/** By how much the concept moves the score, before what sets without it do. */
export function NullBar({ tested, reach }: Props) {
	const { magnitude, significant, found, p, q } = tested;
	const x = (value: number) => 50 + (46 * value) / reach;
	const sign = magnitude > 0 ? "positive" : "negative";
	const from = Math.min(x(0), x(magnitude));
	const width = Math.abs(x(magnitude) - x(0));
	return (
		<div class="nbx-null">
			<svg
				viewBox={`0 0 100 ${HEIGHT}`}
				preserveAspectRatio="none"
				role="img"
				aria-label={`magnitude ${figure(magnitude)}, p ${probability(p)}, corrected ${probability(q)}`}
			>
				<path class="nbx-null-chance" d={outline(tested, x)} />
				<line class="nbx-hairline" x1={x(0)} x2={x(0)} y1="0" y2={HEIGHT} />
				{found && (
					<rect
						class="nbx-null-bar"
						data-sign={significant ? sign : "none"}
						x={from}
						width={Math.max(width, 0.4)}
						y={HEIGHT - BAR - 2}
						height={BAR}
					/>
				)}
			</svg>
			<span class="nbx-figure">
				{figure(magnitude)} · q {probability(q)}
			</span>
		</div>
	);
}

/** The histogram as one closed line. */
function outline(
	{ null: { low, high, counts } }: Tested,
	x: (value: number) => number,
): string {
	const most = Math.max(...counts, 1);
	const width = (high - low) / counts.length;
	const base = HEIGHT - 2;
	const steps = counts.map((count, bin) => {
		const y = (base - (count / most) * (HEIGHT - 6)).toFixed(1);
		const [from, to] = [bin, bin + 1].map((edge) =>
			x(low + edge * width).toFixed(2),
		);
		return `L${from} ${y}L${to} ${y}`;
	});
	return `M${x(low).toFixed(2)} ${base}${steps.join("")}L${x(high).toFixed(2)} ${base}Z`;
}
