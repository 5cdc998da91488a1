import { FREE, type Rule, type Rules } from "../../model/alternatives";
import type { Alternatives, Asked } from "../../model/protocol";
import type { Store } from "../../model/store";
import { reason } from "../controls/reason";
import { busy } from "../panel/Progress";

const COUNT = 4;

/** Whether the model has classes to wish for, or one score. */
export function hasClasses({ traits }: Store): boolean {
	return (traits._prediction.value?.classes ?? 0) > 1;
}

/** The class that is wanted: the one chosen, the one asked for last, or the second most probable. */
export function desiredOf({ traits, ui }: Store): number | null {
	const top = traits._prediction.value?.top ?? [];
	const asked = traits._alternatives.value?.asked.desired;
	const known = [ui.alternatives.desired.value, asked];
	const wanted = known.find(
		(index) => typeof index === "number" && index !== top[0]?.index,
	);
	return (wanted as number | undefined) ?? top[1]?.index ?? null;
}

/** The interval that is wanted, null for an end that is not given. */
export function intervalOf({
	traits,
	ui,
}: Store): [number | null, number | null] {
	const asked = traits._alternatives.value?.asked.desired;
	const [low, high] = Array.isArray(asked) ? asked : [];
	const { alternatives } = ui;
	return [
		alternatives.low.value ?? low ?? null,
		alternatives.high.value ?? high ?? null,
	];
}

export function countOf({ traits, ui }: Store): number {
	const asked = traits._alternatives.value?.asked.k;
	return ui.alternatives.count.value ?? asked ?? COUNT;
}

export function searchOf({ traits, ui }: Store): Asked["search"] {
	const asked = traits._alternatives.value?.asked.search;
	return ui.alternatives.search.value ?? asked ?? "auto";
}

/** What may change: as set here, or as it was asked last. */
export function rulesOf({ traits, ui }: Store): Rules {
	return (
		ui.alternatives.rules.value ?? rulesAsked(traits._alternatives.value) ?? {}
	);
}

export function setRule(store: Store, name: string, changes: Partial<Rule>) {
	const rules = rulesOf(store);
	const rule = { ...(rules[name] ?? FREE), ...changes };
	const { [name]: _, ...others } = rules;
	store.ui.alternatives.rules.value = isFree(rule)
		? others
		: { ...others, [name]: rule };
}

function isFree({ way, low, high }: Rule): boolean {
	return way === "freely" && low === null && high === null;
}

function rulesAsked(known: Alternatives | null): Rules | null {
	if (!known) return null;
	const { immutable, monotone, ranges } = known.asked;
	const rules: Record<string, Rule> = {};
	for (const name of immutable) rules[name] = { ...FREE, way: "fixed" };
	for (const [name, way] of Object.entries(monotone))
		rules[name] = { ...(rules[name] ?? FREE), way };
	for (const [name, [low = null, high = null]] of Object.entries(ranges))
		rules[name] = { ...(rules[name] ?? FREE), low, high };
	return rules;
}

/** What the controls ask for; null while the wish is not complete. */
export function askedOf(store: Store): Asked | null {
	const [low, high] = intervalOf(store);
	const interval = low === null || high === null ? null : [low, high];
	const desired = hasClasses(store) ? desiredOf(store) : interval;
	if (desired === null) return null;
	const asked: Asked = {
		desired,
		k: countOf(store),
		search: searchOf(store),
		immutable: [],
		monotone: {},
		ranges: {},
	};
	for (const [name, rule] of Object.entries(rulesOf(store))) {
		if (rule.way === "fixed") asked.immutable.push(name);
		else if (rule.way !== "freely") asked.monotone[name] = rule.way;
		const range = rangeOf(store, name, rule);
		if (range) asked.ranges[name] = range;
	}
	return asked;
}

/** Both ends of a range of which one was set: the other is the training data's, or the row's own. */
function rangeOf(store: Store, name: string, { low, high }: Rule) {
	const features = store.traits._table.value?.features ?? [];
	const feature = features.find((each) => each.name === name);
	if (!feature || feature.choices || (low === null && high === null))
		return null;
	const now = Number(feature.value ?? 0);
	return [
		low ?? Math.min(now, feature.minimum ?? now),
		high ?? Math.max(now, feature.maximum ?? now),
	];
}

/** Sends what takes long or may be refused; a refusal is told in the tab. */
export function send(store: Store, request: Parameters<Store["ask"]>[0]) {
	const { trouble } = store.ui.alternatives;
	trouble.value = "";
	store.ask(request).catch((failure) => {
		trouble.value = reason(failure);
	});
}

/** Stops the search that is under way; false where there is none. */
export function stopSearch(store: Store): boolean {
	const known = store.traits._alternatives.value;
	if (!known || !busy(known.job)) return false;
	store.ask({ kind: "stop", panel: "alternatives" }).catch(() => undefined);
	return true;
}
