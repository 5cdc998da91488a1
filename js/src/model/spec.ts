import type { Catalog, Result, Spec, Traits } from "./protocol";

type Values = Record<string, unknown>;

/** What the current controls ask for. */
export function specOf(get: <K extends keyof Spec>(key: K) => Traits[K]): Spec {
	return {
		method: get("method"),
		params: get("params"),
		baseline: get("baseline"),
		regions: get("regions"),
		target: get("target"),
		layer: get("layer"),
	};
}

/** The same without what its method does not use. */
export function needed(spec: Spec, catalog: Catalog): Spec {
	const info = catalog.methods.find(({ name }) => name === spec.method);
	if (!info) return spec;
	return {
		...spec,
		baseline: info.needs_baseline ? spec.baseline : {},
		regions: info.takes_regions ? spec.regions : {},
		layer: info.needs_layer ? spec.layer : null,
	};
}

/** Whether a result answers a spec: what its method does not use does not count. */
export function answers(result: Result, spec: Spec, catalog: Catalog): boolean {
	const info = catalog.methods.find(({ name }) => name === spec.method);
	const done = result.spec;
	if (done.method !== spec.method) return false;
	if (!info) return true;
	const defaults = Object.fromEntries(
		info.controls.map((control) => [control.name, control.default]),
	);
	return (
		sameTarget(done.target, spec.target, catalog.labels) &&
		(!info.needs_layer || done.layer === spec.layer || spec.layer === null) &&
		(!info.needs_baseline || agree(done.baseline, spec.baseline)) &&
		(!info.takes_regions || same(done.regions, spec.regions)) &&
		agree({ ...defaults, ...done.params }, { ...defaults, ...spec.params })
	);
}

function sameTarget(
	done: Spec["target"],
	asked: Spec["target"],
	labels: string[],
): boolean {
	if (typeof asked === "number" && typeof done === "number")
		return asked === done;
	if (typeof asked === "object" || typeof done === "object")
		return same(asked, done);
	const name = (t: number | string) => (typeof t === "number" ? labels[t] : t);
	// A number may also be written as text: "285".
	return name(asked) === name(done) || String(asked) === String(done);
}

/** Values that both sides name must be equal; Python may add others of its own. */
function agree(a: Values, b: Values): boolean {
	return Object.keys(a).every((key) => !(key in b) || same(a[key], b[key]));
}

function same(a: unknown, b: unknown): boolean {
	return JSON.stringify(a) === JSON.stringify(b);
}
