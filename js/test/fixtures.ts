import type {
	Curve,
	Grid,
	Heads,
	Picture,
	Prediction,
	Result,
	Spec,
	Traits,
} from "../src/model/protocol";
import { catalog } from "./catalog";
import { painted, players } from "./players";

export const SIZE = 64;

/** A picture every browser decodes and no encoder is needed for: an uncompressed bitmap. */
export function bitmap(
	width: number,
	height: number,
	colour: (x: number, y: number) => [number, number, number],
): Picture {
	const stride = Math.ceil((width * 3) / 4) * 4;
	const view = new DataView(new ArrayBuffer(54 + stride * height));
	view.setUint16(0, 0x424d);
	view.setUint32(2, view.byteLength, true);
	view.setUint32(10, 54, true);
	view.setUint32(14, 40, true);
	view.setInt32(18, width, true);
	view.setInt32(22, -height, true);
	view.setUint16(26, 1, true);
	view.setUint16(28, 24, true);
	for (let y = 0; y < height; y++)
		for (let x = 0; x < width; x++) {
			const [red, green, blue] = colour(x, y);
			const at = 54 + y * stride + x * 3;
			view.setUint8(at, blue);
			view.setUint8(at + 1, green);
			view.setUint8(at + 2, red);
		}
	return { mime: "image/bmp", data: view, width, height };
}

const flat = (value: number) =>
	bitmap(32, 32, () => [value, value, value] as [number, number, number]);

/** The colour of the synthetic picture at a pixel. */
export function shade(x: number, y: number): [number, number, number] {
	const far = Math.hypot(x - 22, y - 26) / SIZE;
	return [210 - far * 160, 150 - far * 60 + (y % 8) * 3, 90 + (x % 8) * 6];
}

export const picture = bitmap(SIZE, SIZE, shade);

const blob = (x: number, y: number, cx: number, cy: number, width: number) =>
	Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * width * width));

/** White noise that is the same every time. */
function grainAt(x: number, y: number): number {
	const wild = Math.sin(x * 127.1 + y * 311.7) * 43758.5453;
	return 2 * (wild - Math.floor(wild)) - 1;
}

/** Support around two eyes and a nose; finer maps also have signed grain. */
export function landscape(x: number, y: number, grain: boolean): number {
	const wide = grain ? 1 : 2;
	const support =
		blob(x, y, 0.3, 0.34, 0.07 * wide) +
		0.8 * blob(x, y, 0.86, 0.45, 0.06 * wide) +
		0.9 * blob(x, y, 0.63, 0.83, 0.09 * wide) -
		0.3 * blob(x, y, 0.15, 0.85, 0.12);
	if (!grain) return Math.max(0, support);
	const noise = grainAt(Math.round(x * 112), Math.round(y * 112));
	return support * (0.3 + noise) + noise * 0.06;
}

/** A quantised map of values f(x, y) over the unit square. */
export function grid(
	rows: number,
	columns: number,
	value: (x: number, y: number) => number,
): Grid {
	const values = Array.from({ length: rows * columns }, (_, i) =>
		value(
			((i % columns) + 0.5) / columns,
			(Math.floor(i / columns) + 0.5) / rows,
		),
	);
	const scale = Math.max(1e-9, ...values.map(Math.abs)) / 32767;
	const data = Int16Array.from(values, (v) => Math.round(v / scale));
	return { shape: [rows, columns], bits: 16, scale, data: data.buffer };
}

export const prediction: Prediction = {
	classes: 1000,
	top: [
		{ index: 285, label: "Egyptian Mau", score: 7.42, probability: 0.38 },
		{ index: 281, label: "tabby cat", score: 7.04, probability: 0.26 },
		{ index: 282, label: "tiger cat", score: 6.87, probability: 0.22 },
		{ index: 287, label: "lynx", score: 5.17, probability: 0.04 },
		{ index: 292, label: "class 292", score: 3.02, probability: 0.004 },
	],
};

export function curve(count = 33): Curve {
	const alpha = Array.from({ length: count }, (_, i) => i / (count - 1));
	const rise = (a: number) => 7.2 / (1 + Math.exp(-(a - 0.45) * 14)) + 0.2;
	return {
		alpha,
		score: alpha.map(rise),
		accumulated: alpha.map((a) => 0.98 * (rise(a) - rise(0))),
		baseline: flat(0),
		has_maps: true,
	};
}

