import type { Feature, TableInfo } from "../../model/protocol";
import type { Store } from "../../model/store";
import { fineStep } from "../controls/Form";
import { compact } from "../controls/number";
import { Select } from "../controls/Select";
import { Slider } from "../controls/Slider";
import { RuleControls } from "../counterfactual/Rules";
import { Section } from "../panel/Section";
import { signed } from "../stage/numbers";
import { changed } from "./editing";

interface Props {
	store: Store;
	table: TableInfo;
	trouble: string;
}

/** What if a feature had another value: the model answers while the handle moves. */
export function Edit({ store, table, trouble }: Props) {
	const { edits, editing, ablation } = store.ui;
	const { features } = table;
	const feature = features.find(({ name }) => name === editing.value);
	const off = store.offlineReason.value;
	const apply = () => {
		const request = {
			kind: "edit",
			values: edits.peek(),
			apply: true,
		} as const;
		store.ask(request).catch(() => undefined);
	};
	const moved = ablation.value;
	return (
		<Section
			name="what if"
			aside={
				moved && (
					<span class="nbx-value">
						{`${compact(moved.before)} → ${compact(moved.after)} (${signed(moved.after - moved.before)})`}
					</span>
				)
			}
		>
			<Select
				label="feature"
				value={editing.value ?? ""}
				disabled={!!off}
				options={[
					...(feature ? [] : [{ value: "", label: "choose a feature" }]),
					...features.map(({ name }) => ({ value: name, label: name })),
				]}
				onCommit={(next) => {
					editing.value = next;
				}}
			/>
			{feature && (
				<Value
					key={feature.name}
					feature={feature}
					value={
						feature.name in edits.value
							? edits.value[feature.name]
							: feature.value
					}
					disabled={!!off}
					onEdit={(value) => {
						edits.value = edited(edits.peek(), feature, value);
					}}
				/>
			)}
			{feature && (
				<div class="nbx-rule">
					<span>may change</span>
					<RuleControls store={store} feature={feature} disabled={!!off} />
				</div>
			)}
			<p class="nbx-trouble" role="alert">
				{trouble}
			</p>
			{changed(edits.value) && (
				<div class="nbx-row">
					<button
						type="button"
						class="nbx-button nbx-primary"
						disabled={!!off}
						onClick={apply}
					>
						Explain this row
					</button>
					<button
						type="button"
						class="nbx-button"
						onClick={() => {
							edits.value = {};
						}}
					>
						Put back
					</button>
				</div>
			)}
		</Section>
	);
}

type Edits = Store["ui"]["edits"]["value"];

/** An edit back to the value of the row is none. */
function edited(
	edits: Edits,
	{ name, value }: Feature,
	next: string | number,
): Edits {
	const { [name]: _, ...others } = edits;
	return next === value ? others : { ...others, [name]: next };
}

interface ValueProps {
	feature: Feature;
	value: number | string | null | undefined;
	disabled: boolean;
	onEdit: (value: number | string) => void;
}

function Value({ feature, value, disabled, onEdit }: ValueProps) {
	const { name, choices, integer } = feature;
	const initial = feature.value;
	if (choices) {
		const missing = value === null ? [{ value: "", label: "missing" }] : [];
		return (
			<Select
				label={name}
				value={String(value ?? "")}
				initial={initial === null ? undefined : String(initial)}
				disabled={disabled}
				options={[
					...missing,
					...choices.map((choice) => ({ value: choice, label: choice })),
				]}
				onCommit={onEdit}
			/>
		);
	}
	const { minimum, maximum } = rangeOf(feature);
	return (
		<Slider
			label={name}
			help={`in the training data from ${compact(minimum)} to ${compact(maximum)}`}
			value={Number(value ?? minimum)}
			initial={initial === null ? undefined : Number(initial)}
			minimum={minimum}
			maximum={maximum}
			step={integer ? 1 : fineStep(maximum - minimum) / 10}
			disabled={disabled}
			onDrag={onEdit}
			onCommit={onEdit}
		/>
	);
}

/** The training range, widened where the row lies beyond it; around the value where there is none. */
function rangeOf({ value, minimum, maximum }: Feature) {
	const now = Number(value ?? minimum ?? 0);
	const low = minimum ?? Math.min(0, 4 * now);
	const high = maximum ?? Math.max(1, 4 * now);
	return {
		minimum: Math.min(low, now),
		maximum: Math.max(high, now, low + 1e-9),
	};
}
