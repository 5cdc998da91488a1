import type { Control, MethodInfo } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Form } from "../controls/Form";
import { Segmented } from "../controls/Segmented";
import { Select } from "../controls/Select";
import { Section } from "../panel/Section";

const UNITS = [
	{ value: "score", label: "score" },
	{ value: "probability", label: "probability" },
] as const;

/** Of the method's parameters, those that say who plays and how long is counted. */
const SHOWN: Record<string, string> = { segments: "regions", budget: "budget" };

/** Who the players are and how their shares are estimated. */
export function Chosen({ store }: { store: Store }) {
	const methods = estimators(store);
	const name = store.traits.method.value;
	const method = methods.find((known) => known.name === name);
	if (!method) return null;
	const off = store.offlineReason.value;
	const params = store.traits.params.value;
	return (
		<Section name="players">
			<Form
				key={name}
				controls={shown(method, store)}
				values={params}
				disabled={!!off}
				onDrag={(values) => store.draft({ params: values })}
				onCommit={(values) => store.set({ params: values })}
			/>
			<Select
				label="estimator"
				help={method.help}
				value={name}
				disabled={!!off}
				options={methods.map(({ name, label }) => ({ value: name, label }))}
				onCommit={(next) => store.set({ method: next })}
			/>
			<Unit store={store} method={method} />
		</Section>
	);
}

/** The methods whose values are shares of players, as far as they can run. */
export function estimators(store: Store): MethodInfo[] {
	return store.traits._catalog.value.methods.filter(
		({ group, unavailable }) => group === "Shapley" && !unavailable,
	);
}

function shown({ controls }: MethodInfo, store: Store): Control[] {
	// Regions that were painted or named are not counted by a slider.
	const given = !!store.traits.regions.value.kind;
	return controls
		.filter(({ name }) => name in SHOWN && !(given && name === "segments"))
		.map((control) => ({ ...control, label: SHOWN[control.name] ?? "" }));
}

function Unit({ store, method }: { store: Store; method: MethodInfo }) {
	if (!method.controls.some(({ name }) => name === "unit")) return null;
	const params = store.traits.params.value;
	const unit = params.unit === "probability" ? "probability" : "score";
	return (
		<>
			<Segmented
				label="unit"
				value={unit}
				disabled={!!store.offlineReason.value}
				options={[...UNITS]}
				onCommit={(next) => store.set({ params: { ...params, unit: next } })}
			/>
			{unit === "probability" && (
				<p class="nbx-note">
					Probabilities saturate near 0 and 1, and those of different classes do
					not add.
				</p>
			)}
		</>
	);
}
