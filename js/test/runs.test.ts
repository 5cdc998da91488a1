import { describe, expect, it } from "vitest";
import { decodeRuns, encodeRuns } from "../src/model/runs";

const bytes = (...values: number[]) => new Uint8Array(values).buffer;

describe("run lengths of a label map", () => {
	it("are pairs of label and length, little-endian, row by row", () => {
		const labels = Uint16Array.of(0, 0, 1, 1, 1, 300);
		const runs = encodeRuns({ width: 3, height: 2, labels });
		expect([...new Uint8Array(runs)]).toEqual([
			0, 0, 2, 0, 1, 0, 3, 0, 44, 1, 1, 0,
		]);
		expect(decodeRuns(runs, 3, 2)).toEqual({ width: 3, height: 2, labels });
	});

	it("a run longer than 16 bits is cut in two", () => {
		const labels = new Uint16Array(300 * 300).fill(7);
		const runs = encodeRuns({ width: 300, height: 300, labels });
		expect([...new Uint16Array(runs)]).toEqual([7, 65535, 7, 90000 - 65535]);
		expect(decodeRuns(runs, 300, 300)?.labels).toEqual(labels);
	});

	it("are read from the middle of a larger buffer", () => {
		const view = new DataView(bytes(9, 9, 9, 5, 0, 4, 0, 9), 3, 4);
		expect([...(decodeRuns(view, 2, 2)?.labels ?? [])]).toEqual([5, 5, 5, 5]);
	});

	it.each([
		["too few pixels", bytes(1, 0, 3, 0)],
		["too many pixels", bytes(1, 0, 5, 0)],
		["half a run", bytes(1, 0, 4, 0, 1, 0)],
		["nothing", bytes()],
	])("%s are no label map", (_, data) => {
		expect(decodeRuns(data, 2, 2)).toBeNull();
	});
});
