import { useSignal } from "@preact/signals";
import type { Control, MethodInfo } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Form } from "../controls/Form";
import { Section } from "./Section";

type Values = Record<string, unknown>;

interface Props {
	store: Store;
	method: MethodInfo;
}

export function Parameters({ store, method }: Props) {
	const { regions, _table } = store.traits;
	// Where regions are given, and in a table, there are no superpixels to count.
	const given = method.takes_regions && !!(regions.value.kind || _table.value);
	const controls = method.controls.filter(
		({ name }) => !given || name !== "segments",
	);
	/** The values under the handle, told beside the draft's before they are released. */
	const dragged = useSignal<Values | null>(null);
	const params = store.traits.params.value;
	const off = store.offlineReason.value;
	if (controls.length === 0) return null;
	const changed = controls.some(
		({ name, default: initial }) =>
			params[name] !== undefined && params[name] !== initial,
	);
	return (
		<Section
			name="parameters"
			aside={
				changed && (
					<button
						type="button"
						class="nbx-link nbx-small"
						disabled={!!off}
						onClick={() => store.set({ params: {} })}
					>
						reset all
					</button>
				)
			}
		>
			<Form
				key={method.name}
				controls={controls}
				values={params}
				disabled={!!off}
				onDrag={(values) => {
					dragged.value = values;
					store.draft({ params: values });
				}}
				onCommit={(values) => {
					dragged.value = null;
					store.set({ params: values });
				}}
			/>
			{!off && <Budget controls={controls} values={dragged.value ?? params} />}
		</Section>
	);
}

interface BudgetProps {
	controls: Control[];
	values: Values;
}

/** What a drag costs, beside what the release costs. */
function Budget({ controls, values }: BudgetProps) {
	const drafted = controls.filter(({ draft }) => draft != null);
	if (drafted.length === 0) return null;
	const list = (pick: (control: Control) => unknown) =>
		drafted.map((control) => `${pick(control)} ${control.label}`).join(", ");
	return (
		<div class="nbx-note">
			<span>drag: draft with {list(({ draft }) => draft)}</span>
			<span>
				release: {list(({ name, default: initial }) => values[name] ?? initial)}
			</span>
		</div>
	);
}
