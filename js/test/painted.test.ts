import { describe, expect, it } from "vitest";
import {
	alike,
	enclosed,
	paint,
	paintable,
	remove,
	rename,
	unpainted,
} from "../src/model/painted";

const size = { width: 6, height: 4 };
const rectangle = (x: number, y: number, toX: number, toY: number) => [
	{ x, y },
	{ x: toX, y },
	{ x: toX, y: toY },
	{ x, y: toY },
];

/** The labels as rows of digits. */
function drawn({ map }: ReturnType<typeof unpainted>): string[] {
	const digits = [...map.labels].join("");
	return digits.match(new RegExp(`.{${map.width}}`, "g")) ?? [];
}

const left = enclosed(rectangle(0, 0, 3, 4), size);
const top = enclosed(rectangle(0, 0, 6, 2), size);

describe("pixels inside a polygon", () => {
	it("are those whose centres it holds", () => {
		const pixels = enclosed(rectangle(0.6, 0.4, 2.6, 1.6), size);
		expect(pixels).toEqual([1, 2, 7, 8]);
	});

	it("of a triangle lie on its side of the slope", () => {
		const corner = [
			{ x: 0, y: 0 },
			{ x: 4, y: 0 },
			{ x: 0, y: 4 },
		];
		const whole = enclosed(corner, { width: 4, height: 4 });
		// Centres on the slope itself, where x + y is 4, belong to the side that is not inside.
		expect(whole).toEqual([0, 1, 2, 4, 5, 8]);
	});

	it("never leave the picture", () => {
		expect(enclosed(rectangle(-9, -9, 99, 99), size)).toHaveLength(24);
	});

	it("leave out what a line goes around twice", () => {
		const twice = [...rectangle(0, 0, 6, 4), ...rectangle(0, 0, 6, 4)];
		expect(enclosed(twice, size)).toEqual([]);
	});

	it.each([[[]], [[{ x: 1, y: 1 }]], [rectangle(1, 1, 1, 3)]])(
		"are none where nothing is enclosed",
		(polygon) => {
			expect(enclosed(polygon, size)).toEqual([]);
		},
	);
});

describe("painting", () => {
	it("makes a region, named by its number", () => {
		const painted = paint(unpainted(6, 4), left, null);
		expect(drawn(painted)).toEqual(["111000", "111000", "111000", "111000"]);
		expect(painted.names).toEqual(["region 1"]);
	});

	it("over another region takes its pixels away", () => {
		const one = paint(unpainted(6, 4), left, null);
		const two = paint(one, top, null);
		expect(drawn(two)).toEqual(["222222", "222222", "111000", "111000"]);
		expect(drawn(one)).toEqual(["111000", "111000", "111000", "111000"]);
	});

	it("adds to a region", () => {
		const both = paint(paint(unpainted(6, 4), left, null), top, 0);
		expect(drawn(both)).toEqual(["111111", "111111", "111000", "111000"]);
		expect(both.names).toEqual(["region 1"]);
	});

	it("all over a region removes it, and the others keep their names", () => {
		const inner = enclosed(rectangle(1, 1, 2, 2), size);
		const first = paint(unpainted(6, 4), inner, null);
		const named = rename(paint(first, [23], null), 1, "corner");
		const over = paint(named, left, null);
		expect(over.names).toEqual(["corner", "region 3"]);
		expect(drawn(over)).toEqual(["222000", "222000", "222000", "222001"]);
	});

	it("nothing changes nothing", () => {
		const painted = paint(unpainted(6, 4), left, null);
		expect(paint(painted, [], null)).toEqual(painted);
	});

	it("never gives a name twice", () => {
		const two = paint(paint(unpainted(6, 4), [0], null), [1], null);
		expect(paint(remove(two, 0), [2], null).names).toEqual([
			"region 2",
			"region 3",
		]);
	});

	it("a removed region becomes rest", () => {
		const two = paint(paint(unpainted(6, 4), left, null), [5], null);
		expect(drawn(remove(two, 0))[0]).toBe("000001");
	});
});

describe("a division that Python keeps", () => {
	const map = { width: 3, height: 1, labels: Uint16Array.of(0, 1, 2) };

	it("has its rest first", () => {
		const painted = paintable({ map, names: ["rest", "eye", "nose"] });
		expect(painted.names).toEqual(["eye", "nose"]);
		expect(drawn(painted)).toEqual(["012"]);
	});

	it("may have none, and no names", () => {
		expect(paintable({ map, names: [] })).toEqual({
			map: { ...map, labels: Uint16Array.of(1, 2, 3) },
			names: ["region 1", "region 2", "region 3"],
		});
	});

	it("gives all the pixels that are with one", () => {
		const labels = Uint16Array.of(4, 2, 4);
		expect(alike({ width: 3, height: 1, labels }, 2)).toEqual([0, 2]);
	});
});
