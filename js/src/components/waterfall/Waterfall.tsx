import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Players, Result } from "../../model/protocol";
import type { DrawnAs, Sorted, Store } from "../../model/store";
import { Segmented } from "../controls/Segmented";
import { Section } from "../panel/Section";
import { useAblation } from "./ablating";
import { Chart } from "./Chart";
import { Chosen } from "./Chosen";
import { Nothing } from "./Nothing";
import { thousands } from "./numbers";
import { usePointing } from "./pointing";
import { Removed } from "./Removed";
import { MOST, order, type Row, rowsOf, settled } from "./rows";

const DRAWN: { value: DrawnAs; label: string }[] = [
	{ value: "waterfall", label: "waterfall" },
	{ value: "bars", label: "bars" },
	{ value: "force", label: "force" },
];

const SORTED: { value: Sorted; label: string; name: string }[] = [
	{ value: "size", label: "size", name: "the largest share first" },
	{ value: "sign", label: "sign", name: "support first, opposition last" },
	{ value: "position", label: "position", name: "as in the picture" },
];

/** How the score comes about, player by player. */
export function Waterfall({ store }: { store: Store }) {
	const result = store.shown.value;
	if (!result?.players) return <Nothing store={store} />;
	return <Shares store={store} result={result} players={result.players} />;
}

interface Props {
	store: Store;
	result: Result;
	players: Players;
}

function Shares({ store, result, players }: Props) {
	const { ui } = store;
	const open = useSignal(false);
	const trouble = useAblation(store, result.id);
	usePointing(store);
	const many = players.values.length > MOST;
	const rows = rowsOf(players, useOrder(store, result, players), open.value);
	const blocked = reasonAgainst(store, result);
	const press = (row: Row) => {
		if (row.folded) open.value = true;
		else ui.removed.value = toggled(ui.removed.value, row.players);
	};
	return (
		<>
			<Section
				name={`${result.target}, ${players.unit}`}
				dim={store.outdated.value}
				aside={<span class="nbx-counted">{counted(result, players)}</span>}
			>
				<Chart
					players={players}
					rows={rows}
					drawnAs={ui.drawnAs.value}
					pointed={ui.pointed.value}
					removed={ui.removed.value}
					blocked={blocked}
					onPoint={(row) => {
						ui.pointed.value = row?.players ?? null;
					}}
					onPress={press}
				/>
				<p class="nbx-note">
					<span>{blocked || "click a row to take it away"}</span>
					{players.errors && ui.drawnAs.value !== "force" && (
						<span>whiskers: ± one standard error</span>
					)}
					{many && open.value && (
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
				<Segmented
					label="drawn as"
					value={ui.drawnAs.value}
					options={DRAWN}
					onCommit={(next) => {
						ui.drawnAs.value = next;
					}}
				/>
				<Segmented
					label="sorted by"
					value={ui.sorted.value}
					options={SORTED}
					onCommit={(next) => {
						ui.sorted.value = next;
					}}
				/>
			</Section>
			{ui.removed.value.length > 0 && (
				<Removed store={store} players={players} trouble={trouble} />
			)}
			{!store.traits._alone.value && <Chosen store={store} />}
		</>
	);
}

/** While a job runs the rows keep their places as long as that is not far wrong. */
function useOrder(store: Store, result: Result, { values }: Players) {
	const before = useRef<{ sorted: Sorted; places: number[] } | null>(null);
	const sorted = store.ui.sorted.value;
	const wanted = order(values, sorted);
	const stays = settling(store, result) && before.current?.sorted === sorted;
	const places = stays ? settled(before.current?.places ?? [], wanted) : wanted;
	before.current = { sorted, places };
	return places;
}

/** A frame is not kept in Python: it settles still. */
function settling({ traits, ui }: Store, result: Result): boolean {
	return ui.looking.value === null && result !== traits._result.value;
}

function reasonAgainst(store: Store, result: Result): string {
	if (settling(store, result)) return "the values are still settling";
	if (store.traits._alone.value)
		return "a row can be taken away in the Explorer";
	return store.offlineReason.value;
}

function toggled(players: number[], these: number[]): number[] {
	return players.includes(these[0] as number)
		? players.filter((player) => !these.includes(player))
		: [...players, ...these];
}

/** How the values were found, and from how many evaluations. */
function counted(result: Result, players: Players): string {
	const exact = result.complete && !players.errors;
	const how = exact ? "exact" : result.title;
	const evaluations = thousands(players.evaluations);
	return result.complete
		? `${how} · ${evaluations} evaluations`
		: `${how} · ${thousands(result.done)} of ${thousands(result.total)}`;
}
