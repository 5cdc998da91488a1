import type { Choice, Prediction } from "../../model/protocol";
import type { Store } from "../../model/store";
import { classOf } from "../header/target";
import { type Altered, alteredOf } from "./altered";

/** Classes that have become probable by a change of the picture. */
const COME = 2;

/** What the model says; a click on a class asks why. */
export function Predictions({ store }: { store: Store }) {
	const { traits } = store;
	const prediction = traits._prediction.value;
	if (!prediction) return null;
	const { labels } = traits._catalog.value;
	const target = classOf(traits.target.value, labels, prediction);
	const share = shares(prediction);
	const altered = alteredOf(store);
	return (
		<ul class="nbx-predictions" aria-label="predictions">
			{rows(prediction, altered).map((choice) => {
				const now = moved(altered, choice);
				return (
					<li key={choice.index}>
						<button
							type="button"
							class={choice.index === target ? "nbx-target" : ""}
							aria-pressed={choice.index === target}
							disabled={!store.online.value}
							title={store.offlineReason.value || `explain ${choice.label}`}
							onClick={() => store.set({ target: choice.index })}
						>
							<span class="nbx-cut">{choice.label}</span>
							<span class="nbx-share">
								<span style={{ width: `${now ? 100 * share(now) : 0}%` }} />
								{now !== choice && (
									<i style={{ left: `${100 * share(choice)}%` }} />
								)}
							</span>
							<span class="nbx-figure">{now ? amount(now) : "?"}</span>
						</button>
					</li>
				);
			})}
		</ul>
	);
}

/** The class as the model sees it once something is changed; itself while nothing is, and null
where what it has become was not told. */
function moved(altered: Altered | null, choice: Choice): Choice | null {
	if (!altered?.choices.length) return choice;
	const move = altered.choices.find(({ index }) => index === choice.index);
	return move ? of(choice, move.after) : null;
}

function of(choice: Choice, value: number): Choice {
	const part = choice.probability === null ? "score" : "probability";
	return { ...choice, [part]: value };
}

/** The classes that were told, those that are explained among them, and those that have come. */
function rows({ top }: Prediction, altered: Altered | null): Choice[] {
	const probable = top[0]?.probability !== null;
	const come = (altered?.choices ?? [])
		.filter(({ index }) => top.every((choice) => choice.index !== index))
		.sort((a, b) => b.after - a.after)
		.slice(0, COME)
		.map(({ index, label, before }) =>
			of({ index, label, score: 0, probability: probable ? 0 : null }, before),
		);
	return [...top, ...come];
}

function amount({ probability, score }: Choice): string {
	return (probability ?? score).toFixed(2);
}

/** Probabilities as they are; scores without a probability relative to the largest. */
function shares({ top }: Prediction) {
	const largest = Math.max(1e-9, ...top.map(({ score }) => Math.abs(score)));
	return ({ probability, score }: Choice) =>
		probability ?? Math.max(0, score) / largest;
}
