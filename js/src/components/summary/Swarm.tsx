import { useLayoutEffect, useRef } from "preact/hooks";
import { prepare } from "../stage/draw";
import { drawDots, swarm } from "./dots";

interface Props {
	phi: number[];
	/** The players' own values, 0 to 1; empty where they have none. */
	shades: (number | null)[];
	/** The magnitude at the ends of the scale. */
	most: number;
	width: number;
}

const HEIGHT = 30;
const EDGE = 4;

/** A dot an input: where it is on the scale of shares, in the colour of its value. */
export function Swarm({ phi, shades, most, width }: Props) {
	const canvas = useRef<HTMLCanvasElement>(null);
	useLayoutEffect(() => {
		const pane = { width, height: HEIGHT };
		const draw = canvas.current && prepare(canvas.current, pane);
		if (!draw) return;
		const half = width / 2 - EDGE;
		const xs = phi.map((value) => width / 2 + (value / most) * half);
		draw.fillStyle = "rgb(128 128 128 / 50%)";
		draw.fillRect(width / 2 - 0.5, 0, 1, HEIGHT);
		drawDots(draw, swarm(xs, shades, HEIGHT / 2, HEIGHT));
	}, [phi, shades, most, width]);
	return (
		<canvas
			ref={canvas}
			style={{ width: `${width}px`, height: `${HEIGHT}px` }}
		/>
	);
}
