import { useSignal } from "@preact/signals";
import type { Store } from "../../model/store";
import { useLabels } from "../stage/Regions";
import { covered, crop } from "./cropping";
import { destination } from "./sending";

/** The regions that were taken away, as an example of a concept. */
export function UseAsConcept({ store }: { store: Store }) {
	const { ui, traits } = store;
	const labels = useLabels(store);
	const used = useSignal<{ regions: string; concept: string } | null>(null);
	const off = store.offlineReason.value;
	const known = traits._concepts.value;
	const map = labels.value;
	if (!known || !map) return null;
	const regions = ui.removed.value.join();
	if (used.value?.regions === regions)
		return <span class="nbx-good">✓ in {used.value.concept}</span>;
	const concept = destination(store, known);
	const use = async () => {
		const points = covered(map, ui.removed.value, traits._image.value);
		if (await crop(store, points)) used.value = { regions, concept };
	};
	return (
		<>
			<button
				type="button"
				class="nbx-button"
				disabled={!!off}
				title={off || `the part around it, as an example of ${concept}`}
				onClick={use}
			>
				Use as concept
			</button>
			{ui.concepts.trouble.value && (
				<p class="nbx-trouble" role="alert">
					{ui.concepts.trouble.value}
				</p>
			)}
		</>
	);
}
