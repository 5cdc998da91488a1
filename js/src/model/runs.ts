import { toBytes } from "./decode";
import type { Bytes } from "./protocol";

/** Which region each pixel belongs to, row by row. */
export interface LabelMap {
	width: number;
	height: number;
	labels: Uint16Array;
}

/** A run is two 16-bit integers, little-endian: the label, and how many pixels have it. */
const RUN = 4;
const LONGEST = 0xffff;

/** The label map behind run lengths; null where they do not fill the picture exactly. */
export function decodeRuns(
	data: Bytes | string,
	width: number,
	height: number,
): LabelMap | null {
	const { buffer, byteOffset, byteLength } = toBytes(data);
	const view = new DataView(buffer, byteOffset, byteLength);
	const labels = new Uint16Array(width * height);
	let at = 0;
	for (let i = 0; i + RUN <= byteLength; i += RUN) {
		const end = at + view.getUint16(i + 2, true);
		if (end > labels.length) return null;
		labels.fill(view.getUint16(i, true), at, end);
		at = end;
	}
	return at === labels.length && byteLength % RUN === 0
		? { width, height, labels }
		: null;
}

export function encodeRuns({ labels }: LabelMap): ArrayBuffer {
	const runs: number[] = [];
	for (let from = 0; from < labels.length; ) {
		let to = from + 1;
		while (labels[to] === labels[from] && to - from < LONGEST) to++;
		runs.push(labels[from] as number, to - from);
		from = to;
	}
	const view = new DataView(new ArrayBuffer(2 * runs.length));
	runs.forEach((integer, i) => {
		view.setUint16(2 * i, integer, true);
	});
	return view.buffer;
}
