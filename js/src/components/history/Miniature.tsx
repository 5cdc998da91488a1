import { useEffect, useMemo, useRef } from "preact/hooks";
import { colour, type Look, palette } from "../../color/colour";
import { percentile, rank } from "../../color/ranking";
import { smooth } from "../../color/resample";
import { decodeMap } from "../../model/decode";
import type { Grid, Result } from "../../model/protocol";
import { fromPixels, type Raster } from "../stage/raster";
import { drawBars } from "./bars";

interface Props {
	/** The decoded picture; null until it is there. */
	picture: Raster | null;
	result: Pick<Result, "map" | "signed">;
	colormap: string;
}

/** Twice its size on the screen, for dense displays. */
const SIDE = 112;
const CLIP = 99.5;

/** A result as small as a stamp: the map over the picture, in the colours of the stage. */
export function Miniature({ picture, result, colormap }: Props) {
	const canvas = useRef<HTMLCanvasElement>(null);
	const { map: grid, signed } = result;
	// A table row has a value for each feature and no place for them.
	const table = grid.shape[0] === 1;
	const row = useMemo(() => (table ? decodeMap(grid) : null), [grid]);
	const reduced = useMemo(() => (table ? null : reduce(grid)), [grid]);
	useEffect(() => {
		const context = canvas.current?.getContext("2d");
		if (!context) return;
		const fill = (image: Raster) =>
			context.drawImage(image, ...square(image), 0, 0, SIDE, SIDE);
		context.clearRect(0, 0, SIDE, SIDE);
		if (picture) fill(picture);
		if (row) drawBars(context, row, lookOf(1, signed, colormap), SIDE);
		else if (reduced) fill(coloured(reduced, signed, colormap));
	}, [picture, row, reduced, signed, colormap]);
	return <canvas ref={canvas} width={SIDE} height={SIDE} />;
}

/** The largest square in the middle: what is left out is left out of picture and map alike. */
function square({ width, height }: { width: number; height: number }) {
	const side = Math.min(width, height);
	return [(width - side) / 2, (height - side) / 2, side, side] as const;
}

/** The map at the size of the stamp, and the limit of its colours. */
function reduce(grid: Grid) {
	const native = decodeMap(grid);
	if (!native) return null;
	const share = SIDE / Math.min(native.rows, native.columns);
	const map = smooth(
		native,
		Math.round(native.rows * share),
		Math.round(native.columns * share),
	);
	return { map, limit: percentile(rank(map), CLIP) };
}

type Reduced = NonNullable<ReturnType<typeof reduce>>;

function coloured({ map, limit }: Reduced, signed: boolean, colormap: string) {
	const pixels = colour(map, lookOf(limit, signed, colormap));
	return fromPixels(pixels, map.columns, map.rows);
}

function lookOf(limit: number, signed: boolean, colormap: string): Look {
	return {
		...palette(colormap, signed),
		limit,
		floor: 0,
		sign: "both",
		alpha: signed ? "veil" : "magnitude",
	};
}
