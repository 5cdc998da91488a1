import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Store } from "../../model/store";
import {
	type Point,
	pixelAt,
	type Size,
	toPicture,
	viewportOf,
} from "./viewport";
import { moveCrosshair, panBy, zoomTo } from "./zoom";

interface Props {
	store: Store;
	pane: Size;
	children: ComponentChildren;
}

const LINE = 16;
const ARROWS: Record<string, [number, number]> = {
	ArrowLeft: [-1, 0],
	ArrowRight: [1, 0],
	ArrowUp: [0, -1],
	ArrowDown: [0, 1],
};

/** A stack of canvases that can be pointed at, zoomed and dragged. */
export function Pane({ store, pane, children }: Props) {
	const dragged = useRef<Point | null>(null);
	const { ui } = store;
	const view = () => {
		const picture = store.traits._image.value;
		return viewportOf(picture, pane, ui.zoom.value, ui.centre.value);
	};
	const place = (event: MouseEvent) => {
		const element = event.currentTarget as HTMLElement;
		const box = element.getBoundingClientRect();
		return toPicture(view(), {
			x: event.clientX - box.left,
			y: event.clientY - box.top,
		});
	};

	function onPointerDown(event: PointerEvent) {
		const element = event.currentTarget as HTMLElement;
		if (event.button !== 0 || ui.zoom.value === 1) return;
		element.setPointerCapture(event.pointerId);
		dragged.current = { x: event.clientX, y: event.clientY };
	}

	function onPointerMove(event: PointerEvent) {
		const last = dragged.current;
		if (last) {
			const { scale } = view();
			panBy(
				store,
				(last.x - event.clientX) / scale,
				(last.y - event.clientY) / scale,
			);
			dragged.current = { x: event.clientX, y: event.clientY };
		}
		ui.crosshair.value = pixelAt(store.traits._image.value, place(event));
	}

	/** A wheel that only passes over the picture belongs to the notebook. */
	function onWheel(event: WheelEvent) {
		const element = event.currentTarget as HTMLElement;
		const meant =
			event.ctrlKey || event.metaKey || element.matches(":focus-within");
		if (!meant) return;
		event.preventDefault();
		const pixels =
			event.deltaMode === WheelEvent.DOM_DELTA_LINE
				? LINE * event.deltaY
				: event.deltaY;
		// A pinch arrives as a wheel with ctrl, in much smaller steps.
		const factor = Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002));
		zoomTo(store, ui.zoom.value * factor, place(event));
	}

	function onKeyDown(event: KeyboardEvent) {
		const arrow = ARROWS[event.key];
		if (!arrow || event.target !== event.currentTarget) return;
		event.preventDefault();
		const step = event.shiftKey ? 10 : 1;
		moveCrosshair(store, arrow[0] * step, arrow[1] * step);
	}

	return (
		// biome-ignore lint/a11y/useSemanticElements: a fieldset is no place for a picture
		<div
			class={`nbx-pane${ui.zoom.value > 1 ? " nbx-zoomed" : ""}`}
			style={{ width: `${pane.width}px`, height: `${pane.height}px` }}
			role="group"
			aria-label="stage: arrow keys move the crosshair, plus and minus zoom"
			// biome-ignore lint/a11y/noNoninteractiveTabindex: the crosshair is moved with the arrow keys
			tabIndex={0}
			onPointerDown={onPointerDown}
			onPointerMove={onPointerMove}
			onPointerUp={() => {
				dragged.current = null;
			}}
			onPointerLeave={() => {
				ui.crosshair.value = null;
			}}
			onWheel={onWheel}
			onKeyDown={onKeyDown}
		>
			{children}
		</div>
	);
}
