import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Players, Result } from "../../model/protocol";
import type { DrawnAs, Sorted, Store } from "../../model/store";
import { Segmented } from "../controls/Segmented";
import { Section } from "../panel/Section";
import { Chart } from "./Chart";
import { thousands } from "./numbers";
import { MOST, order, type Row, rowsOf, settled } from "./rows";

const DRAWN: { value: DrawnAs; label: string }[] = [
	{ value: "waterfall", label: "waterfall" },
	{ value: "bars", label: "bars" },
	{ value: "force", label: "force" },
];

const SORTED: { value: Sorted; label: string; name: string }[] = [
	{ value: "size", label: "size", name: "the largest share first" },
	{ value: "sign", label: "sign", name: "support first, opposition last" },
	{ value: "position", label: "position", name: "in the order of the input" },
];

interface Props {
	store: Store;
	/** Null before the first: then the rows are there, and no bars. */
	result: Result | null;
	players: Players;
	/** The rows that were pressed: taken away or edited. */
	pressed: number[];
	/** Why nothing can be pressed; empty where it can. */
	blocked: string;
	/** What a press does. */
	hint: string;
	/** Where the values do not add up to the score, they are bars and nothing else. */
	additive?: boolean;
	onPress: (players: number[]) => void;
}

/** The score, shared out: a row a player, drawn and sorted as the reader likes. */
export function Shares(props: Props) {
	const { store, result, players, blocked, hint, additive = true } = props;
	const { ui } = store;
	const open = useSignal(false);
	const drawnAs = additive ? ui.drawnAs.value : "bars";
	const places = useOrder(store, result, players);
	const whiskers = players.errors && drawnAs !== "force";
	const press = (row: Row) => {
		if (row.folded) open.value = true;
		else props.onPress(row.players);
	};
	return (
		<Section
			name={result ? `${result.target}, ${players.unit}` : "row"}
			dim={store.outdated.value}
			aside={
				<span class="nbx-counted">{result && counted(result, players)}</span>
			}
		>
			<Chart
				players={players}
				rows={rowsOf(players, places, open.value)}
				drawnAs={drawnAs}
				pointed={ui.pointed.value}
				removed={props.pressed}
				blocked={blocked}
				onPoint={(row) => {
					ui.pointed.value = row?.players ?? null;
				}}
				onPress={press}
			/>
			<p class="nbx-note">
				<span>{blocked || hint}</span>
				{whiskers && <span>whiskers: ± one standard error</span>}
				{open.value && players.values.length > MOST && (
					<button
						type="button"
						class="nbx-link nbx-small"
						onClick={() => {
							open.value = false;
						}}
					>
						fold the smallest
					</button>
				)}
			</p>
			{additive && (
				<Segmented
					label="drawn as"
					value={drawnAs}
					options={DRAWN}
					onCommit={(next) => {
						ui.drawnAs.value = next;
					}}
				/>
			)}
			<Segmented
				label="sorted by"
				value={ui.sorted.value}
				options={SORTED}
				onCommit={(next) => {
					ui.sorted.value = next;
				}}
			/>
		</Section>
	);
}

/** While a job runs the rows keep their places as long as that is not far wrong. */
function useOrder(store: Store, result: Result | null, { values }: Players) {
	const before = useRef<{ sorted: Sorted; places: number[] } | null>(null);
	const sorted = store.ui.sorted.value;
	const wanted = order(values, sorted);
	const stays =
		result && settling(store, result) && before.current?.sorted === sorted;
	const places = stays ? settled(before.current?.places ?? [], wanted) : wanted;
	before.current = { sorted, places };
	return places;
}

/** A frame is not kept in Python: it settles still. */
export function settling({ traits, ui }: Store, result: Result): boolean {
	return ui.looking.value === null && result !== traits._result.value;
}

/** How the values were found, and from how many evaluations. */
function counted(result: Result, players: Players): string {
	const { complete, done, total, title, spec, evidence } = result;
	// The one method that has two ways says which it went.
	const estimator = spec.method === "shapley" ? "OddSHAP" : title;
	if (!complete)
		return `${estimator} · ${thousands(done)} of ${thousands(total)}`;
	const exact = evidence.some(({ value }) => value === "exact");
	const how = exact ? "exact" : estimator;
	// What is read off the model needs no evaluations to speak of.
	if (players.evaluations < 2) return how;
	return `${how} · ${thousands(players.evaluations)} evaluations`;
}
