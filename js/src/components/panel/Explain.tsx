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
	const curve = result?.curve;
	return (
		<>
			{method?.needs_baseline && <Baseline store={store} />}
			{result && curve && (
				<Path key={result.id} store={store} result={result} curve={curve} />
			)}
			{method && method.controls.length > 0 && (
				<Parameters store={store} method={method} />
			)}
			<Look store={store} signed={result?.signed ?? true} />
			{result && <EvidenceList result={result} />}
		</>
	);
}
