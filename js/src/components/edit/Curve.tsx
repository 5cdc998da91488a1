import { figure } from "../controls/number";

interface Props {
	label: string;
	/** The first is drawn in the accent colour, the others softer. */
	lines: number[][];
	/** What stands below the first and the last value. */
	ends: [string, string];
	/** Top and bottom; by default those of the values, or of each line its own. */
	range?: [low: number, high: number] | "own";
	/** The step that a line stands at, from 0. */
	mark?: number;
}

/** Lines over equal steps. */
export function Curve({ label, lines, ends, range, mark }: Props) {
	const all = lines.flat().filter(Number.isFinite);
	if (all.length < 2) return null;
	const [first = []] = lines;
	const across = (i: number) => (100 * i) / Math.max(1, first.length - 1);
	const path = (values: number[]) => {
		const own = range === "own" ? values.filter(Number.isFinite) : all;
		const [low, high] = Array.isArray(range)
			? range
			: [Math.min(...own), Math.max(...own)];
		return `M${values
			.map((value, i) => {
				const y = 100 * (1 - (value - low) / (high - low || 1));
				return `${across(i).toFixed(2)},${y.toFixed(2)}`;
			})
			.join("L")}`;
	};
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
					{mark !== undefined && (
						<path class="nbx-curve-mark" d={`M${across(mark)},0V100`} />
					)}
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
