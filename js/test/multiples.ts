import type { Comparison, Spec } from "../src/model/protocol";
import { grid, heads, landscape, result, SIZE, spec } from "./fixtures";

/** Results for the specs, with made-up agreement that falls with their distance in the list. */
function comparison(
	kind: Comparison["kind"],
	specs: Spec[],
	more: Partial<Comparison> = {},
): Comparison {
	const square = (value: (apart: number) => number) =>
		specs.map((_, row) =>
			specs.map((_, column) => value(Math.abs(row - column))),
		);
	return {
		kind,
		results: specs.map((each, at) => result(`c${at}`, each)),
		rank: square((apart) => (apart ? 0.7 - 0.29 * apart : 1)),
		overlap: square((apart) => (apart ? 0.5 / apart : 1)),
		failures: [],
		...more,
	};
}

export const comparedMethods = (
	methods: string[],
	more?: Partial<Comparison>,
) =>
	comparison(
		"methods",
		methods.map((method) => ({ ...spec, method })),
		more,
	);

export const comparedTargets = (targets: number[]) =>
	comparison(
		"targets",
		targets.map((target) => ({ ...spec, target })),
	);

/** Each head looks somewhere else, the later layers more narrowly. */
const headMap = (layer: number, head: number) => {
	const [rows = 1, columns = 1] = heads.grid;
	return grid(rows, columns, (x, y) => {
		const turn = (2 * Math.PI * head) / heads.heads;
		const far = Math.hypot(
			x - 0.5 - 0.3 * Math.cos(turn),
			y - 0.5 - 0.3 * Math.sin(turn),
		);
		return (
			Math.exp(-far * (3 + 2 * layer)) + 0.1 * landscape(x, y, layer === 0)
		);
	});
};

/** The bytes of the answer to `heads`, and its grid without them. */
export function headMaps() {
	const each = Array.from({ length: heads.layers * heads.heads }, (_, i) =>
		headMap(Math.floor(i / heads.heads), i % heads.heads),
	);
	return stacked(each.map(({ data }) => data as ArrayBuffer));
}

/** The answer to `attention`: each patch looks at itself and at what the head looks at. */
export function attentionMaps(layer: number, head: number) {
	const [rows = 1, columns = 1] = heads.grid;
	const shared = headMap(layer, Math.max(0, head)).data as ArrayBuffer;
	const each = Array.from({ length: rows * columns }, (_, patch) => {
		const row = Int16Array.from(new Int16Array(shared), (value) => value >> 2);
		row[patch] = 32767;
		return row.buffer;
	});
	return stacked(each);
}

/** The answer to `path`: the whole map, growing from nothing. */
export function pathMaps() {
	const alpha = [0, 0.25, 0.5, 0.75, 1];
	const whole = grid(SIZE, SIZE, (x, y) => landscape(x, y, true));
	const each = alpha.map((share) =>
		Int16Array.from(
			new Int16Array(whole.data as ArrayBuffer),
			(value) => value * share,
		),
	);
	return {
		alpha,
		...stacked(
			each.map(({ buffer }) => buffer),
			whole.shape,
		),
	};
}

function stacked(each: ArrayBuffer[], shape = heads.grid) {
	const data = Int16Array.from(
		each.flatMap((buffer) => [...new Int16Array(buffer)]),
	);
	return {
		maps: {
			shape: [each.length, ...shape],
			bits: 16 as const,
			scale: 1e-6,
			data: new ArrayBuffer(0),
		},
		buffer: data.buffer,
	};
}
