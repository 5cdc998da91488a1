import type { Curve } from "../../model/protocol";
import { clamp, compact, figure } from "../controls/number";
import { interpolate, outline } from "./alongPath";

interface Props {
	curve: Curve;
	alpha: number | null;
	/** Moves the scrubber; `keep` when it shall stay there after the pointer has left. */
	onScrub: (alpha: number, keep: boolean) => void;
	onLeave: () => void;
	onWhole: () => void;
}

/** f along the path, with what has been attributed so far beneath it. Itself a slider over α. */
export function CurveView({ curve, alpha, onScrub, onLeave, onWhole }: Props) {
	const { line, area, height } = outline(curve);
	const at = alpha ?? 1;
	const score = interpolate(curve.alpha, curve.score, at);
	const follow = (event: PointerEvent) => {
		const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
		const place = clamp((event.clientX - box.left) / box.width, 0, 1);
		onScrub(place, event.buttons > 0);
	};
	const onKeyDown = (event: KeyboardEvent) => {
		const step = event.shiftKey ? 0.1 : 0.01;
		const to = {
			ArrowRight: at + step,
			ArrowUp: at + step,
			ArrowLeft: at - step,
			ArrowDown: at - step,
			PageUp: at + 0.1,
			PageDown: at - 0.1,
			Home: 0,
			End: 1,
		}[event.key];
		if (to !== undefined) onScrub(clamp(to, 0, 1), true);
		else if (event.key === "Escape" && alpha !== null) onWhole();
		else return;
		event.preventDefault();
		event.stopPropagation();
	};
	return (
		<div class="nbx-curve">
			<div
				class="nbx-curve-plot"
				role="slider"
				tabIndex={0}
				aria-label="place on the path from the baseline to the picture"
				aria-valuemin={0}
				aria-valuemax={1}
				aria-valuenow={at}
				aria-valuetext={`alpha ${compact(at, 2)}, score ${figure(score)}`}
				onPointerDown={(event) => {
					event.currentTarget.setPointerCapture(event.pointerId);
					follow(event);
				}}
				onPointerMove={follow}
				onPointerLeave={onLeave}
				onKeyDown={onKeyDown}
			>
				<svg
					viewBox="0 0 100 100"
					preserveAspectRatio="none"
					aria-hidden="true"
				>
					<path class="nbx-curve-area" d={area} />
					<path class="nbx-curve-line" d={line} />
				</svg>
				{alpha !== null && (
					<Cursor alpha={alpha} score={score} curve={curve} height={height} />
				)}
			</div>
			<div class="nbx-curve-ends" aria-hidden="true">
				<span>baseline</span>
				<span>image</span>
			</div>
		</div>
	);
}

/** Half the width of the label, as a share of the plot. */
const LABEL = 0.15;

interface CursorProps {
	alpha: number;
	score: number;
	curve: Curve;
	height: (score: number) => number;
}

/** The label is on the side with room, and above or below where the curve is not. */
function Cursor({ alpha, score, curve, height }: CursorProps) {
	const left = alpha > 0.7;
	const beside = interpolate(
		curve.alpha,
		curve.score,
		alpha + (left ? -LABEL : LABEL),
	);
	const high = height(score);
	const below = high > 0.75 || (high > 0.25 && beside >= score);
	return (
		<div class="nbx-cursor" style={{ "--x": alpha, "--y": 1 - high }}>
			<i class="nbx-cursor-line" />
			<i class="nbx-cursor-dot" />
			<span class="nbx-cursor-label" data-left={left} data-below={below}>
				{`α ${compact(alpha, 2)}  f ${figure(score)}`}
			</span>
		</div>
	);
}
