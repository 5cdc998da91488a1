import { FREE, type Way } from "../../model/alternatives";
import type { Feature } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Icon } from "../controls/Icon";
import { Section } from "../panel/Section";
import { rulesOf, setRule } from "./asking";
import { Bound } from "./Bound";

const WAYS: { value: Way; label: string }[] = [
	{ value: "freely", label: "freely" },
	{ value: "increase", label: "only up" },
	{ value: "decrease", label: "only down" },
	{ value: "fixed", label: "not at all" },
];

/** What may change, feature by feature: the way, and how far. */
export function Rules({ store }: { store: Store }) {
	const features = store.traits._table.value?.features ?? [];
	const off = store.offlineReason.value;
	const bound = Object.keys(rulesOf(store)).length;
	return (
		<Section
			name="what may change"
			aside={
				bound > 0 && (
					<button
						type="button"
						class="nbx-link nbx-small"
						disabled={!!off}
						onClick={() => {
							store.ui.alternatives.rules.value = {};
						}}
					>
						Everything
					</button>
				)
			}
		>
			<div class="nbx-rules-head" aria-hidden="true">
				<span>feature</span>
				<span>may change</span>
				<span>from</span>
				<span>to</span>
			</div>
			<ul class="nbx-rules" aria-label="what may change">
				{features.map((feature) => (
					<li key={feature.name}>
						<span class="nbx-cut" title={feature.name}>
							{feature.name}
						</span>
						<RuleControls store={store} feature={feature} disabled={!!off} />
					</li>
				))}
			</ul>
		</Section>
	);
}

interface Props {
	store: Store;
	feature: Feature;
	disabled: boolean;
}

/** The way in which one feature may change and, of a number, the ends of its range. */
export function RuleControls({ store, feature, disabled }: Props) {
	const { name, choices, minimum, maximum } = feature;
	const rule = rulesOf(store)[name] ?? FREE;
	const fixed = rule.way === "fixed";
	const ways = choices
		? WAYS.filter(({ value }) => value === "freely" || value === "fixed")
		: WAYS;
	const now = Number(feature.value ?? 0);
	return (
		<>
			<span class="nbx-select" data-bound={rule.way !== "freely"}>
				{fixed && <Icon name="lock" />}
				<select
					aria-label={`${name} may change`}
					value={rule.way}
					disabled={disabled}
					onChange={(event) =>
						setRule(store, name, { way: event.currentTarget.value as Way })
					}
				>
					{ways.map(({ value, label }) => (
						<option key={value} value={value}>
							{label}
						</option>
					))}
				</select>
				<Icon name="chevron" />
			</span>
			{!choices && (
				<>
					<Bound
						label={`${name} from`}
						value={rule.low}
						otherwise={rule.way === "increase" ? now : minimum}
						disabled={disabled || fixed}
						onCommit={(low) => setRule(store, name, { low })}
					/>
					<Bound
						label={`${name} to`}
						value={rule.high}
						otherwise={rule.way === "decrease" ? now : maximum}
						disabled={disabled || fixed}
						onCommit={(high) => setRule(store, name, { high })}
					/>
				</>
			)}
		</>
	);
}
