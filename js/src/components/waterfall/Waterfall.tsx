import type { Players, Result } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Regions } from "../panel/Regions";
import { useAblation } from "./ablating";
import { Chosen } from "./Chosen";
import { Nothing } from "./Nothing";
import { usePointing } from "./pointing";
import { Removed } from "./Removed";
import { Shares, settling } from "./Shares";

/** How the score comes about, player by player. */
export function Waterfall({ store }: { store: Store }) {
	const result = store.shown.value;
	if (!result?.players) return <Nothing store={store} />;
	return <Playing store={store} result={result} players={result.players} />;
}

interface Props {
	store: Store;
	result: Result;
	players: Players;
}

function Playing({ store, result, players }: Props) {
	const { removed } = store.ui;
	const trouble = useAblation(store, result.id);
	usePointing(store);
	return (
		<>
			<Shares
				store={store}
				result={result}
				players={players}
				pressed={removed.value}
				blocked={reasonAgainst(store, result)}
				hint="click a row to take it away"
				onPress={(these) => {
					removed.value = toggled(removed.value, these);
				}}
			/>
			{removed.value.length > 0 && (
				<Removed store={store} players={players} trouble={trouble} />
			)}
			{!store.traits._alone.value && (
				<>
					<Chosen store={store} />
					{players.labels && <Regions store={store} />}
				</>
			)}
		</>
	);
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
