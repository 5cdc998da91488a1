import type { Choice, Prediction } from "../../model/protocol";
import type { Store } from "../../model/store";
import { classOf } from "../header/target";

const ROWS = 5;

/** What the model says; a click on a class asks why. */
export function Predictions({ store }: { store: Store }) {
	const { traits } = store;
	const prediction = traits._prediction.value;
	if (!prediction) return null;
	const { labels } = traits._catalog.value;
	const target = classOf(traits.target.value, labels, prediction);
	const share = shares(prediction);
	return (
		<ul class="nbx-predictions" aria-label="predictions">
			{rows(prediction, target).map((choice) => {
				const now = moved(store, choice);
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
								<span style={{ width: `${100 * share(now)}%` }} />
								{now !== choice && (
									<i style={{ left: `${100 * share(choice)}%` }} />
								)}
							</span>
							<span class="nbx-figure">{amount(now)}</span>
						</button>
					</li>
				);
			})}
		</ul>
	);
}

/** The class as the model sees it once something is taken away; itself while nothing is. */
function moved({ ui }: Store, choice: Choice): Choice {
	const move = ui.ablation.value?.choices.find(
		({ index }) => index === choice.index,
	);
	if (!move) return choice;
	const part = choice.probability === null ? "score" : "probability";
	return { ...choice, [part]: move.after };
}

/** The first classes, and the one that is explained even if it comes later. */
function rows({ top }: Prediction, target: number | null): Choice[] {
	return top.filter(({ index }, place) => place < ROWS || index === target);
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
