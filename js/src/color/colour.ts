import { fromBase64 } from "../model/decode";
import type { Sign } from "../model/protocol";
import type { Heatmap } from "../model/store";
import { DIVERGING, TABLES } from "./tables";

const OPAQUE = 0xff000000;
/** An opaque grey. */
const NO_DATA = 0xff808080;
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

/** The 256 entries of a map, on straight lines between its anchors. */
export function table(name: string): Uint8Array {
	const anchors = fromBase64(TABLES[name] ?? "");
	const entries = new Uint8Array(3 * 256);
	for (let a = 4; a < anchors.length; a += 4) {
		const first = anchors[a - 4] as number;
		const last = anchors[a] as number;
		for (let i = first; i <= last; i++)
			for (let part = 1; part < 4; part++) {
				const from = anchors[a - 4 + part] as number;
				const to = anchors[a + part] as number;
				entries[3 * i + part - 1] =
					from + ((to - from) * (i - first)) / (last - first) + 0.5;
			}
	}
	return entries;
}

export function scaleOf(name: string, twoSided: boolean): Look["scale"] {
	if (twoSided) return "signed";
	return DIVERGING.includes(name) ? "upper half" : "magnitude";
}

/** The colours that the trait `colormap` stands for, and how values find theirs. */
export function palette(
	colormap: string,
	twoSided: boolean,
): Pick<Look, "table" | "scale"> {
	const name = colormapName(colormap, twoSided);
	return { table: table(name), scale: scaleOf(name, twoSided) };
}

/** The index into the table is `zero` + `reach` * m. */
const PLACES = {
	signed: { zero: 127.5, reach: 127.5 },
	"upper half": { zero: 127.5, reach: 127.5 },
	magnitude: { zero: 0, reach: 255 },
};

/** The index into the table for a value. */
export function entry(value: number, { scale, limit }: Look): number {
	const { zero, reach } = PLACES[scale];
	const m = limit > 0 ? Math.min(1, Math.max(-1, value / limit)) : 0;
	return Math.round(zero + reach * (scale === "signed" ? m : Math.abs(m)));
}

/**
 * RGBA of every cell. Cells without a finite value are grey.
 * The one hot loop: a slider must recolour a million cells without being felt, so that pixels
 * are written whole and nothing is looked up twice.
 */
export function colour(
	{ values }: Heatmap,
	look: Look,
): Uint8ClampedArray<ArrayBuffer> {
	const { floor, limit, scale } = look;
	const { lowest, highest } = kept(look);
	const { base, slope } = alphas(look);
	const { zero, reach } = PLACES[scale];
	const inks = packed(look.table);
	const signed = scale === "signed";
	const per = limit > 0 ? 1 / limit : 0;
	const hidden =
		(look.alpha === "opaque" ? OPAQUE : 0) | (inks[Math.round(zero)] ?? 0);
	const pixels = new Uint32Array(values.length);
	for (let i = 0; i < values.length; i++) {
		const value = values[i] as number;
		const magnitude = value < 0 ? -value : value;
		if (!(magnitude < Number.POSITIVE_INFINITY)) {
			pixels[i] = NO_DATA;
		} else if (magnitude < floor || value < lowest || value > highest) {
			pixels[i] = hidden;
		} else {
			const m = Math.min(1, magnitude * per);
			const place = zero + reach * (signed && value < 0 ? -m : m);
			const alpha = Math.min(255, base + slope * m + 0.5);
			pixels[i] = (alpha << 24) | (inks[(place + 0.5) | 0] as number);
		}
	}
	return new Uint8ClampedArray(pixels.buffer);
}

/** The table as whole pixels without alpha, in the byte order of every browser's machine. */
function packed(table: Uint8Array): Uint32Array {
	const part = (i: number) => table[i] ?? 0;
	return Uint32Array.from(
		{ length: 256 },
		(_, i) => part(3 * i) | (part(3 * i + 1) << 8) | (part(3 * i + 2) << 16),
	);
}

/** The values that are not left out for their sign. */
function kept({ sign }: Look) {
	return {
		lowest: sign === "positive" ? 0 : Number.NEGATIVE_INFINITY,
		highest: sign === "negative" ? 0 : Number.POSITIVE_INFINITY,
	};
}

/** Alpha is `base` + `slope` * m. */
function alphas({ alpha }: Look) {
	if (alpha === "opaque") return { base: 255, slope: 0 };
	const base = alpha === "veil" ? 255 * VEIL : 0;
	return { base, slope: (255 - base) / FULL };
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
