import { figure } from "../controls/number";

interface Props {
	label: string;
	/** The first is drawn in the accent colour, the others softer. */
	lines: number[][];
	/** What stands below the first and the last value. */
	ends: [string, string];
	/** Top and bottom; by default those of the values. */
	range?: [low: number, high: number];
}

/** Lines over equal steps. */
export function Curve({ label, lines, ends, range }: Props) {
	const all = lines.flat().filter(Number.isFinite);
	if (all.length < 2) return null;
	const [low, high] = range ?? [Math.min(...all), Math.max(...all)];
	const path = (values: number[]) =>
		`M${values
			.map((value, i) => {
				const x = (100 * i) / Math.max(1, values.length - 1);
				const y = 100 * (1 - (value - low) / (high - low || 1));
				return `${x.toFixed(2)},${y.toFixed(2)}`;
			})
			.join("L")}`;
	const [first = []] = lines;
	return (
		<div class="nbx-steps">
			<div
				class="nbx-curve-plot"
				role="img"
				aria-label={`${label}: from ${figure(first[0] ?? 0)} to ${figure(first.at(-1) ?? 0)}`}
			>
				<svg
					viewBox="0 0 100 100"
					preserveAspectRatio="none"
					aria-hidden="true"
				>
					{lines.map((values, i) => (
						<path
							key={i}
							class={i === 0 ? "nbx-curve-line" : "nbx-curve-line nbx-other"}
							d={path(values)}
						/>
					))}
				</svg>
			</div>
			<div class="nbx-curve-ends" aria-hidden="true">
				<span>{ends[0]}</span>
				<span>{label}</span>
				<span>{ends[1]}</span>
			</div>
		</div>
	);
}
