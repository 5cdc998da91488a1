import type { Store } from "../../model/store";

/** The line between the bare picture and the picture with the map. */
export function Swipe({ store }: { store: Store }) {
	const { swipe } = store.ui;
	const move = (to: number) => {
		swipe.value = Math.min(1, Math.max(0, to));
	};

	function onPointerMove(event: PointerEvent) {
		const handle = event.currentTarget as HTMLElement;
		if (!handle.hasPointerCapture(event.pointerId)) return;
		event.stopPropagation();
		const box = handle.parentElement?.getBoundingClientRect();
		if (box) move((event.clientX - box.left) / box.width);
	}

	function onKeyDown(event: KeyboardEvent) {
		const step = event.shiftKey ? 0.1 : 0.02;
		const to: Record<string, number> = {
			ArrowLeft: swipe.value - step,
			ArrowDown: swipe.value - step,
			ArrowRight: swipe.value + step,
			ArrowUp: swipe.value + step,
			Home: 0,
			End: 1,
		};
		const wanted = to[event.key];
		if (wanted === undefined) return;
		event.preventDefault();
		move(wanted);
	}

	return (
		<div
			class="nbx-swipe"
			style={{ left: `${100 * swipe.value}%` }}
			role="slider"
			aria-label="picture left of here, map right"
			aria-valuemin={0}
			aria-valuemax={100}
			aria-valuenow={Math.round(100 * swipe.value)}
			aria-valuetext={`${Math.round(100 * swipe.value)} % picture`}
			tabIndex={0}
			onPointerDown={(event) => {
				event.stopPropagation();
				event.currentTarget.setPointerCapture(event.pointerId);
			}}
			onPointerMove={onPointerMove}
			onKeyDown={onKeyDown}
		>
			<span class="nbx-swipe-grip" />
		</div>
	);
}
