import { expect, test } from "vitest";
import {
	colormapName,
	colour,
	entry,
	type Look,
	table,
} from "../src/color/colour";
import { percentile, percentileOf, rank } from "../src/color/ranking";
import { smooth } from "../src/color/resample";
import { fromBase64 } from "../src/model/decode";
import TABLES from "./tables.json";

const map = (...values: number[]) => ({
	rows: 1,
	columns: values.length,
	values: Float32Array.from(values),
});
const look = (more: Partial<Look> = {}): Look => ({
	table: table("Greys"),
	scale: "signed",
	limit: 2,
	floor: 0,
	sign: "both",
	alpha: "opaque",
	...more,
});
const pixel = (pixels: Uint8ClampedArray, i: number) => [
	...pixels.slice(4 * i, 4 * i + 4),
];

test.each(Object.entries(TABLES))("%s is matplotlib's", (name, entries) => {
	const whole = fromBase64(entries);
	const rebuilt = table(name);
	expect(rebuilt.length).toBe(whole.length);
	const errors = whole.map((value, i) => Math.abs(value - (rebuilt[i] ?? 0)));
	expect(Math.max(...errors)).toBeLessThanOrEqual(1);
});

test("the ends of a map are kept as they are", () => {
	// matplotlib.colormaps["RdBu_r"]([0, 255], bytes=True)
	const { length, ...entries } = table("RdBu_r");
	const rgb = (i: number) => [0, 1, 2].map((part) => entries[3 * i + part]);
	expect(length).toBe(768);
	expect(rgb(0)).toEqual([5, 48, 97]);
	expect(rgb(255)).toEqual([103, 0, 31]);
});

test("automatic means two-sided for signed maps", () => {
	expect(colormapName("auto", true)).toBe("RdBu_r");
	expect(colormapName("auto", false)).toBe("inferno");
	expect(colormapName("viridis", true)).toBe("viridis");
});

test("signed values are symmetric about zero and clipped at the limit", () => {
	const entries = [-9, -2, -1, 0, 1, 2, 9].map((v) => entry(v, look()));
	expect(entries).toEqual([0, 0, 64, 128, 191, 255, 255]);
});

test("magnitudes use the whole table, or the upper half of a diverging one", () => {
	const all = (scale: Look["scale"]) =>
		[0, 1, -1, 2].map((v) => entry(v, look({ scale })));
	expect(all("magnitude")).toEqual([0, 128, 128, 255]);
	expect(all("upper half")).toEqual([128, 191, 191, 255]);
});

test("a picture of its own is opaque; over a picture small values fade", () => {
	expect(pixel(colour(map(2), look()), 0)).toEqual([0, 0, 0, 255]);
	const magnitude = look({ scale: "magnitude", alpha: "magnitude" });
	const alphas = colour(map(0, 0.26, 1.3, 2), magnitude);
	expect([3, 7, 11, 15].map((i) => alphas[i])).toEqual([0, 51, 255, 255]);
});

test("the sign that is not asked for is left out", () => {
	const pixels = (sign: Look["sign"]) =>
		colour(map(-2, 2), look({ sign, alpha: "veil" }));
	expect(pixels("positive")[3]).toBe(0);
	expect(pixels("positive")[7]).toBe(255);
	expect(pixels("negative")[3]).toBe(255);
	expect(pixels("negative")[7]).toBe(0);
});

test("cells below the threshold are left out", () => {
	const pixels = colour(map(0.5, 2), look({ floor: 1, alpha: "veil" }));
	expect(pixels[3]).toBe(0);
	expect(pixels[7]).toBe(255);
});

test("a cell without a value is grey", () => {
	expect(pixel(colour(map(Number.NaN), look()), 0)).toEqual([
		128, 128, 128, 255,
	]);
});

test("percentiles are of the magnitudes, as numpy computes them", () => {
	const ranking = rank(map(-4, 1, 2, -3));
	expect([...ranking]).toEqual([1, 2, 3, 4]);
	expect(percentile(ranking, 0)).toBe(1);
	expect(percentile(ranking, 50)).toBe(2.5);
	expect(percentile(ranking, 100)).toBe(4);
	expect(percentileOf(ranking, -3)).toBe(75);
	expect(percentileOf(ranking, 0.5)).toBe(0);
	expect(percentile(new Float32Array(), 50)).toBe(0);
});

test("smoothing keeps the cells' centres and never overshoots", () => {
	const { values } = smooth(map(0, 1), 1, 4);
	expect([...values]).toEqual([0, 0.25, 0.75, 1]);
});
