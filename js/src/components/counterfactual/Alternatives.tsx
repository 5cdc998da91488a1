import type { Store } from "../../model/store";
import { Found } from "./Found";
import { Rules } from "./Rules";
import { Wish } from "./Wish";

/** What would have to be different in a row for the model to decide otherwise. */
export function Alternatives({ store }: { store: Store }) {
	const known = store.traits._alternatives.value;
	return (
		<>
			<Wish store={store} known={known} />
			{known && <Found store={store} known={known} />}
			<div class="nbx-rules-place">
				<Rules store={store} />
			</div>
		</>
	);
}
