import type { Store } from "../../model/store";
import { Section } from "../panel/Section";
import { estimators } from "./Chosen";

const METHOD = "shapley";
/** A waterfall that is still to come: start and length of each bar, in hundredths. */
const BARS = [
	[4, 30],
	[34, 22],
	[56, 16],
	[60, 12],
	[60, 24],
	[84, 10],
];

/** Before there are shares: what they would show, and the way to them. */
export function Nothing({ store }: { store: Store }) {
	const { methods } = store.traits._catalog.value;
	const known = methods.find(({ name }) => name === METHOD);
	const current = store.traits.method.value;
	const chosen = estimators(store).some(({ name }) => name === current);
	const missing = known ? known.unavailable : "this model has no regions";
	const reason = store.offlineReason.value || missing || "";
	const explain = () => {
		if (chosen) store.ask({ kind: "run" }).catch(() => undefined);
		else store.set({ method: METHOD });
	};
	return (
		<Section name="waterfall">
			<div class="nbx-nothing">
				<svg viewBox="0 0 100 66" aria-hidden="true">
					{BARS.map(([x, width], i) => (
						<rect
							key={`${i}`}
							x={x}
							y={11 * i}
							width={width}
							height={8}
							rx={1}
						/>
					))}
				</svg>
				<p>
					Shapley values share out the score among the regions of the picture.
					Point at a row to see its region; click to take it away and watch the
					prediction move.
				</p>
				<button
					type="button"
					class="nbx-button nbx-primary"
					disabled={!!reason}
					title={reason || undefined}
					onClick={explain}
				>
					Explain with Shapley values
				</button>
				{reason && <p class="nbx-soft">{reason}</p>}
			</div>
		</Section>
	);
}
