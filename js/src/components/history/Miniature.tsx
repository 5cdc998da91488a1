import { useEffect, useRef } from "preact/hooks";
import { colormapName, colour, scaleOf, table } from "../../color/colour";
import { percentile, rank } from "../../color/ranking";
import { smooth } from "../../color/resample";
import { decodeMap } from "../../model/decode";
import type { Result } from "../../model/protocol";
import { fromPixels, type Raster } from "../stage/raster";

export interface Look {
	colormap: string;
	clip: number;
}

interface Props {
	/** The decoded picture; null until it is there. */
	picture: Raster | null;
	result: Result;
	look: Look;
}

/** Twice its size on the screen, for dense displays. */
const SIDE = 112;

/** A result as small as a stamp: the map over the picture, in the colours of the stage. */
export function Miniature({ picture, result, look }: Props) {
	const canvas = useRef<HTMLCanvasElement>(null);
	const { colormap, clip } = look;
	useEffect(() => {
		const context = canvas.current?.getContext("2d");
		if (!context) return;
		context.clearRect(0, 0, SIDE, SIDE);
		if (picture)
			context.drawImage(picture, ...square(picture), 0, 0, SIDE, SIDE);
		const map = heatmap(result, { colormap, clip });
		if (map) context.drawImage(map, ...square(map), 0, 0, SIDE, SIDE);
	}, [picture, result, colormap, clip]);
	return <canvas ref={canvas} width={SIDE} height={SIDE} />;
}

/** The largest square in the middle: what is left out is left out of picture and map alike. */
function square({ width, height }: { width: number; height: number }) {
	const side = Math.min(width, height);
	return [(width - side) / 2, (height - side) / 2, side, side] as const;
}

function heatmap(result: Result, { colormap, clip }: Look) {
	const native = decodeMap(result.map);
	if (!native) return null;
	const { signed } = result;
	const name = colormapName(colormap, signed);
	const limit = percentile(rank(native), clip);
	const share = SIDE / Math.min(native.rows, native.columns);
	const small = smooth(
		native,
		Math.round(native.rows * share),
		Math.round(native.columns * share),
	);
	const pixels = colour(small, {
		table: table(name),
		scale: scaleOf(name, signed),
		limit,
		floor: 0,
		sign: "both",
		alpha: signed ? "veil" : "magnitude",
	});
	return fromPixels(pixels, small.columns, small.rows);
}
