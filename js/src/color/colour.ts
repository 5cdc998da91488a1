import { fromBase64 } from "../model/decode";
import type { Sign } from "../model/protocol";
import type { Heatmap } from "../model/store";
import { DIVERGING, TABLES } from "./tables";

const NO_DATA = 128;
/** Over a picture, alpha grows with magnitude and is full from here on ... */
const FULL = 0.65;
/** ... and of a signed map even the zeros are seen, so that white means zero and not nothing. */
const VEIL = 0.25;

/** How a heatmap is turned into colours. */
export interface Look {
	/** 256 RGB entries. */
	table: Uint8Array;
	/** How a value v finds its entry, with m = |v| / limit from 0 to 1. */
	scale: "signed" | "upper half" | "magnitude";
	/** The magnitude that gets the end of the table. */
	limit: number;
	/** Magnitudes below are left out. */
	floor: number;
	sign: Sign;
	/** Opaque as a picture of its own, or with alpha growing with magnitude over a picture. */
	alpha: "opaque" | "magnitude" | "veil";
}

/** The map that the trait `colormap` stands for. */
export function colormapName(name: string, twoSided: boolean): string {
	const automatic = twoSided ? "RdBu_r" : "inferno";
	return name in TABLES ? name : automatic;
}

export function table(name: string): Uint8Array {
	return fromBase64(TABLES[name] ?? "");
}

export function scaleOf(name: string, twoSided: boolean): Look["scale"] {
	if (twoSided) return "signed";
	return DIVERGING.includes(name) ? "upper half" : "magnitude";
}

/** The index into the table for a value. */
export function entry(value: number, { scale, limit }: Look): number {
	const m = limit > 0 ? Math.min(1, Math.max(-1, value / limit)) : 0;
	if (scale === "signed") return Math.round(127.5 + 127.5 * m);
	if (scale === "upper half") return Math.round(127.5 + 127.5 * Math.abs(m));
	return Math.round(255 * Math.abs(m));
}

/** RGBA of every cell. Cells without a finite value are grey. */
export function colour(
	heatmap: Heatmap,
	look: Look,
): Uint8ClampedArray<ArrayBuffer> {
	const { values } = heatmap;
	const { table, sign, floor, limit, alpha } = look;
	const pixels = new Uint8ClampedArray(values.length * 4);
	for (let i = 0, at = 0; i < values.length; i++, at += 4) {
		const raw = values[i] ?? Number.NaN;
		if (!Number.isFinite(raw)) {
			pixels.fill(NO_DATA, at, at + 3);
			pixels[at + 3] = 255;
			continue;
		}
		const left =
			Math.abs(raw) < floor ||
			(sign === "positive" && raw < 0) ||
			(sign === "negative" && raw > 0);
		const value = left ? 0 : raw;
		const rgb = 3 * entry(value, look);
		pixels[at] = table[rgb] ?? 0;
		pixels[at + 1] = table[rgb + 1] ?? 0;
		pixels[at + 2] = table[rgb + 2] ?? 0;
		pixels[at + 3] = opacity(left, Math.abs(value) / (limit || 1), alpha);
	}
	return pixels;
}

function opacity(
	left: boolean,
	magnitude: number,
	alpha: Look["alpha"],
): number {
	if (alpha === "opaque") return 255;
	if (left) return 0;
	const grown = 255 * Math.min(1, magnitude / FULL);
	return alpha === "magnitude" ? grown : 255 * VEIL + (1 - VEIL) * grown;
}

/** The colours of the values `from` .. `to`, as a CSS gradient. */
export function gradient(
	look: Look,
	from: number,
	to: number,
	steps = 32,
): string {
	const stops = Array.from({ length: steps + 1 }, (_, i) => {
		const at = 3 * entry(from + ((to - from) * i) / steps, look);
		return `rgb(${look.table.slice(at, at + 3).join(" ")})`;
	});
	return `linear-gradient(to right, ${stops.join(", ")})`;
}
