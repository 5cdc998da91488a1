import type { ComponentChildren, RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

interface Props {
	label: string;
	anchor: RefObject<HTMLElement | null>;
	onClose: () => void;
	children: ComponentChildren;
}

const GAP = 4;
const MARGIN = 8;

/**
 * A panel below its anchor, in the browser's top layer: no scrolling output cell and no
 * overflow of the host can cut it.
 */
export function Popover({ label, anchor, onClose, children }: Props) {
	const panel = useRef<HTMLDivElement>(null);
	useLayoutEffect(() => {
		panel.current?.showPopover();
	}, []);
	usePlacement(panel, anchor);
	useDismissal(panel, anchor, onClose);
	return (
		<div
			ref={panel}
			class="nbx-popover"
			popover="manual"
			role="dialog"
			aria-label={label}
		>
			{children}
		</div>
	);
}

/** Keeps the panel under its anchor, inside the window, also while the notebook scrolls. */
function usePlacement(
	panel: RefObject<HTMLElement | null>,
	anchor: RefObject<HTMLElement | null>,
) {
	useLayoutEffect(() => {
		const place = () => {
			if (!panel.current || !anchor.current) return;
			const { style, offsetWidth } = panel.current;
			const box = anchor.current.getBoundingClientRect();
			const right = window.innerWidth - offsetWidth - MARGIN;
			const below = window.innerHeight - box.bottom - GAP - MARGIN;
			const above = box.top - GAP - MARGIN;
			const up = below < 240 && above > below;
			style.left = `${Math.max(MARGIN, Math.min(box.left, right))}px`;
			style.top = up ? "auto" : `${box.bottom + GAP}px`;
			style.bottom = up ? `${window.innerHeight - box.top + GAP}px` : "auto";
			style.setProperty("--room", `${up ? above : below}px`);
		};
		place();
		window.addEventListener("scroll", place, { capture: true, passive: true });
		window.addEventListener("resize", place);
		return () => {
			window.removeEventListener("scroll", place, { capture: true });
			window.removeEventListener("resize", place);
		};
	}, [panel, anchor]);
}

/** Closes on Escape and on a press elsewhere, and gives the focus back to the anchor. */
function useDismissal(
	panel: RefObject<HTMLElement | null>,
	anchor: RefObject<HTMLElement | null>,
	onClose: () => void,
) {
	const close = useRef(onClose);
	close.current = onClose;
	useLayoutEffect(() => {
		const element = panel.current;
		const button = anchor.current;
		const inside = (event: Event) =>
			[element, button].some(
				(part) => part && event.composedPath().includes(part),
			);
		const onPress = (event: Event) => {
			if (!inside(event)) close.current();
		};
		// Escape must not travel on: the widget would stop the running job as well.
		const onKey = (event: KeyboardEvent) => {
			if (event.key !== "Escape") return;
			event.stopPropagation();
			event.preventDefault();
			close.current();
		};
		element?.addEventListener("keydown", onKey);
		document.addEventListener("pointerdown", onPress, true);
		return () => {
			element?.removeEventListener("keydown", onKey);
			document.removeEventListener("pointerdown", onPress, true);
			if (holdsFocus(element)) button?.focus();
		};
	}, [panel, anchor]);
}

/** Focus that the user has already moved elsewhere is not taken back. */
function holdsFocus(element: HTMLElement | null): boolean {
	const root = element?.getRootNode() as Document | ShadowRoot | undefined;
	const active = root?.activeElement ?? document.activeElement;
	return !active || active === document.body || !!element?.contains(active);
}