export const heads: Heads = { layers: 4, heads: 6, grid: [8, 8] };

/** A finished result of `spec`, or a partial one when `done` is below `total`. */
export function result(
	id: string,
	spec: Spec,
	more: Partial<Result> = {},
): Result {
	const info = catalog.methods.find((m) => m.name === spec.method);
	const coarse = spec.method === "grad_cam";
	const shares = info?.group === "Shapley" ? players() : null;
	const side = coarse ? 7 : SIZE;
	const index = typeof spec.target === "number" ? spec.target : 285;
	return {
		id,
		phase: "final",
		spec,
		title: info?.label ?? spec.method,
		subtitle: coarse ? String(spec.layer) : String(spec.baseline.kind ?? ""),
		target: catalog.labels[index] ?? String(index),
		map: shares
			? painted(shares)
			: grid(side, side, (x, y) => landscape(x, y, !coarse) * 0.031),
		signed: !coarse,
		done: 50,
		total: 50,
		error: 0.002,
		seconds: 0.9,
		complete: true,
		reason: null,
		evidence: [
			{
				name: "completeness_gap",
				label: "completeness gap",
				value: "0.3 % of 7.42",
				verdict: "good",
				help: "Good below 1 %, poor above 5 %.",
			},
			{
				name: "evaluations",
				label: "evaluations",
				value: "50",
				verdict: "plain",
				help: "",
			},
			{
				name: "standard_error",
				label: "standard error",
				value: "± 14 %",
				verdict: "weak",
				help: "Green up to 10 %, amber up to 30 %.",
			},
		],
		checks: [],
		curve: spec.method === "integrated_gradients" ? curve() : null,
		heads: spec.method === "attention_raw" ? heads : null,
		players: shares,
		description: `${info?.label} for ${catalog.labels[index]}: strongest support upper left, 61 % of positive mass in 10 % of the area`,
		provenance: { torch: "2.13.0", model: "efficientnet-lite0" },
		...more,
	};
}

export const spec: Spec = {
	method: "integrated_gradients",
	params: { n_steps: 50, rule: "gauss" },
	baseline: { kind: "blur", sigma: 12 },
	regions: {},
	target: 285,
	layer: "head.conv",
};

/** The traits of an Explorer before its first result. */
export function traits(more: Partial<Traits> = {}): Traits {
	return {
		...spec,
		opacity: 0.55,
		colormap: "auto",
		clip: 99.5,
		sign: "both",
		threshold: 0,
		view: "overlay",
		native: false,
		shortcuts: true,
		_protocol: 1,
		_catalog: catalog,
		_image: picture,
		_baselines: [
			{ kind: "black", label: "black", thumbnail: flat(0), controls: [] },
			{
				kind: "blur",
				label: "blur",
				thumbnail: picture,
				controls: [
					{
						name: "sigma",
						label: "sigma",
						help: "Width of the blur.",
						type: "number",
						default: 12,
						minimum: 1,
						maximum: 64,
						step: 1,
						unit: "px",
					},
				],
			},
			{ kind: "mean", label: "mean", thumbnail: flat(128), controls: [] },
			{ kind: "white", label: "white", thumbnail: flat(255), controls: [] },
			{
				kind: "noise",
				label: "noise",
				thumbnail: bitmap(32, 32, (x, y) => {
					const v = ((x * 7919 + y * 104729) * 31) % 256;
					return [v, (v * 3) % 256, (v * 7) % 256];
				}),
				controls: [],
			},
			{ kind: "image", label: "image…", thumbnail: null, controls: [] },
		],
		_prediction: prediction,
		_result: null,
		_history: [],
		_comparison: null,
		_comparison_stale: false,
		_job: {
			id: 0,
			state: "idle",
			phase: "final",
			note: "",
			done: 0,
			total: 0,
			seconds: 0,
			eta: null,
			resumable: false,
		},
		_error: null,
		_notices: [],
		_stale: false,
		_table: null,
		_alone: "",
		_summary: null,
		_checks: null,
		_edits: null,
		_alternatives: null,
		_concepts: null,
		_bottleneck: null,
		...more,
	};
}
