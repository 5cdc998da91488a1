import { useEffect, useState } from "preact/hooks";
import { toBytes } from "../../model/decode";
import type { Picture } from "../../model/protocol";

export type Raster = HTMLCanvasElement;

export function context(
	canvas: HTMLCanvasElement,
): CanvasRenderingContext2D | null {
	return canvas.getContext("2d");
}

export function blank(width: number, height: number): Raster {
	const canvas = document.createElement("canvas");
	canvas.width = width;
	canvas.height = height;
	return canvas;
}

/** A decoded picture, or null before it is decoded. */
export function useRaster(picture: Picture | null | undefined): Raster | null {
	const [raster, setRaster] = useState<Raster | null>(null);
	useEffect(() => {
		let wanted = true;
		if (!picture || toBytes(picture.data).length === 0) {
			setRaster(null);
			return;
		}
		decode(picture).then(
			(made) => wanted && setRaster(made),
			() => wanted && setRaster(null),
		);
		return () => {
			wanted = false;
		};
	}, [picture]);
	return raster;
}

async function decode(picture: Picture): Promise<Raster> {
	const blob = new Blob([toBytes(picture.data)], { type: picture.mime });
	const { image, free } = await open(blob);
	const canvas = blank(image.width, image.height);
	context(canvas)?.drawImage(image, 0, 0);
	free();
	return canvas;
}

async function open(blob: Blob) {
	if (typeof createImageBitmap === "function") {
		const image = await createImageBitmap(blob);
		return { image, free: () => image.close() };
	}
	const url = URL.createObjectURL(blob);
	const image = new Image();
	image.src = url;
	await image.decode();
	return { image, free: () => URL.revokeObjectURL(url) };
}

/** The picture on the straight path from the baseline: baseline + alpha * (x - baseline). */
export function mixed(baseline: Raster, x: Raster, alpha: number): Raster {
	const canvas = blank(x.width, x.height);
	const draw = context(canvas);
	if (!draw) return canvas;
	draw.drawImage(baseline, 0, 0, x.width, x.height);
	draw.globalAlpha = alpha;
	draw.drawImage(x, 0, 0);
	return canvas;
}

/** Pixels as a canvas that can be scaled and blended. */
export function fromPixels(
	pixels: Uint8ClampedArray<ArrayBuffer>,
	columns: number,
	rows: number,
): Raster {
	const canvas = blank(columns, rows);
	context(canvas)?.putImageData(new ImageData(pixels, columns, rows), 0, 0);
	return canvas;
}
