import type { Concepts, Tested } from "../../model/protocol";
import type { Store } from "../../model/store";
import { fraction } from "../controls/number";
import { Section } from "../panel/Section";
import { Closely } from "./Closely";
import { NullBar, reachOf } from "./NullBar";
import { inShort, keyOf, nameOf } from "./tested";

/** What the tests found, layer by layer: accuracy before score, chance behind the bar. */
export function Scores({ store, known }: { store: Store; known: Concepts }) {
	const first = known.tested[0]?.estimator;
	const read = known.tested.filter(({ estimator }) => estimator === first);
	if (read.length === 0) return null;
	const layers = [...new Set(read.map(({ layer }) => layer))];
	const partial = known.job.state === "cancelled";
	return (
		<>
			<Warnings store={store} known={known} partial={partial} />
			<Section name={`scores for ${known.target}`}>
				{layers.map((layer) => {
					const rows = read.filter((tested) => tested.layer === layer);
					return (
						<div key={layer} class="nbx-tested-layer">
							<div class="nbx-tested-head">
								<span class="nbx-cut nbx-mono" title={layer}>
									{layer}
								</span>
								<span aria-hidden="true">held out</span>
								<span aria-hidden="true">score</span>
							</div>
							{rows.map((tested) => (
								<Row
									key={keyOf(tested)}
									store={store}
									known={known}
									tested={tested}
									reach={reachOf(rows)}
								/>
							))}
						</div>
					);
				})}
			</Section>
		</>
	);
}

interface WarningsProps {
	store: Store;
	known: Concepts;
	partial: boolean;
}

function Warnings({ store, known, partial }: WarningsProps) {
	const { target, stale, notices, of_class } = known;
	const other =
		target && target !== of_class
			? `These are scores for ${target}, not for ${of_class}: test again.`
			: "";
	const changed = store.traits._stale.value
		? "The model has changed since: test again."
		: "";
	const said = [
		partial && "Stopped: what is here was tested, the rest was not.",
		other,
		changed,
		stale && `${stale} Test again.`,
		...notices,
	].filter(Boolean);
	if (said.length === 0) return null;
	return (
		<div class="nbx-dialog-warning nbx-tested-warning" role="status">
			{said.map((each) => (
				<p key={String(each)}>{each}</p>
			))}
		</div>
	);
}

interface RowProps {
	store: Store;
	known: Concepts;
	tested: Tested;
	reach: number;
}

function Row({ store, known, tested, reach }: RowProps) {
	const { open } = store.ui.concepts;
	const key = keyOf(tested);
	const opened = open.value === key;
	const { found, significant, accuracy, score } = tested;
	const words = found ? fraction(score) : "none";
	return (
		<div class="nbx-tested" data-holds={significant}>
			<button
				type="button"
				class="nbx-tested-row"
				aria-expanded={opened}
				aria-label={`${nameOf(tested)}: held out ${fraction(accuracy)}, score ${words}`}
				onClick={() => {
					open.value = opened ? null : key;
				}}
			>
				<span class="nbx-cut nbx-tested-name">{nameOf(tested)}</span>
				<span class="nbx-figure">{fraction(accuracy)}</span>
				<span class="nbx-figure nbx-tested-score">
					{found ? fraction(score) : "–"}
				</span>
			</button>
			<NullBar tested={tested} reach={reach} />
			<p class="nbx-verdict-words">{inShort(tested)}</p>
			{opened && <Closely store={store} known={known} tested={tested} />}
		</div>
	);
}
