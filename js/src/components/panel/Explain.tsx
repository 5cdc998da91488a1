import type { Result } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Baseline } from "./Baseline";
import { EvidenceList } from "./EvidenceList";
import { HeadGrid } from "./HeadGrid";
import { Look } from "./Look";
import { Parameters } from "./Parameters";
import { Path } from "./Path";
import { Regions } from "./Regions";

/** What is asked, how it looks, and whether it is to be trusted: in this order. */
export function Explain({ store }: { store: Store }) {
	const { methods } = store.traits._catalog.value;
	const method = methods.find(({ name }) => name === store.traits.method.value);
	const result = store.shown.value;
	const table = store.traits._table.value;
	const known = store.traits._baselines.value.length > 0;
	const last = store.traits._result.value;
	const travelled = lasting("curve", result, last);
	const attentive = lasting("heads", result, last);
	return (
		<>
			{method?.needs_baseline && known && <Baseline store={store} />}
			{!table && method?.takes_regions && <Regions store={store} />}
			{travelled?.curve && (
				<Path
					key={travelled.id}
					store={store}
					result={travelled}
					curve={travelled.curve}
					outdated={travelled !== result}
				/>
			)}
			{attentive?.heads && (
				<HeadGrid
					store={store}
					result={attentive}
					heads={attentive.heads}
					outdated={attentive !== result}
				/>
			)}
			{method && method.controls.length > 0 && (
				<Parameters store={store} method={method} />
			)}
			{!table && <Look store={store} signed={result?.signed ?? true} />}
			{result && <EvidenceList store={store} result={result} />}
		</>
	);
}

/**
 * A draft has no path and no heads of its own yet. The last ones stay, dimmed: if they went, the
 * slider that is being dragged would move away from under the pointer.
 */
function lasting(
	part: "curve" | "heads",
	shown: Result | null,
	last: Result | null,
): Result | null {
	if (shown?.[part] || !last?.[part]) return shown;
	return shown?.spec.method === last.spec.method ? last : shown;
}
