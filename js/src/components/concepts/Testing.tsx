import type { Concepts, Estimator, LayerInfo } from "../../model/protocol";
import type { Store } from "../../model/store";
import { CheckList } from "../controls/CheckList";
import { Field } from "../controls/Field";
import { Select } from "../controls/Select";
import { Section } from "../panel/Section";
import { busy, Progress } from "./Progress";
import { send } from "./sending";

const MOST_LAYERS = 6;
const PERMUTATIONS = 199;

const ESTIMATORS: { value: Estimator; help: string }[] = [
	{ value: "mean", help: "from the mean of the one side to that of the other" },
	{ value: "ridge", help: "least squares with a penalty" },
	{ value: "logistic", help: "logistic regression with a penalty" },
	{
		value: "pattern",
		help: "where the ridge's answer varies: does not follow distractors",
	},
];

/** Where and how the concepts are tested, and the button that does it. */
export function Testing({ store, known }: { store: Store; known: Concepts }) {
	const off = store.offlineReason.value;
	const layers = chosenLayers(store, known);
	const { estimators, one, other } = store.ui.concepts;
	const blocked =
		off || known.wanting[0] || (layers.length === 0 ? "choose a layer" : "");
	const run = () => {
		const pair = one.value && other.value && one.value !== other.value;
		send(store, {
			kind: "concept_test",
			layers,
			estimators: estimators.value,
			permutations: PERMUTATIONS,
			relative: pair ? [[one.value, other.value]] : [],
		});
	};
	return (
		<Section name="test">
			<Layers store={store} chosen={layers} off={off} />
			<Estimators store={store} off={off} />
			{known.concepts.length > 1 && (
				<Relative store={store} known={known} off={off} />
			)}
			<div class="nbx-choose">
				{busy(known.job) ? (
					<Progress store={store} job={known.job} />
				) : (
					<>
						<span class="nbx-soft nbx-grow">
							{known.wanting.length === 0 &&
								`${PERMUTATIONS} sets without the concept say what chance gives`}
						</span>
						<button
							type="button"
							class="nbx-button nbx-primary"
							disabled={!!blocked}
							title={blocked || undefined}
							onClick={run}
						>
							Test
						</button>
					</>
				)}
			</div>
			{known.wanting.length > 0 && (
				<ul class="nbx-wanting" aria-label="what is missing">
					{known.wanting.map((what) => (
						<li key={what}>{what}</li>
					))}
				</ul>
			)}
		</Section>
	);
}

/** The layers that are ticked: those that were tested last, or the suggested one. */
export function chosenLayers({ ui, traits }: Store, known: Concepts): string[] {
	const all = traits._catalog.value.layers;
	const suggested = all.filter((layer) => layer.suggested);
	const first =
		known.layers.length > 0 ? known.layers : suggested.map(({ name }) => name);
	const wanted = ui.concepts.layers.value ?? first;
	return wanted.filter((name) => all.some((layer) => layer.name === name));
}

interface LayersProps {
	store: Store;
	chosen: string[];
	off: string;
}

function Layers({ store, chosen, off }: LayersProps) {
	// Concepts live in deep layers: those come first, and the suggested one before them.
	const layers = [...store.traits._catalog.value.layers]
		.reverse()
		.sort((a, b) => Number(b.suggested) - Number(a.suggested));
	return (
		<>
			<div class="nbx-soft">layers</div>
			<CheckList
				label="layers"
				rows={layers.map((layer) => ({
					key: layer.name,
					content: <Line layer={layer} />,
				}))}
				checked={chosen}
				most={MOST_LAYERS}
				disabled={off}
				onCommit={(next) => {
					store.ui.concepts.layers.value = next;
				}}
			/>
		</>
	);
}

function Line({ layer }: { layer: LayerInfo }) {
	return (
		<>
			<span class="nbx-cut nbx-mono nbx-grow">{layer.name}</span>
			{layer.suggested && <span class="nbx-mark nbx-mark-good">suggested</span>}
			<span class="nbx-figure">{layer.shape.join("×")}</span>
		</>
	);
}

/** Each estimator is a tick; the first of them is the one that the rows show. */
function Estimators({ store, off }: { store: Store; off: string }) {
	const { estimators } = store.ui.concepts;
	const toggle = (value: Estimator) => {
		const next = ESTIMATORS.map((each) => each.value).filter(
			(each) => estimators.value.includes(each) !== (each === value),
		);
		if (next.length > 0) estimators.value = next;
	};
	return (
		<Field
			label="estimators"
			help="How the direction is found: they can disagree, so look at several."
			disabled={!!off}
		>
			<div class="nbx-ticks">
				{ESTIMATORS.map(({ value, help }) => (
					<label key={value} title={help}>
						<input
							type="checkbox"
							checked={estimators.value.includes(value)}
							disabled={!!off}
							onChange={() => toggle(value)}
						/>
						{value}
					</label>
				))}
			</div>
		</Field>
	);
}

/** One concept against another instead of against random pictures. */
function Relative({
	store,
	known,
	off,
}: {
	store: Store;
	known: Concepts;
	off: string;
}) {
	const { one, other } = store.ui.concepts;
	const names = known.concepts.map(({ name }) => name);
	const options = ["", ...names].map((value) => ({
		value,
		label: value || "–",
	}));
	const pick = (of: typeof one, label: string) => (
		<Select
			label={label}
			help="The first concept against the second, instead of against random pictures."
			value={names.includes(of.value) ? of.value : ""}
			options={options}
			disabled={!!off}
			onCommit={(next) => {
				of.value = next;
			}}
		/>
	);
	return (
		<div class="nbx-relative">
			{pick(one, "also test")}
			{pick(other, "against")}
		</div>
	);
}
