import type { Aligned, Concepts, Picture, Tested } from "../../model/protocol";
import type { Store } from "../../model/store";
import { figure, fraction } from "../controls/number";
import { Steering } from "./Steering";
import { Strip } from "./Strip";
import { send } from "./sending";
import { nameOf, probability } from "./tested";

interface Props {
	store: Store;
	known: Concepts;
	tested: Tested;
}

const T_TEST =
	"The usual t-test takes the runs for independent, but they share one set of examples: on concepts that mean nothing it was seen to reject in 50 to 65 % of trials at the 5 % level. Do not rely on it.";

/** One concept at one layer: every number, every estimator, and what can be done with it. */
export function Closely({ store, known, tested }: Props) {
	const same = known.tested.filter(
		(each) => nameOf(each) === nameOf(tested) && each.layer === tested.layer,
	);
	return (
		<div class="nbx-closely">
			<Numbers tested={tested} />
			{same.length > 1 && <Estimators tests={same} />}
			{tested.aligned && known.faces && (
				<Ends aligned={tested.aligned} faces={known.faces} />
			)}
			{!tested.against && tested.found && (
				<>
					<Maps store={store} tested={tested} />
					<Steering store={store} known={known} tested={tested} />
				</>
			)}
		</div>
	);
}

function Numbers({ tested }: { tested: Tested }) {
	const { found, spread, null: chance } = tested;
	const rows: [name: string, value: string, help: string][] = [
		[
			"held-out accuracy",
			`${fraction(tested.accuracy)}, p ${probability(tested.accuracy_p)}`,
			"Of the direction on pictures that it was not found from; .5 is chance. p: how often a set without the concept does as well.",
		],
		[
			"TCAV score",
			found
				? `${fraction(tested.score)}, ${spread.map(fraction).join(" to ")} over runs`
				: "not scored",
			"Share of the pictures of the class whose score grows along the concept.",
		],
		[
			"magnitude",
			found ? `${figure(tested.magnitude)} logits` : "not scored",
			"By how much the score changes, to first order, over the distance from random pictures to the concept.",
		],
		[
			"by chance",
			`${figure(chance.low)} to ${figure(chance.high)}`,
			"What sets without the concept give.",
		],
		[
			"p, corrected q",
			`${probability(tested.p)}, ${probability(tested.q)}`,
			"How often a set without the concept does as well; q is corrected for all concepts and layers.",
		],
		[
			"t-test of the literature",
			`p ${probability(tested.literature_p)}`,
			T_TEST,
		],
	];
	return (
		<>
			<dl class="nbx-evidence">
				{rows.map(([name, value, help]) => (
					<div key={name} title={help}>
						<dt>{name}</dt>
						<dd class="nbx-value">{value}</dd>
					</div>
				))}
			</dl>
			<p class="nbx-note">{T_TEST}</p>
		</>
	);
}

/** The same question answered by several estimators, which can disagree. */
function Estimators({ tests }: { tests: Tested[] }) {
	const holds = tests.map(({ significant }) => significant);
	const ways = new Set(tests.map(({ magnitude }) => Math.sign(magnitude)));
	const agree = new Set(holds).size === 1 && (!holds[0] || ways.size === 1);
	return (
		<>
			<table class="nbx-estimators" aria-label="estimators side by side">
				<thead>
					<tr>
						<th scope="col">estimator</th>
						<th scope="col">held out</th>
						<th scope="col">score</th>
						<th scope="col">magnitude</th>
						<th scope="col">q</th>
					</tr>
				</thead>
				<tbody>
					{tests.map((each) => (
						<tr key={each.estimator} data-holds={each.significant}>
							<th scope="row">{each.estimator}</th>
							<td>{fraction(each.accuracy)}</td>
							<td>{each.found ? fraction(each.score) : "–"}</td>
							<td>{each.found ? figure(each.magnitude) : "–"}</td>
							<td>
								{probability(each.q)} {each.significant ? "✓" : "·"}
							</td>
						</tr>
					))}
				</tbody>
			</table>
			{!agree && (
				<p class="nbx-note nbx-weak">
					The estimators disagree: this finding depends on how the direction is
					found.
				</p>
			)}
		</>
	);
}

/** The pictures of the class that the concept raises most and least. */
function Ends({ aligned, faces }: { aligned: Aligned; faces: Picture }) {
	const { most, least, raised, lowered } = aligned;
	const end = (name: string, places: number[], changes: number[]) => (
		<figure class="nbx-ends">
			<figcaption class="nbx-soft">{name}</figcaption>
			<div class="nbx-squares">
				<Strip strip={faces} places={places}>
					{(square, place) => (
						<span key={place} class="nbx-face">
							{square}
							<span class="nbx-figure">
								{figure(changes[places.indexOf(place)] ?? 0, 2)}
							</span>
						</span>
					)}
				</Strip>
			</div>
		</figure>
	);
	return (
		<div class="nbx-both-ends">
			{end("most aligned", most, raised)}
			{end("least aligned", least, lowered)}
		</div>
	);
}

const MAPS = [
	{
		show: "effect",
		label: "Show its effect on the picture",
		help: "where more of the concept would change the score",
	},
	{
		show: "presence",
		label: "Show where it is",
		help: "where the layer sees the concept",
	},
] as const;

function Maps({ store, tested }: { store: Store; tested: Tested }) {
	const off = store.offlineReason.value;
	const { concept, layer } = tested;
	return (
		<div class="nbx-row">
			{MAPS.map(({ show, label, help }) => (
				<button
					key={show}
					type="button"
					class="nbx-button nbx-small"
					disabled={!!off}
					title={off || help}
					onClick={() =>
						send(store, {
							kind: "concept_map",
							concept,
							discovered: false,
							layer,
							show,
						})
					}
				>
					{label}
				</button>
			))}
		</div>
	);
}
