import type { WidgetModel } from "./anywidget";
import type { Traits } from "./protocol";
import type { PublicTraits } from "./store";

/** Which traits ask for a computation; the others are only looking. */
const ROLES: { [K in keyof Traits]: "compute" | "look" | "fact" } = {
	method: "compute",
	target: "compute",
	layer: "compute",
	params: "compute",
	baseline: "compute",
	regions: "compute",
	opacity: "look",
	colormap: "look",
	clip: "look",
	sign: "look",
	threshold: "look",
	view: "look",
	native: "look",
	shortcuts: "look",
	_protocol: "fact",
	_catalog: "fact",
	_image: "fact",
	_baselines: "fact",
	_prediction: "fact",
	_result: "fact",
	_history: "fact",
	_comparison: "fact",
	_comparison_stale: "fact",
	_job: "fact",
	_error: "fact",
	_notices: "fact",
	_stale: "fact",
	_table: "fact",
	_alone: "fact",
	_summary: "fact",
	_concepts: "fact",
	_bottleneck: "fact",
	_edits: "fact",
	_alternatives: "fact",
	_checks: "fact",
};

export const TRAITS = Object.keys(ROLES) as (keyof Traits)[];

export const COMPUTE_TRAITS: ReadonlySet<keyof PublicTraits> = new Set(
	(Object.keys(ROLES) as (keyof PublicTraits)[]).filter(
		(key) => ROLES[key] === "compute",
	),
);

/** What stands for a trait that Python left empty, as it does when the model cannot be opened. */
const EMPTY: Partial<Traits> = {
	_image: { mime: "", data: new ArrayBuffer(0), width: 0, height: 0 },
	_catalog: {
		methods: [],
		layers: [],
		labels: [],
		model: { name: "", device: "", precision: "", input: "" },
		edits: null,
	},
};

export function read(model: WidgetModel, key: keyof Traits): unknown {
	const value = model.get(key);
	const nothing =
		value === null ||
		value === undefined ||
		(key === "_catalog" && !hasKeys(value));
	return nothing ? (EMPTY[key] ?? value ?? null) : value;
}

function hasKeys(value: unknown): boolean {
	return Object.keys(value as object).length > 0;
}
