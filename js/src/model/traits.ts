import type { Traits } from "./protocol";
import type { PublicTraits } from "./store";

/** Which traits ask for a computation; the others are only looking. */
const ROLES: { [K in keyof Traits]: "compute" | "look" | "fact" } = {
	method: "compute",
	target: "compute",
	layer: "compute",
	params: "compute",
	baseline: "compute",
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
	_job: "fact",
	_error: "fact",
	_notices: "fact",
	_stale: "fact",
};

export const TRAITS = Object.keys(ROLES) as (keyof Traits)[];

export const COMPUTE_TRAITS: ReadonlySet<keyof PublicTraits> = new Set(
	(Object.keys(ROLES) as (keyof PublicTraits)[]).filter(
		(key) => ROLES[key] === "compute",
	),
);
