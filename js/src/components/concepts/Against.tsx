import type { Concepts } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Section } from "../panel/Section";
import { FileButton } from "./FileButton";
import { Counter, Pile } from "./Pile";
import { send, sendFiles } from "./sending";

const MADE = 40;

const KINDS = [
	{
		kind: "scrambled",
		help: `${MADE} pictures of shuffled patches of those that you gave: their colours and textures, no shapes`,
	},
	{
		kind: "noise",
		help: `${MADE} pictures of noise with the spectrum of those that you gave`,
	},
] as const;

/** What concepts stand against. */
export function Random({ store, known }: { store: Store; known: Concepts }) {
	const off = store.offlineReason.value;
	const pile = known.random;
	return (
		<Section name="random pictures" aside={<Counter pile={pile} />}>
			<Pile store={store} into="random" pile={pile} label="random pictures" />
			<div class="nbx-row nbx-row-tight">
				<FileButton
					class="nbx-button nbx-small"
					label="folder of random pictures"
					help="all pictures of a folder"
					off={off}
					folder
					onFiles={(files) =>
						sendFiles(
							store,
							"random",
							"",
							files.filter(({ type }) => type.startsWith("image/")),
						)
					}
				>
					folder…
				</FileButton>
				<span class="nbx-soft">or make {MADE}</span>
				{KINDS.map(({ kind, help }) => (
					<button
						key={kind}
						type="button"
						class="nbx-button nbx-small"
						disabled={!!off}
						title={off || help}
						onClick={() =>
							send(store, {
								kind: "concept_controls",
								controls: kind,
								count: MADE,
							})
						}
					>
						{kind}
					</button>
				))}
				{pile.count > 0 && (
					<button
						type="button"
						class="nbx-link nbx-small"
						disabled={!!off}
						onClick={() =>
							send(store, {
								kind: "concept_card",
								action: "take_out",
								into: "random",
								concept: "",
								index: -1,
							})
						}
					>
						clear
					</button>
				)}
			</div>
			<p class="nbx-note">
				Best are pictures that are as the concepts' are in all but the concept.
			</p>
		</Section>
	);
}

/** Pictures of the class that is explained. */
export function OfClass({ store, known }: { store: Store; known: Concepts }) {
	return (
		<Section
			name="pictures of the class"
			aside={<Counter pile={known.pictures} extra={known.explained ? 1 : 0} />}
		>
			<Pile
				store={store}
				into="class"
				pile={known.pictures}
				label="pictures of the class"
			/>
			<p class="nbx-note">
				{known.explained
					? `More pictures of ${known.of_class}; the explained one counts.`
					: `Pictures of ${known.of_class}; the explained one is none, as the model sees it.`}
			</p>
		</Section>
	);
}
