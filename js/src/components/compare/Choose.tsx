import { useSignal } from "@preact/signals";
import type { Choice, Comparison, Spec } from "../../model/protocol";
import type { Store } from "../../model/store";
import { CheckList, type CheckRow } from "../controls/CheckList";
import { reason } from "../controls/reason";
import { Segmented } from "../controls/Segmented";
import { grouped, Line } from "../header/MethodPicker";
import { Section } from "../panel/Section";

const MOST = 6;
const FEWEST = 2;
/** So many classes are ticked before anyone has chosen. */
const FIRST = 3;

const KINDS: { value: Comparison["kind"]; label: string; name: string }[] = [
	{ value: "methods", label: "methods", name: "several methods, one class" },
	{ value: "targets", label: "classes", name: "several classes, one method" },
];

/** What is to be compared, and the button that does it. */
export function Choose({ store }: { store: Store }) {
	const { selection } = store.ui;
	const trouble = useSignal("");
	const last = store.traits._comparison.value;
	const kind = selection.value.kind ?? last?.kind ?? "methods";
	const { rows, checked } =
		kind === "methods" ? methodRows(store) : classRows(store);
	const off = store.offlineReason.value;
	const few = checked.length < FEWEST ? `choose at least ${FEWEST}` : "";
	const commit = (keys: string[]) => {
		selection.value = {
			...selection.value,
			[kind]: kind === "methods" ? keys : keys.map(Number),
		};
	};
	const compare = () => {
		trouble.value = "";
		const methods = kind === "methods" ? checked : [];
		const targets = kind === "targets" ? checked.map(Number) : [];
		store.ask({ kind: "compare", methods, targets }).catch((failure) => {
			trouble.value = reason(failure);
		});
	};
	return (
		<Section name="what to compare">
			<Segmented
				label="compare"
				value={kind}
				options={KINDS}
				onCommit={(next) => {
					selection.value = { ...selection.value, kind: next };
				}}
			/>
			<CheckList
				key={kind}
				label={kind === "methods" ? "methods" : "classes"}
				rows={rows}
				checked={checked}
				most={MOST}
				disabled={off}
				onCommit={commit}
			/>
			<div class="nbx-choose">
				<span class="nbx-soft">
					{few || `${checked.length} of at most ${MOST}`}
				</span>
				<button
					type="button"
					class="nbx-button nbx-primary"
					disabled={!!(off || few)}
					title={off || few || undefined}
					onClick={compare}
				>
					Compare
				</button>
			</div>
			<p class="nbx-trouble" role="alert">
				{trouble.value}
			</p>
		</Section>
	);
}

interface Choosable {
	rows: CheckRow[];
	checked: string[];
}

function methodRows({ traits, ui }: Store): Choosable {
	const methods = grouped(traits._catalog.value.methods);
	const asked = ui.selection.value.methods ??
		lastOf(traits._comparison.value, "methods", ({ method }) => method) ?? [
			traits.method.value,
		];
	return {
		rows: methods.map((method) => ({
			key: method.name,
			group: method.group,
			disabled: method.unavailable,
			content: <Line method={method} />,
		})),
		checked: methods
			.filter(({ name, unavailable }) => !unavailable && asked.includes(name))
			.map(({ name }) => name),
	};
}

function classRows({ traits, ui }: Store): Choosable {
	const top = traits._prediction.value?.top ?? [];
	const first = top.slice(0, FIRST).map(({ index }) => index);
	const asked =
		ui.selection.value.targets ??
		lastOf(traits._comparison.value, "targets", ({ target }) => target) ??
		first;
	return {
		rows: top.map((choice) => ({
			key: String(choice.index),
			content: <ClassLine choice={choice} />,
		})),
		checked: top
			.filter(({ index }) => asked.includes(index))
			.map(({ index }) => String(index)),
	};
}

/** What the comparison that is there was about, if it was of this kind. */
function lastOf<T>(
	last: Comparison | null,
	kind: Comparison["kind"],
	pick: (spec: Spec) => T,
): T[] | null {
	return last?.kind === kind
		? last.results.map(({ spec }) => pick(spec))
		: null;
}

function ClassLine({ choice }: { choice: Choice }) {
	return (
		<>
			<span class="nbx-cut nbx-grow">{choice.label}</span>
			<span class="nbx-figure">
				{(choice.probability ?? choice.score).toFixed(2)}
			</span>
		</>
	);
}
