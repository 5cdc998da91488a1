import { useSignal } from "@preact/signals";
import { percentileOf } from "../../color/ranking";
import type { Store } from "../../model/store";
import { percent, signed } from "./numbers";
import { ends, Scale } from "./Scale";
import type { Scene } from "./scene";

interface Props {
	store: Store;
	scene: Scene;
}

const SMALLEST = 1e-3;
const LARGEST = 4;

/** The scale of the colours. An end that is dragged clips the map there. */
export function Legend({ store, scene }: Props) {
	/** While an end is dragged the bar keeps its range, so that the end stays under the pointer. */
	const range = useSignal<number | null>(null);
	const look = scene.look.value;
	const reach = range.value ?? look.limit;
	const [from, to] = ends(look);
	const largest = scene.ranking.value.at(-1) ?? 0;
	// The room is kept before there is a map, so that nothing jumps when it comes.
	if (!scene.heatmap.value || largest === 0) return <div class="nbx-legend" />;
	const place = (value: number) =>
		Math.min(1, Math.max(0, (value / reach - from) / (to - from)));
	const limitTo = (value: number) => {
		const bounded = Math.max(
			largest * SMALLEST,
			Math.min(largest * LARGEST, value),
		);
		store.ui.limit.value = bounded;
	};
	const reset = () => {
		store.ui.limit.value = null;
	};
	const grip = (side: -1 | 1) => (
		<Grip
			side={side}
			place={place(side * look.limit)}
			limit={look.limit}
			largest={largest}
			onGrab={() => {
				range.value = look.limit;
			}}
			onMove={(share) => limitTo(side * (from + share * (to - from)) * reach)}
			onRelease={() => {
				range.value = null;
			}}
			onScale={(factor) => limitTo(look.limit * factor)}
			onReset={reset}
		/>
	);
	return (
		<div class="nbx-legend">
			<Scale
				look={look}
				reach={reach}
				low={signed(from * look.limit)}
				high={`${signed(to * look.limit)} ${clipping(store, scene)}`}
				title="drag an end to clip, double-click to reset"
				onDblClick={reset}
			>
				{from < 0 && grip(-1)}
				{to > 0 && grip(1)}
			</Scale>
		</div>
	);
}

/** Where the colours end, as a percentile of the magnitudes. */
function clipping(store: Store, { ranking, look }: Scene): string {
	const { limit } = look.value;
	if (limit >= (ranking.value.at(-1) ?? 0)) return "(not clipped)";
	const byHand = store.ui.limit.value !== null || store.ui.locked.value;
	const clip = byHand
		? percentileOf(ranking.value, limit)
		: store.traits.clip.value;
	return `(clipped at ${percent(clip)})`;
}

interface GripProps {
	side: -1 | 1;
	place: number;
	limit: number;
	largest: number;
	onGrab: () => void;
	/** Where on the bar the end was taken to, 0 to 1. */
	onMove: (share: number) => void;
	onRelease: () => void;
	onScale: (factor: number) => void;
	onReset: () => void;
}

function Grip(props: GripProps) {
	const { side, place, limit, largest, onScale, onReset } = props;

	function onPointerMove(event: PointerEvent) {
		const grip = event.currentTarget as HTMLElement;
		const box = grip.parentElement?.getBoundingClientRect();
		if (!box || !grip.hasPointerCapture(event.pointerId)) return;
		props.onMove((event.clientX - box.left) / box.width);
	}

	function onKeyDown(event: KeyboardEvent) {
		const step = event.shiftKey ? 1.5 : 1.05;
		const acts: Record<string, () => void> = {
			ArrowUp: () => onScale(step),
			ArrowRight: () => onScale(side > 0 ? step : 1 / step),
			ArrowDown: () => onScale(1 / step),
			ArrowLeft: () => onScale(side > 0 ? 1 / step : step),
			Home: onReset,
			Delete: onReset,
		};
		const act = acts[event.key];
		if (!act) return;
		event.preventDefault();
		act();
	}

	return (
		<div
			class="nbx-grip"
			style={{ left: `${100 * place}%` }}
			role="slider"
			aria-label={
				side > 0 ? "upper end of the colours" : "lower end of the colours"
			}
			aria-valuemin={side > 0 ? 0 : -largest}
			aria-valuemax={side > 0 ? largest : 0}
			aria-valuenow={side * limit}
			aria-valuetext={signed(side * limit)}
			tabIndex={0}
			onPointerDown={(event) => {
				event.currentTarget.setPointerCapture(event.pointerId);
				props.onGrab();
			}}
			onPointerMove={onPointerMove}
			onPointerUp={props.onRelease}
			onPointerCancel={props.onRelease}
			onKeyDown={onKeyDown}
		/>
	);
}
