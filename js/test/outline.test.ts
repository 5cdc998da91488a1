import { describe, expect, it } from "vitest";
import { borders } from "../src/components/stage/outline";

const map = (width: number, ...labels: number[]) => ({
	width,
	height: labels.length / width,
	labels: Uint16Array.from(labels),
});
const shown = (pieces: ReturnType<typeof borders>) =>
	pieces.map(([a, b]) => `${a.x},${a.y} ${b.x},${b.y}`).sort();

describe("borders of regions", () => {
	const quarters = map(4, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3);

	it("between all of them are drawn as one line where they go on", () => {
		expect(shown(borders(quarters))).toEqual(["0,2 4,2", "2,0 2,4"]);
	});

	it("of one region go all around it, along the picture's edge as well", () => {
		expect(shown(borders(quarters, 1))).toEqual([
			"2,0 2,2",
			"2,0 4,0",
			"2,2 4,2",
			"4,0 4,2",
		]);
	});

	it("go around a hole and around a part that lies apart", () => {
		const ring = map(3, 1, 1, 1, 1, 0, 1, 1, 1, 1);
		expect(shown(borders(ring, 1))).toHaveLength(8);
		expect(shown(borders(map(3, 1, 0, 1), 1))).toHaveLength(8);
	});

	it("one region alone has none inside", () => {
		expect(borders(map(2, 5, 5, 5, 5))).toEqual([]);
		expect(borders(map(2, 5, 5, 5, 5), 1)).toEqual([]);
	});
});
