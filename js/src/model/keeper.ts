import { decodeMaps } from "./decode";
import type { Answered } from "./requests";
import type { Ask, Maps, Store } from "./store";

type MapsRequest = Extract<Ask, { kind: "path" | "heads" | "attention" }>;

/**
 * Sets of maps, each asked for once. They are kept for one result at a time: a set is as large as
 * the picture times its steps, or as all pairs of patches.
 */
export function keeper(
	ask: (request: Ask) => Promise<Answered>,
): Pick<Store, "path" | "heads" | "attention"> {
	const kept = new Map<string, Promise<Maps>>();
	let owner = "";

	function fetch(request: MapsRequest): Promise<Maps> {
		if (request.result !== owner) kept.clear();
		owner = request.result;
		const key = JSON.stringify(request);
		const known = kept.get(key);
		if (known) return known;
		const fetched = ask(request).then(read);
		kept.set(key, fetched);
		fetched.catch(() => kept.delete(key));
		return fetched;
	}

	return {
		path: (result) => fetch({ kind: "path", result }),
		heads: (result) => fetch({ kind: "heads", result }),
		attention: (result, layer, head) =>
			fetch({ kind: "attention", result, layer, head }),
	};
}

function read({ answer, buffers }: Answered): Maps {
	return {
		alpha: answer.alpha ?? [],
		maps: answer.maps ? decodeMaps(answer.maps, buffers[0]) : [],
	};
}
