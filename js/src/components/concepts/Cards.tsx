import type { Concepts, Pile as Gathering } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Icon } from "../controls/Icon";
import { Section } from "../panel/Section";
import { Crop } from "./Crop";
import { Counter, Pile } from "./Pile";
import { destination, send, unused } from "./sending";

const LONGEST_NAME = 60;

/** The concepts, one card each. */
export function Cards({ store, known }: { store: Store; known: Concepts }) {
	const { into } = store.ui.concepts;
	const off = store.offlineReason.value;
	const names = known.concepts.map(({ name }) => name);
	const add = async () => {
		const concept = unused(names);
		into.value = concept;
		await send(store, {
			kind: "concept_card",
			action: "add",
			into: "concept",
			concept,
		});
	};
	return (
		<Section
			name="concepts"
			aside={
				<button
					type="button"
					class="nbx-link nbx-small"
					disabled={!!off}
					title={off || undefined}
					onClick={add}
				>
					New concept
				</button>
			}
		>
			{known.concepts.length === 0 && (
				<p class="nbx-note nbx-empty">
					A concept is a name and pictures that show it: stripes, wheels, snow.
					Drop picture files here, paste one, or cut parts out of the picture.
				</p>
			)}
			<ul class="nbx-cards">
				{known.concepts.map((pile) => (
					<Card
						key={pile.name}
						store={store}
						pile={pile}
						chosen={pile.name === destination(store, known)}
					/>
				))}
			</ul>
			<Crop store={store} known={known} />
		</Section>
	);
}

interface CardProps {
	store: Store;
	pile: Gathering;
	/** Pasted pictures and crops come here. */
	chosen: boolean;
}

function Card({ store, pile, chosen }: CardProps) {
	const { into } = store.ui.concepts;
	const off = store.offlineReason.value;
	const { name } = pile;
	const choose = () => {
		into.value = name;
	};
	const rename = async (field: HTMLInputElement) => {
		const text = field.value.trim();
		field.value = name;
		if (!text || text === name) return;
		const renamed = await send(store, {
			kind: "concept_card",
			action: "rename",
			into: "concept",
			concept: name,
			name: text,
		});
		if (renamed) into.value = text;
	};
	return (
		<li
			class="nbx-card"
			data-chosen={chosen}
			aria-current={chosen}
			onPointerDown={choose}
			onFocusIn={choose}
		>
			<div class="nbx-card-head">
				<input
					type="text"
					class="nbx-card-name"
					aria-label={`name of concept ${name}`}
					value={name}
					maxLength={LONGEST_NAME}
					disabled={!!off}
					onChange={({ currentTarget }) => rename(currentTarget)}
				/>
				<Counter pile={pile} />
				<button
					type="button"
					class="nbx-link nbx-square"
					aria-label={`remove ${name}`}
					title={off || "remove this concept"}
					disabled={!!off}
					onClick={() =>
						send(store, {
							kind: "concept_card",
							action: "remove",
							into: "concept",
							concept: name,
						})
					}
				>
					<Icon name="close" />
				</button>
			</div>
			<Pile store={store} into="concept" pile={pile} label={name} />
		</li>
	);
}
