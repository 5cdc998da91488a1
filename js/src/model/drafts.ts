/** At most one request in flight; of those that come meanwhile only the latest is kept. */
export function drafts<T>(send: (wanted: T) => Promise<unknown>) {
	let inFlight = false;
	let latest: T | null = null;

	function next() {
		const wanted = latest;
		latest = null;
		if (wanted === null) return;
		inFlight = true;
		const landed = () => {
			inFlight = false;
			next();
		};
		// One that was superseded or failed frees the way just as well.
		send(wanted).then(landed, landed);
	}

	return {
		push(wanted: T) {
			latest = wanted;
			if (!inFlight) next();
		},
		/** What has not left is of no use any more. */
		drop() {
			latest = null;
		},
	};
}
