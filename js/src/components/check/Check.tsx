import { checksOf, offersOf, tickedOf, underway } from "../../model/checking";
import type { Result } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Section } from "../panel/Section";
import { Card } from "./Card";
import { Start } from "./Start";

/** Whether what is shown can be trusted: what can be checked, and what was found out. */
export function Check({ store }: { store: Store }) {
	const result = store.shown.value;
	if (!result)
		return (
			<Section name="check">
				<p class="nbx-soft">There is no result to check yet.</p>
			</Section>
		);
	return (
		<>
			<Start store={store} result={result} />
			<Cards store={store} result={result} />
		</>
	);
}

/** One card a check: what it would do, how far it is, what it found. */
function Cards({ store, result }: { store: Store; result: Result }) {
	const offers = offersOf(store, result);
	const found = checksOf(store, result);
	const now = underway(store, result);
	const ticked = tickedOf(store, result);
	const names = [...offers, ...found].map(({ name }) => name);
	return (
		<>
			{[...new Set(names)].map((name) => (
				<Card
					key={name}
					store={store}
					checked={found.find((check) => check.name === name)}
					offer={offers.find((offer) => offer.name === name)}
					underway={now.find((one) => one.name === name)}
					ticked={ticked.includes(name)}
					onTick={() => {
						store.ui.checking.ticked.value = ticked.includes(name)
							? ticked.filter((other) => other !== name)
							: [...ticked, name];
					}}
				/>
			))}
		</>
	);
}
