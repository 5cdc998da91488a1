import { searched } from "../../model/history";
import type { Store } from "../../model/store";
import { Found } from "./Found";
import { Rules } from "./Rules";
import { Wish } from "./Wish";

/** What would have to be different in a row for the model to decide otherwise. */
export function Alternatives({ store }: { store: Store }) {
	const known = store.traits._alternatives.value;
	const { looking } = store.ui.alternatives;
	const items = searched(store.traits._history.value);
	const earlier = items.find(({ id }) => id === looking.value);
	const shown = earlier?.rows ?? known;
	return (
		<>
			<Wish store={store} known={known} />
			{shown && <Found store={store} known={shown} item={earlier?.id ?? ""} />}
			<div class="nbx-rules-place">
				<Rules store={store} />
			</div>
		</>
	);
}
