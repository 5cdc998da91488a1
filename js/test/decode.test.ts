import { expect, test } from "vitest";
import { decodeMap, decodeMaps, toBytes } from "../src/model/decode";
import type { Bytes } from "../src/model/protocol";

const integers = Int16Array.of(-2, 0, 1, 300);
const expected = [-1, 0, 0.5, 150];
const grid = (data: Bytes) => ({
	shape: [2, 2],
	bits: 16 as const,
	scale: 0.5,
	data,
});

test("a map may arrive as a view into the middle of a larger buffer", () => {
	const larger = new Uint8Array(3 + 8 + 5).fill(99);
	larger.set(new Uint8Array(integers.buffer), 3);
	for (const data of [
		new DataView(larger.buffer, 3, 8),
		new Uint8Array(larger.buffer, 3, 8),
		integers.buffer,
	])
		expect([...(decodeMap(grid(data))?.values ?? [])]).toEqual(expected);
});

test("base64 stands for its bytes", () => {
	expect([...toBytes("AAEC/w==")]).toEqual([0, 1, 2, 255]);
});

test("eight bits are signed", () => {
	const data = Int8Array.of(-128, 127).buffer;
	const map = decodeMap({ shape: [1, 2], bits: 8, scale: 1, data });
	expect([...(map?.values ?? [])]).toEqual([-128, 127]);
});

test("three dimensions are several maps", () => {
	const maps = decodeMaps({ ...grid(integers.buffer), shape: [2, 1, 2] });
	expect(maps.map(({ values }) => [...values])).toEqual([
		[-1, 0],
		[0.5, 150],
	]);
});

test("a map whose bytes are missing or cut short is no map", () => {
	expect(decodeMap(grid(new ArrayBuffer(0)))).toBeNull();
	expect(decodeMap(grid(new ArrayBuffer(6)))).toBeNull();
});
