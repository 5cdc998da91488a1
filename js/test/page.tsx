import { toBytes } from "../src/model/decode";
import type {
	Bytes,
	HistoryItem,
	Picture,
	Traits,
} from "../src/model/protocol";
import widget, { savedView } from "../src/widget";
import { alternatives, diagnosis } from "./alternatives";
import { bottleneck } from "./bottleneck";
import { checks, found, halfway } from "./checks";
import { gathered, tested, unseen } from "./concepts";
import { found as foundPicture, probed, remembered } from "./edited";
import { FakeModel, fakeKernel } from "./fake";
import { result, spec, traits } from "./fixtures";
import { comparedMethods, comparedTargets } from "./multiples";
import { players } from "./players";
import { summary } from "./summary";
import { features, table } from "./table";

declare global {
	interface Window {
		/** A photograph in place of the synthetic picture, given by whoever drives the page. */
		photograph?: Omit<Picture, "data"> & { data: string };
		model: FakeModel;
	}
}

/**
 * The widget with a scripted kernel, for screenshots and for trying things out:
 * page.html?theme=dark&state=done. The states are those of the explorer.
 */
const query = new URLSearchParams(location.search);
const name = query.get("state") ?? "done";
document.body.dataset.theme = query.get("theme") ?? "light";

const photograph = window.photograph as unknown as Picture | undefined;
const image = photograph && name !== "table" ? { _image: photograph } : {};
const cam = { ...spec, method: "grad_cam" };
const history = [
	result("r1", spec),
	result("r2", cam),
	result("r3", { ...spec, baseline: { kind: "black" } }),
].map((each) => ({
	id: each.id,
	name: `${each.title} ${each.subtitle}`,
	pinned: each.id === "r2",
	result: each,
}));
const done = { _result: result("r1", spec), _history: history };
const job = (state: Traits["_job"]["state"], more = {}) => ({
	_job: { ...traits()._job, state, done: 23, total: 50, seconds: 2.4, ...more },
});

const compared = comparedMethods(
	["gradient", "integrated_gradients", "smoothgrad", "grad_cam", "occlusion"],
	{
		failures: [
			{
				title: "Kernel SHAP: the model ran out of memory",
				hint: "Halve the batch: Explorer(..., batch=8).",
				details: "",
			},
		],
	},
);
const raw = { ...spec, method: "attention_raw", params: { block: 2 } };

const ablation = {
	...spec,
	method: "feature_ablation",
	params: { segments: 50 },
};

const shapley = {
	...spec,
	method: "shapley",
	params: { segments: 14, budget: 16384, unit: "score" },
};

const STATES: Record<string, Partial<Traits>> = {
	idle: cam,
	done: { ...done, ...job("done", { seconds: 0.9 }) },
	cam: {
		...cam,
		_result: result("r2", cam),
		_history: history,
		...job("done", { seconds: 0.2 }),
	},
	running: { ...done, ...job("running", { eta: 2.1 }), target: 281 },
	draft: {
		_result: result("d", spec, { phase: "draft", done: 8, complete: false }),
		...job("running"),
	},
	partial: {
		_result: result("p", spec, { done: 23, complete: false }),
		...job("cancelled", { resumable: true }),
	},
	degenerate: {
		_result: result("z", spec, {
			reason:
				"The gradient is zero everywhere: the score does not depend on the picture.",
		}),
	},
	error: {
		...done,
		...job("error"),
		_error: {
			title: "The model ran out of memory",
			hint: "Halve the batch: Explorer(..., batch=8).",
			details: "Traceback (most recent call last):\n  torch.OutOfMemoryError",
		},
	},
	compare: { ...done, _comparison: compared },
	classes: { ...done, _comparison: comparedTargets([285, 281, 282]) },
	heads: {
		...raw,
		_result: result("a1", raw, { signed: false }),
	},
	regions: {
		...ablation,
		_result: result("f1", ablation),
		_history: history,
		...job("done", { seconds: 0.4 }),
	},
	waterfall: {
		...shapley,
		_concepts: gathered(),
		_result: result("s1", shapley, { title: "Shapley values" }),
		_history: history,
		...job("done", { seconds: 6.2 }),
	},
	exact: {
		...shapley,
		_result: result("s1", shapley, {
			players: players(9, { errors: null }),
		}),
	},
	table: {
		...shapley,
		_table: table,
		_image: null as unknown as Picture,
		_result: result("t1", shapley, { players: features }),
		_baselines: [],
	},
	alternatives: {
		...shapley,
		target: 0,
		_table: table,
		_image: null as unknown as Picture,
		_prediction: diagnosis,
		_catalog: { ...traits()._catalog, labels: ["malignant", "benign"] },
		_result: result("t1", shapley, { players: features }),
		_baselines: [],
		_alternatives: alternatives(),
		_history: [
			{ ...(history[0] as HistoryItem), result: result("t1", shapley) },
			{ id: "a1", name: "→ benign", pinned: false, rows: alternatives() },
		],
	},
	summary: { _alone: "summary", _summary: summary },
	alone: {
		...shapley,
		_result: result("s1", shapley),
		_alone: "waterfall",
	},
	unchecked: { ...done, _checks: checks() },
	checking: { ...done, _checks: halfway("r1") },
	checked: {
		...done,
		_result: result("r1", spec, { checks: found }),
		_checks: checks(),
	},
	found: {
		...done,
		...job("done", { seconds: 0.9 }),
		_history: [...history, ...remembered(foundPicture("f1"), probed("p1"))],
	},
	concepts: {
		...done,
		_concepts: gathered({
			target: "Egyptian Mau",
			tested: [tested("stripes"), unseen],
		}),
	},
	bottleneck: { ...done, _concepts: gathered(), _bottleneck: bottleneck() },
	corrected: {
		...done,
		_concepts: gathered(),
		_bottleneck: bottleneck({ striped: 1, "long tail": 0 }),
	},
	stale: { ...done, _stale: true },
	mismatch: { _protocol: 2 },
};

const el = document.getElementById("widget");
if (!el) throw new Error("page.html has no #widget");
const state = { ...image, ...STATES[name === "saved" ? "compare" : name] };
window.model = new FakeModel(state);
if (name === "saved") {
	const page = JSON.stringify(traits(state), (_key, value) =>
		value instanceof ArrayBuffer || ArrayBuffer.isView(value)
			? btoa(String.fromCharCode(...toBytes(value as Bytes)))
			: value,
	);
	savedView(el, JSON.parse(page));
} else {
	fakeKernel(window.model, { tick: 60, steps: 30 });
	widget.render({ model: window.model, el });
}
