import { useSignal } from "@preact/signals";
import type {
	InterveneRequest,
	Bottleneck as Known,
	SeenConcept,
} from "../../model/protocol";
import type { Store } from "../../model/store";
import { reason } from "../controls/reason";
import { Section } from "../panel/Section";
import { Classes } from "./Classes";
import { Seen } from "./Seen";

/** Concepts that are shown before the list is opened. */
const MOST = 12;

/** The concepts that the classes follow from, to be corrected; nothing for other models. */
export function Bottleneck({ store }: { store: Store }) {
	const known = store.traits._bottleneck.value;
	return known && <Seeing store={store} known={known} />;
}

function Seeing({ store, known }: { store: Store; known: Known }) {
	const trouble = useSignal("");
	/** True while the concept that is most worth asking for is marked. */
	const asking = useSignal(false);
	const open = useSignal(false);
	const { concepts, choices, next, reading, failure } = known;
	const off = store.offlineReason.value;
	const corrected = concepts.filter((each) => each.corrected !== null);
	const correct = async (corrections: InterveneRequest["corrections"]) => {
		trouble.value = "";
		try {
			await store.ask({ kind: "intervene", corrections });
		} catch (refused) {
			trouble.value = reason(refused);
		}
	};
	const marked = asking.value ? next : null;
	const shown = concepts.filter(
		({ name, corrected }, place) =>
			open.value || place < MOST || corrected !== null || name === marked,
	);
	const folded = concepts.length - shown.length;
	return (
		<Section
			name="what this model sees"
			aside={
				<span class="nbx-seen-actions">
					{corrected.length > 0 && (
						<button
							type="button"
							class="nbx-link nbx-small"
							disabled={!!off}
							title={off || "take the model's word for all concepts again"}
							onClick={() => correct(asPredicted(corrected))}
						>
							Take back {corrected.length}
						</button>
					)}
					<button
						type="button"
						class="nbx-link nbx-small"
						aria-pressed={asking.value}
						disabled={next === null}
						title="mark the concept that the model is least sure of"
						onClick={() => {
							asking.value = !asking.value;
							if (asking.value)
								store.ui.announcement.value = `least sure of ${next}`;
						}}
					>
						Which next?
					</button>
				</span>
			}
		>
			<p class="nbx-trouble" role="alert">
				{trouble.value}
			</p>
			{failure && (
				<div class="nbx-failed" role="alert">
					<b>{failure.title}</b>
					<p>{failure.hint}</p>
				</div>
			)}
			{concepts.length > 0 && (
				<>
					<div class="nbx-seen-head" aria-hidden="true">
						<span class="nbx-seen-columns">
							<span>concept</span>
							<span>probability</span>
							<span title="entropy: 0 is sure, 1 is one half">
								unsure, bits
							</span>
						</span>
						<span>is it there?</span>
					</div>
					<ul class="nbx-seen-list">
						{shown.map((concept) => (
							<Seen
								key={concept.name}
								concept={concept}
								next={concept.name === marked}
								off={off}
								onCorrect={(value) => correct({ [concept.name]: value })}
							/>
						))}
					</ul>
				</>
			)}
			{(folded > 0 || open.value) && concepts.length > MOST && (
				<button
					type="button"
					class="nbx-link nbx-small nbx-seen-more"
					onClick={() => {
						open.value = !open.value;
					}}
				>
					{open.value ? "show fewer" : `show ${folded} others`}
				</button>
			)}
			<Classes store={store} choices={choices} />
			<p class="nbx-note nbx-seen-reading" aria-live="polite">
				{reading}
			</p>
		</Section>
	);
}

function asPredicted(concepts: SeenConcept[]): Record<string, null> {
	return Object.fromEntries(concepts.map(({ name }) => [name, null]));
}
