import type { Bytes, Grid } from "./protocol";
import type { Heatmap } from "./store";

/** Bytes as any host delivers them. A DataView may look into the middle of a larger buffer. */
export function toBytes(data: Bytes | string): Uint8Array<ArrayBuffer> {
	if (typeof data === "string") return fromBase64(data);
	if (data instanceof ArrayBuffer) return new Uint8Array(data);
	return new Uint8Array(
		data.buffer as ArrayBuffer,
		data.byteOffset,
		data.byteLength,
	);
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
	return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** All maps of a grid: one when its shape is (rows, columns). */
export function decodeMaps(grid: Grid, data: Bytes = grid.data): Heatmap[] {
	const [rows = 0, columns = 0] = grid.shape.slice(-2);
	const size = rows * columns;
	const values = dequantise(toBytes(data), grid.bits, grid.scale);
	const count = grid.shape.length > 2 ? (grid.shape[0] ?? 0) : 1;
	return Array.from({ length: count }, (_, i) => ({
		rows,
		columns,
		values: values.subarray(i * size, (i + 1) * size),
	}));
}

/** The map of a two-dimensional grid, or null when its bytes are missing or cut short. */
export function decodeMap(grid: Grid): Heatmap | null {
	const map = decodeMaps(grid)[0];
	const whole =
		map &&
		map.values.length > 0 &&
		map.values.length === map.rows * map.columns;
	return whole ? map : null;
}

function dequantise(bytes: Uint8Array, bits: 8 | 16, scale: number) {
	const width = bits / 8;
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const values = new Float32Array(Math.floor(bytes.byteLength / width));
	for (let i = 0; i < values.length; i++) {
		const integer = bits === 16 ? view.getInt16(2 * i, true) : view.getInt8(i);
		values[i] = integer * scale;
	}
	return values;
}
