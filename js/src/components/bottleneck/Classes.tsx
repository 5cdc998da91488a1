import type { Moved } from "../../model/protocol";
import type { Store } from "../../model/store";

interface Props {
	store: Store;
	choices: Moved[];
}

/** The classes that follow from the concepts, with marks where they stood before. */
export function Classes({ store, choices }: Props) {
	const best = choices.reduce<Moved | null>(
		(first, each) => (first && first.after >= each.after ? first : each),
		null,
	);
	return (
		<ul class="nbx-followed" aria-label="classes that follow">
			{choices.map((choice) => (
				<li
					key={choice.index}
					data-best={choice === best}
					aria-label={`${choice.label} ${choice.after.toFixed(2)}, uncorrected ${choice.before.toFixed(2)}`}
				>
					<button
						type="button"
						disabled={!store.online.value}
						title={store.offlineReason.value || `explain ${choice.label}`}
						onClick={() => store.set({ target: choice.index })}
					>
						<span class="nbx-cut">{choice.label}</span>
						<span class="nbx-share">
							<span style={{ width: `${100 * choice.after}%` }} />
							{choice.after !== choice.before && (
								<i style={{ left: `${100 * choice.before}%` }} />
							)}
						</span>
						<span class="nbx-figure">{choice.after.toFixed(2)}</span>
					</button>
				</li>
			))}
		</ul>
	);
}
