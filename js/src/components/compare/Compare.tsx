import type { Comparison, Failure } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Section } from "../panel/Section";
import { Choose } from "./Choose";
import { comparisonStale } from "./compared";
import { Matrix } from "./Matrix";
import { nameOf } from "./names";

/** What to compare, how far the answers agree, and what could not be answered. */
export function Compare({ store }: { store: Store }) {
	const comparison = store.traits._comparison.value;
	const stale = comparison && comparisonStale(store);
	return (
		<>
			<Choose store={store} />
			{stale && (
				<p class="nbx-dialog-warning nbx-compared-stale" role="status">
					The model, the class or the settings have changed since this was
					compared. Compare again.
				</p>
			)}
			{comparison && <Agreement comparison={comparison} />}
			{comparison && comparison.failures.length > 0 && (
				<Section name="not computed">
					{comparison.failures.map((failure) => (
						<Failed key={failure.title + failure.hint} failure={failure} />
					))}
				</Section>
			)}
		</>
	);
}

function Agreement({ comparison }: { comparison: Comparison }) {
	const { kind, results, rank, overlap } = comparison;
	if (results.length < 2) return null;
	const labels = results.map((result) => nameOf(result, kind));
	return (
		<>
			<Matrix
				name="rank correlation"
				help="Spearman correlation of the maps: 1 where both put all places in the same order."
				labels={labels}
				values={rank}
			/>
			<Matrix
				name="top 10 % overlap"
				help="Share that the strongest tenths of two maps have in common."
				labels={labels}
				values={overlap}
			/>
		</>
	);
}

function Failed({ failure }: { failure: Failure }) {
	return (
		<div class="nbx-failed" role="note">
			<b>{failure.title}</b>
			{failure.hint && <p>{failure.hint}</p>}
		</div>
	);
}
