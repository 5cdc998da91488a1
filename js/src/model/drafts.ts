import type { Spec } from "./protocol";

/** At most one draft in flight; of those that come meanwhile only the latest is kept. */
export function drafts(send: (spec: Spec) => Promise<unknown>) {
	let inFlight = false;
	let latest: Spec | null = null;

	function next() {
		const spec = latest;
		latest = null;
		if (!spec) return;
		inFlight = true;
		const landed = () => {
			inFlight = false;
			next();
		};
		// A draft that was superseded or failed frees the way just as well.
		send(spec).then(landed, landed);
	}

	return {
		push(spec: Spec) {
			latest = spec;
			if (!inFlight) next();
		},
		/** The final run was asked for: a draft that has not left is of no use any more. */
		drop() {
			latest = null;
		},
	};
}
