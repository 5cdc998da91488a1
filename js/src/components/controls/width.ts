import { useLayoutEffect, useState } from "preact/hooks";

/** The width that an element has, `guess` before it is known. */
export function useWidth(
	ref: { current: HTMLElement | null },
	guess: number,
): number {
	const [width, setWidth] = useState(guess);
	useLayoutEffect(() => {
		const element = ref.current;
		if (!element) return;
		const measure = () => setWidth(element.clientWidth || guess);
		measure();
		const observer = new ResizeObserver(measure);
		observer.observe(element);
		return () => observer.disconnect();
	}, [ref, guess]);
	return width;
}
