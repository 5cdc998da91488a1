import { describe, expect, it } from "vitest";
import {
	compact,
	figure,
	parse,
	position,
	snap,
	valueAt,
} from "../src/components/controls/number";

const linear = { minimum: 0, maximum: 1, step: 0.1, logarithmic: false };
const logarithmic = { minimum: 2, maximum: 512, step: 1, logarithmic: true };

describe("numbers", () => {
	it("are written short, with a true minus where nobody types", () => {
		expect(compact(0.63)).toBe(".63");
		expect(compact(-0.05)).toBe("-.05");
		expect(figure(-6.914)).toBe("−6.91");
		expect(compact(Number.NaN)).toBe("–");
	});

	it("are read as people write them", () => {
		expect(parse(" 0,5 ")).toBe(0.5);
		expect(parse("−3")).toBe(-3);
		expect(parse("")).toBeNull();
		expect(parse("many")).toBeNull();
	});

	it("stay on the steps and within the bounds", () => {
		expect(snap(0.30000000000000004, linear)).toBe(0.3);
		expect(snap(7, linear)).toBe(1);
		expect(snap(0.123, { ...linear, step: 0 })).toBe(0.123);
	});

	it("find their place on both scales and back", () => {
		expect(position(0.5, linear)).toBe(0.5);
		expect(position(32, logarithmic)).toBe(0.5);
		for (const value of [2, 8, 50, 512])
			expect(valueAt(position(value, logarithmic), logarithmic)).toBe(value);
	});

	it("reach zero on a logarithmic scale that begins there", () => {
		const scale = { minimum: 0, maximum: 100, step: 1, logarithmic: true };
		expect(valueAt(0, scale)).toBe(0);
		expect(position(0, scale)).toBe(0);
		expect(valueAt(1, scale)).toBe(100);
	});
});
