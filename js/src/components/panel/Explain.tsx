import type { Result } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Baseline } from "./Baseline";
import { EvidenceList } from "./EvidenceList";
import { Look } from "./Look";
import { Parameters } from "./Parameters";
import { Path } from "./Path";

/** What is asked, how it looks, and whether it is to be trusted: in this order. */
export function Explain({ store }: { store: Store }) {
	const { methods } = store.traits._catalog.value;
	const method = methods.find(({ name }) => name === store.traits.method.value);
	const result = store.shown.value;
	const travelled = withPath(result, store.traits._result.value);
	return (
		<>
			{method?.needs_baseline && <Baseline store={store} />}
			{travelled?.curve && (
				<Path
					key={travelled.id}
					store={store}
					result={travelled}
					curve={travelled.curve}
					outdated={travelled !== result}
				/>
			)}
			{method && method.controls.length > 0 && (
				<Parameters store={store} method={method} />
			)}
			<Look store={store} signed={result?.signed ?? true} />
			{result && <EvidenceList result={result} />}
		</>
	);
}

/**
 * A draft has no path of its own yet. The last one stays, dimmed: if it went, the slider that is
 * being dragged would move away from under the pointer.
 */
function withPath(shown: Result | null, last: Result | null): Result | null {
	if (shown?.curve || !last?.curve) return shown;
	return shown?.spec.method === last.spec.method ? last : shown;
}
