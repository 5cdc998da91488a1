import type { Choice, Prediction } from "../../model/protocol";
import type { Store } from "../../model/store";
import { FilterList, type Row } from "../controls/FilterList";
import { compact } from "../controls/number";
import { choiceOf } from "./target";

interface Props {
	store: Store;
	label: string;
	selected: number | null;
	/** Why a class cannot be chosen; null where it can. */
	taken: (index: number) => string | null;
	onChoose: (index: number) => void;
}

/** Every class: the predicted ones with their bars first, all others by a few letters. */
export function ClassList(props: Props) {
	const { store, label, selected, taken, onChoose } = props;
	const { labels } = store.traits._catalog.value;
	const prediction = store.traits._prediction.value;
	return (
		<FilterList
			label={label}
			placeholder={`Find among ${labels.length || (prediction?.classes ?? 0)} classes`}
			selected={selected === null ? null : String(selected)}
			first={predicted(prediction, taken)}
			rows={all(labels, prediction, taken)}
			onChoose={(key) => onChoose(Number(key))}
		/>
	);
}

function predicted(
	prediction: Prediction | null,
	taken: Props["taken"],
): Row[] {
	return (prediction?.top ?? []).map((choice) => ({
		key: String(choice.index),
		text: choice.label,
		group: "predicted",
		disabled: taken(choice.index),
		detail: `score ${compact(choice.score)} · type to search all classes`,
		content: <Bar choice={choice} />,
	}));
}

function all(
	labels: string[],
	prediction: Prediction | null,
	taken: Props["taken"],
): Row[] {
	return labels.map((label, index) => {
		const choice = choiceOf(index, prediction);
		return {
			key: String(index),
			text: `${label} ${index}`,
			disabled: taken(index),
			detail: choice ? `score ${compact(choice.score)}` : `class ${index}`,
			content: choice ? (
				<Bar choice={choice} />
			) : (
				<>
					<span class="nbx-cut nbx-grow">{label}</span>
					<span class="nbx-figure">{index}</span>
				</>
			),
		};
	});
}

function Bar({ choice }: { choice: Choice }) {
	const { label, probability, score } = choice;
	return (
		<>
			<span class="nbx-cut nbx-grow">{label}</span>
			{probability !== null && (
				<span class="nbx-bar" style={{ "--share": probability }} />
			)}
			<span class="nbx-figure">{compact(probability ?? score, 2)}</span>
		</>
	);
}
