import type { MethodInfo } from "../../model/protocol";
import type { Store } from "../../model/store";
import { FilterList, type Row } from "../controls/FilterList";
import { Picker } from "./Picker";

export function MethodPicker({ store }: { store: Store }) {
	const { methods } = store.traits._catalog.value;
	const name = store.traits.method.value;
	const current = methods.find((method) => method.name === name);
	return (
		<Picker
			store={store}
			name="method"
			caption="method"
			value={current?.label ?? name}
			disabled={store.offlineReason.value}
		>
			{(close) => (
				<FilterList
					label="method"
					placeholder="Find a method"
					selected={name}
					rows={grouped(methods).map(row)}
					onChoose={(method) => {
						// Python keeps the parameters of each method: it fills in the right ones.
						if (method !== name) store.set({ method });
						close();
					}}
				/>
			)}
		</Picker>
	);
}

/** Groups in the order in which the catalog first names them, each in one piece. */
export function grouped(methods: MethodInfo[]): MethodInfo[] {
	const groups = [...new Set(methods.map(({ group }) => group))];
	return groups.flatMap((group) =>
		methods.filter((method) => method.group === group),
	);
}

function row(method: MethodInfo): Row {
	return {
		key: method.name,
		text: `${method.label} ${method.name} ${method.group}`,
		group: method.group,
		disabled: method.unavailable,
		detail: method.help,
		content: <Line method={method} />,
	};
}

export function Line({ method }: { method: MethodInfo }) {
	const { label, cost, needs_layer, needs_baseline, unavailable } = method;
	if (unavailable)
		return (
			<span class="nbx-two-lines">
				<span>{label}</span>
				<small>{unavailable}</small>
			</span>
		);
	return (
		<>
			<span class="nbx-cut nbx-grow">{label}</span>
			{needs_layer && <Mark text="layer" />}
			{needs_baseline && <Mark text="baseline" />}
			<Cost cost={cost} />
		</>
	);
}

function Mark({ text }: { text: string }) {
	return (
		<span class="nbx-mark" title={`needs a ${text}`}>
			<span class="nbx-hidden">needs a </span>
			{text}
		</span>
	);
}

const COSTS = ["cheap", "moderate", "dear"];

function Cost({ cost }: { cost: number }) {
	const dots = Math.min(3, Math.max(1, cost));
	const words = COSTS[dots - 1];
	return (
		<span class="nbx-cost" role="img" aria-label={words} title={words}>
			{[1, 2, 3].map((dot) => (
				<i key={dot} data-on={dot <= dots} />
			))}
		</span>
	);
}
