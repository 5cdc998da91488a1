import { useSignal } from "@preact/signals";
import type { Wish } from "../../model/editor";
import { encodeRuns } from "../../model/runs";
import type { Store } from "../../model/store";
import { reason } from "../controls/reason";
import { Segmented } from "../controls/Segmented";
import { Slider } from "../controls/Slider";
import { ClassField } from "./ClassField";
import { Fold } from "./Fold";
import { Running, running } from "./Running";
import { sketchOf } from "./strokes";

const MOST = 4;

const TERMS = {
	l1: ["L1", "few places change", 1],
	l2: ["L2", "all changes are small", 10],
	smoothness: ["smoothness", "the change has no grain", 1],
	likeness: ["likeness", "near the examples in the network's features", 10],
} as const;

type Term = keyof typeof TERMS;

/** What would have to be different in the picture for the model to say something else. */
export function Find({ store }: { store: Store }) {
	const { wish, sketch } = store.ui.editor;
	const { desired, inside, count } = wish.value;
	const numbers = numbersOf(store);
	const initial = store.traits._catalog.value.edits?.search ?? {};
	const trouble = useSignal("");
	const examples = store.traits._edits.value?.examples ?? 0;
	const painted = sketch.value?.map.labels.some((label) => label > 0) ?? false;
	const put = (changes: Partial<Wish>) => {
		wish.value = { ...wish.value, ...changes };
	};
	const set = (name: string, to: number) =>
		put({ numbers: { ...wish.value.numbers, [name]: to } });
	const terms = (Object.keys(TERMS) as Term[]).filter(
		(term) => term !== "likeness" || examples > 0,
	);
	const within = inside && painted;
	return (
		<Fold name="find a counterfactual" remark="what would change its mind?">
			<ClassField
				store={store}
				name="desired"
				label="to be"
				help="The class that the model should say."
				value={desired}
				nothing="choose a class"
				onChoose={(index) => put({ desired: index })}
			/>
			<Slider
				label="probability"
				help="At least; 0: the class wins, that is all."
				value={numbers.probability ?? 0}
				initial={initial.probability ?? 0}
				minimum={0}
				maximum={0.99}
				step={0.01}
				onCommit={(next) => set("probability", next)}
			/>
			<Segmented
				label="may change"
				value={within ? "inside" : "everywhere"}
				options={[
					{ value: "everywhere", label: "everything" },
					{
						value: "inside",
						label: "what is painted",
						name: painted ? undefined : "paint something first",
						disabled: !painted,
					},
				]}
				onCommit={(next) => put({ inside: next === "inside" })}
			/>
			{terms.map((term) => {
				const [label, help, most] = TERMS[term];
				return (
					<Slider
						key={term}
						label={label}
						help={`Weight: ${help}.`}
						value={numbers[term] ?? 0}
						initial={initial[term] ?? 0}
						minimum={0}
						maximum={most}
						step={0.001}
						logarithmic
						onCommit={(next) => set(term, next)}
					/>
				);
			})}
			<Slider
				label="how many"
				help="Different ones."
				value={count}
				initial={1}
				minimum={1}
				maximum={MOST}
				step={1}
				onCommit={(next) => put({ count: next })}
			/>
			<p class="nbx-trouble" role="alert">
				{trouble.value}
			</p>
			<Running store={store} task="find" label="progress of the search">
				<button
					type="button"
					class="nbx-button nbx-primary"
					disabled={desired === null || running(store)}
					title={desired === null ? "choose a class first" : undefined}
					onClick={() => {
						trouble.value = "";
						find(store, within).catch((failure) => {
							trouble.value = reason(failure);
						});
					}}
				>
					Find what would change its mind
				</button>
			</Running>
		</Fold>
	);
}

/** The numbers of a search: as they were set, else as Python has them. */
function numbersOf({ traits, ui }: Store): Record<string, number> {
	const search = traits._catalog.value.edits?.search;
	return { ...search, ...ui.editor.wish.value.numbers };
}

function find(store: Store, inside: boolean) {
	const { desired, count } = store.ui.editor.wish.peek();
	const { probability, ...weights } = numbersOf(store);
	const { map } = sketchOf(store);
	const examples = store.traits._edits.peek()?.examples ?? 0;
	const { likeness = 0, ...others } = weights;
	store.ui.editor.looking.value = null;
	return store.ask(
		{
			kind: "find",
			desired: desired as number,
			probability: probability || null,
			shape: [map.height, map.width],
			inside,
			weights: examples > 0 ? { ...others, likeness } : others,
			count,
		},
		[encodeRuns(map)],
	);
}
