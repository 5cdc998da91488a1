import type { Catalog, Control, MethodInfo } from "../src/model/protocol";

const steps = (name: string, label: string, most: number): Control => ({
	name,
	label,
	help: "How often the model is evaluated.",
	type: "integer",
	default: 50,
	draft: 8,
	minimum: 2,
	maximum: most,
	step: 1,
	logarithmic: true,
});

const index = (name: string): Control => ({
	name,
	label: name,
	help: "-1 is the last layer, or the mean of the heads.",
	type: "integer",
	default: -1,
	minimum: -1,
	maximum: 11,
});

const methods: MethodInfo[] = [
	method("gradient", "Gradient", "gradient", 1, {
		help: "The slope of the score at each pixel.",
	}),
	method("input_x_gradient", "Input × Gradient", "gradient", 1, {
		needs_baseline: true,
	}),
	method("integrated_gradients", "Integrated Gradients", "path", 2, {
		help: "Gradients summed along the straight path from a baseline.",
		needs_baseline: true,
		resumable: true,
		controls: [
			steps("n_steps", "steps", 512),
			{
				name: "rule",
				label: "rule",
				help: "How the path is sampled.",
				type: "choice",
				default: "gauss",
				choices: ["gauss", "midpoint", "trapezoid"],
			},
		],
	}),
	method("smoothgrad", "SmoothGrad", "gradient", 2, {
		resumable: true,
		controls: [
			steps("n_samples", "samples", 256),
			{
				name: "noise",
				label: "noise",
				help: "Standard deviation as a share of the input's range.",
				type: "number",
				default: 0.15,
				minimum: 0,
				maximum: 1,
				step: 0.01,
			},
			{
				name: "squared",
				label: "squared",
				help: "Average the squared gradients.",
				type: "boolean",
				default: false,
			},
			{
				name: "seed",
				label: "seed",
				help: "The same seed gives the same map.",
				type: "integer",
				default: 0,
				minimum: 0,
				maximum: 9999,
			},
		],
	}),
	method("grad_cam", "Grad-CAM", "CAM", 1, {
		help: "Feature maps of a layer, weighted by their mean gradients.",
		needs_layer: true,
	}),
	method("occlusion", "Occlusion", "perturbation", 2, {}),
	method("feature_ablation", "Feature ablation", "perturbation", 2, {
		needs_baseline: true,
		takes_regions: true,
		controls: [steps("segments", "segments", 1000)],
	}),
	method("shapley", "Shapley values", "Shapley", 3, {
		help: "Each region's share of the score, over all orders of joining.",
		needs_baseline: true,
		takes_regions: true,
		resumable: true,
		controls: [
			{ ...steps("segments", "segments", 100), default: 14, draft: undefined },
			{ ...steps("budget", "budget", 65536), default: 16384, draft: 256 },
			{
				name: "unit",
				label: "unit",
				help: "What is shared out.",
				type: "choice",
				default: "score",
				choices: ["score", "probability"],
			},
		],
	}),
	method("kernel_shap", "Kernel SHAP", "Shapley", 3, { resumable: true }),
	method("attention_raw", "Attention", "attention", 1, {
		controls: [index("block"), index("head")],
	}),
	method("attention_rollout", "Attention rollout", "attention", 1, {
		unavailable: "needs attention layers: this model has none",
	}),
];

function method(
	name: string,
	label: string,
	group: string,
	cost: number,
	more: Partial<MethodInfo>,
): MethodInfo {
	return {
		name,
		label,
		group,
		cost,
		help: `${label} of the score.`,
		needs_layer: false,
		needs_baseline: false,
		takes_regions: false,
		resumable: false,
		controls: [],
		unavailable: null,
		...more,
	};
}

export const catalog: Catalog = {
	methods,
	layers: [
		layer("stem.conv", "Conv2d", [32, 112, 112], [112, 112]),
		layer("blocks.4", "Sequential", [112, 14, 14], [14, 14]),
		layer("blocks.6", "Sequential", [320, 7, 7], [7, 7]),
		{ ...layer("head.conv", "Conv2d", [1280, 7, 7], [7, 7]), suggested: true },
		layer("classifier", "Linear", [1000], null),
	],
	labels: Array.from({ length: 1000 }, (_, i) => `class ${i}`),
	model: {
		name: "efficientnet-lite0",
		device: "cpu",
		precision: "float32",
		input: "224 × 224",
	},
	edits: {
		fills: [
			{ kind: "blur", label: "blur", controls: [pixels("sigma", 12, 0.5, 64)] },
			{ kind: "mean", label: "mean colour", controls: [] },
			{ kind: "colour", label: "colour", controls: [] },
			{
				kind: "clone",
				label: "from elsewhere in it",
				controls: [pixels("dx", 40, -1000, 1000), pixels("dy", 0, -1000, 1000)],
			},
			{ kind: "image", label: "from another picture", controls: [] },
			{ kind: "inpaint", label: "what is around it", controls: [] },
		],
		adjustments: [
			number("brightness", 0, -1, 1),
			{ ...number("contrast", 1, 0.1, 10), logarithmic: true },
			{ ...number("rotation", 0, -180, 180), unit: "°" },
			{ ...number("quality", 100, 1, 100), type: "integer", step: 1 },
		],
		search: { probability: 0.8, l1: 0, l2: 1, smoothness: 0.01, likeness: 0 },
	},
};
Object.assign(catalog.labels, {
	281: "tabby cat",
	282: "tiger cat",
	285: "Egyptian Mau",
	287: "lynx",
});

function number(
	name: string,
	initial: number,
	minimum: number,
	maximum: number,
): Control {
	const range = { default: initial, minimum, maximum };
	return { name, label: name, help: "", type: "number", ...range };
}

function pixels(name: string, initial: number, from: number, to: number) {
	return { ...number(name, initial, from, to), unit: "px" };
}

function layer(
	name: string,
	type: string,
	shape: number[],
	cells: number[] | null,
) {
	return { name, type, shape, grid: cells, suggested: false };
}
