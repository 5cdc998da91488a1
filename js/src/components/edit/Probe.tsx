import { useSignal } from "@preact/signals";
import type { Attack } from "../../model/editor";
import type { Store } from "../../model/store";
import { reason } from "../controls/reason";
import { Segmented } from "../controls/Segmented";
import { Select } from "../controls/Select";
import { Slider } from "../controls/Slider";
import { ClassField } from "./ClassField";
import { Fold } from "./Fold";
import { Running, running } from "./Running";

const ATTACKS: { value: Attack["attack"]; label: string }[] = [
	{ value: "fgsm", label: "FGSM, one step" },
	{ value: "pgd", label: "PGD, many steps" },
	{ value: "apgd", label: "APGD, sizes its own steps" },
	{ value: "deep_fool", label: "DeepFool, to the nearest boundary" },
];
const NORMS: { value: Attack["norm"]; label: string; name: string }[] = [
	{ value: "linf", label: "L∞", name: "each pixel by at most epsilon" },
	{
		value: "l2",
		label: "L2",
		name: "the whole change is at most epsilon long",
	},
];
const SEEKS: { value: Attack["seeks"]; label: string }[] = [
	{ value: "change", label: "a change" },
	{ value: "smallest", label: "smallest ε" },
	{ value: "curve", label: "curve" },
];
const RANGES = {
	linf: { minimum: 0.001, maximum: 0.3, initial: 0.03 },
	l2: { minimum: 0.05, maximum: 30, initial: 2 },
};

/** How small a change turns the prediction. It explains nothing by itself. */
export function Probe({ store }: { store: Store }) {
	const { attack: form } = store.ui.editor;
	const { attack, norm, epsilon, toward, seeks } = form.value;
	const trouble = useSignal("");
	const put = (changes: Partial<Attack>) => {
		form.value = { ...form.value, ...changes };
	};
	const nearest = attack === "deep_fool";
	const range = RANGES[norm];
	return (
		<Fold name="probes of fragility" remark="not explanations">
			<p class="nbx-note">
				How small a change turns the prediction: a probe of fragility, not an
				explanation.
			</p>
			<Select
				label="attack"
				value={attack}
				options={ATTACKS}
				onCommit={(next) => put({ attack: next })}
			/>
			<Segmented
				label="measured in"
				value={norm}
				options={NORMS}
				onCommit={(next) => put({ norm: next, epsilon: RANGES[next].initial })}
			/>
			{!nearest && (
				<Segmented
					label="seeks"
					value={seeks}
					options={SEEKS}
					onCommit={(next) => put({ seeks: next })}
				/>
			)}
			{!nearest && seeks !== "smallest" && (
				<Slider
					label="epsilon"
					help="How large a change may be, in pixels from 0 to 1; a curve goes to four times this."
					value={epsilon}
					initial={range.initial}
					minimum={range.minimum}
					maximum={range.maximum}
					logarithmic
					onCommit={(next) => put({ epsilon: Number(next.toPrecision(3)) })}
				/>
			)}
			{(nearest || seeks !== "curve") && (
				<ClassField
					store={store}
					name="toward"
					label="toward"
					help="The class to reach; without one any other will do."
					value={toward}
					nothing="any other class"
					clears
					onChoose={(index) => put({ toward: index })}
				/>
			)}
			<p class="nbx-trouble" role="alert">
				{trouble.value}
			</p>
			<Running store={store} task="probe" label="progress of the probe">
				<button
					type="button"
					class="nbx-button nbx-primary"
					disabled={running(store)}
					onClick={() => {
						trouble.value = "";
						const asked = nearest ? ({ seeks: "change" } as const) : {};
						const goal = !nearest && seeks === "curve" ? { toward: null } : {};
						store
							.ask({ kind: "probe", ...form.peek(), ...asked, ...goal })
							.catch((failure) => {
								trouble.value = reason(failure);
							});
					}}
				>
					Probe
				</button>
			</Running>
		</Fold>
	);
}
