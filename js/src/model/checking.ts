import { type Signal, signal } from "@preact/signals";
import type { Checked, Checks, Evidence, Offer, Result } from "./protocol";
import type { Store } from "./store";

/** What only this view knows of the Check panel. */
export interface CheckingUi {
	/** Names of the checks to make; null where nobody has chosen yet. */
	ticked: Signal<string[] | null>;
	/** Why the last request was refused. */
	trouble: Signal<string>;
}

export function checkingUi(): CheckingUi {
	return { ticked: signal(null), trouble: signal("") };
}

const BUSY = new Set(["queued", "running", "cancelling"]);

/** Whether checks are being made, of whatever result. Nothing is in a page that was saved. */
export function checking({ traits, online }: Store): boolean {
	const job = traits._checks.value?.job;
	return !!job && BUSY.has(job.state) && online.value;
}

/** What is being found out about a result, or was last. */
export function underway(
	{ traits }: Store,
	result: Result,
): Checks["underway"] {
	const checks = traits._checks.value;
	return checks?.result === result.id ? checks.underway : [];
}

/** What is known about a result, what is just being found out included. */
export function checksOf(store: Store, result: Result): Checked[] {
	const fresh = underway(store, result).flatMap(({ checked }) => checked ?? []);
	const known = result.checks.filter(
		({ name, done, total }) =>
			!fresh.some((one) => one.name === name && (whole(one) || done < total)),
	);
	const names = new Set(known.map(({ name }) => name));
	return [...known, ...fresh.filter(({ name }) => !names.has(name))];
}

/** All evidence of a result: what came with it, and what checks found out. */
export function evidenceOf(store: Store, result: Result): Evidence[] {
	return [...result.evidence, ...checksOf(store, result).filter(whole)];
}

export function whole({ done, total }: Checked): boolean {
	return done >= total;
}

/** The checks that this result can be put through; those of another one are not known. */
export function offersOf({ traits }: Store, result: Result): Offer[] {
	const current = traits._result.value?.id === result.id;
	return (current && traits._checks.value?.offers) || [];
}

/** What will be checked: as ticked, else what is suggested and not known yet, else all that is. */
export function tickedOf(store: Store, result: Result): string[] {
	const able = offersOf(store, result).filter(({ obstacle }) => !obstacle);
	const chosen = store.ui.checking.ticked.value;
	if (chosen)
		return able.map(({ name }) => name).filter((n) => chosen.includes(n));
	const names = able.filter(({ suggested }) => suggested).map((o) => o.name);
	const known = checksOf(store, result).filter(whole);
	const left = names.filter((name) => !known.some((c) => c.name === name));
	return left.length ? left : names;
}
