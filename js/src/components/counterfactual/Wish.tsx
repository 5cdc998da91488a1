import type { Alternatives, Search } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Field } from "../controls/Field";
import { Select } from "../controls/Select";
import { Slider } from "../controls/Slider";
import { choiceOf, labelOf } from "../header/target";
import { busy, Progress } from "../panel/Progress";
import { Section } from "../panel/Section";
import {
	askedOf,
	countOf,
	desiredOf,
	hasClasses,
	intervalOf,
	searchOf,
	send,
} from "./asking";
import { Bound } from "./Bound";

const MOST = 8;

const SEARCHES: { value: Search; label: string }[] = [
	{ value: "auto", label: "by slopes, else genetic" },
	{ value: "gradient", label: "by slopes" },
	{ value: "genetic", label: "genetic" },
	{ value: "nearest", label: "from nearest examples" },
];

interface Props {
	store: Store;
	known: Alternatives | null;
}

/** What the model should say instead, and the search for it. */
export function Wish({ store, known }: Props) {
	const off = store.offlineReason.value;
	const { count, search, looking, trouble } = store.ui.alternatives;
	const asked = askedOf(store);
	const running = !!known && busy(known.job);
	return (
		<Section name="what if it were">
			{hasClasses(store) ? <Class store={store} /> : <Interval store={store} />}
			<Slider
				label="how many"
				help="Rows that differ from each other."
				value={countOf(store)}
				initial={4}
				minimum={1}
				maximum={MOST}
				step={1}
				disabled={!!off}
				onCommit={(next) => {
					count.value = next;
				}}
			/>
			<Select
				label="search"
				help="Slopes need a torch module; the others take any model."
				value={searchOf(store)}
				options={SEARCHES}
				disabled={!!off}
				onCommit={(next) => {
					search.value = next;
				}}
			/>
			<p class="nbx-trouble" role="alert">
				{trouble.value}
			</p>
			<div class="nbx-find">
				{running ? (
					<Progress
						store={store}
						job={known.job}
						panel="alternatives"
						label="progress of the search"
					/>
				) : (
					<button
						type="button"
						class="nbx-button nbx-primary"
						disabled={!!off || !asked}
						title={off || (asked ? undefined : "say from where to where")}
						onClick={() => {
							looking.value = null;
							if (asked) send(store, { kind: "alternatives", asked });
						}}
					>
						Find what would change its mind
					</button>
				)}
			</div>
			{known?.error && (
				<div class="nbx-failed" role="alert">
					<b>{known.error.title}</b>
					<p>{known.error.hint}</p>
				</div>
			)}
		</Section>
	);
}

function Class({ store }: { store: Store }) {
	const prediction = store.traits._prediction.value;
	const { labels } = store.traits._catalog.value;
	const all = Array.from({ length: prediction?.classes ?? 0 }, (_, i) => i);
	const now = prediction?.top[0]?.index;
	const options = all
		.filter((index) => index !== now)
		.map((index) => {
			const share = choiceOf(index, prediction)?.probability;
			const said = typeof share === "number" ? ` ${share.toFixed(2)}` : "";
			return {
				value: String(index),
				label: `${labelOf(index, labels, prediction)}${said}`,
			};
		});
	return (
		<Select
			label="class"
			help="The class that the model should decide for."
			value={String(desiredOf(store) ?? "")}
			options={options}
			disabled={!!store.offlineReason.value}
			onCommit={(next) => {
				store.ui.alternatives.desired.value = Number(next);
			}}
		/>
	);
}

function Interval({ store }: { store: Store }) {
	const [low, high] = intervalOf(store);
	const off = !!store.offlineReason.value;
	const { alternatives } = store.ui;
	return (
		<Field
			label="score"
			help="The interval in which the score should be."
			disabled={off}
		>
			<div class="nbx-interval">
				<Bound
					label="score from"
					value={low}
					otherwise={null}
					disabled={off}
					onCommit={(next) => {
						alternatives.low.value = next;
					}}
				/>
				<span class="nbx-soft">to</span>
				<Bound
					label="score to"
					value={high}
					otherwise={null}
					disabled={off}
					onCommit={(next) => {
						alternatives.high.value = next;
					}}
				/>
			</div>
		</Field>
	);
}
