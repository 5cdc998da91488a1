import type { TableInfo } from "../../model/protocol";
import type { Store } from "../../model/store";
import { EvidenceLine } from "../check/EvidenceLine";
import { Predictions } from "../stage/Predictions";
import { Shares } from "../waterfall/Shares";
import { Edit } from "./Edit";
import { useEdits } from "./editing";
import { partsOf } from "./parts";

interface Props {
	store: Store;
	table: TableInfo;
}

/** A row of a table in the place of the stage: its features with their shares, open to edits. */
export function TableRow({ store, table }: Props) {
	const { edits, editing } = store.ui;
	const result = store.shown.value;
	const trouble = useEdits(store, table);
	const players = partsOf(result, table, edits.value);
	const pressed = players.names.flatMap((name, player) =>
		name in edits.value ? [player] : [],
	);
	const press = ([player = 0]: number[]) => {
		const name = players.names[player];
		// A group of features is opened in the list of features, not as a whole.
		const known = table.features.some((feature) => feature.name === name);
		if (known && name) editing.value = name;
	};
	return (
		<section class="nbx-stage nbx-table" aria-label="row">
			<Shares
				store={store}
				result={result}
				players={players}
				additive={!!result?.players}
				pressed={pressed}
				blocked={store.offlineReason.value}
				hint="click a row to edit the feature"
				onPress={press}
			/>
			<EvidenceLine store={store} />
			<Edit store={store} table={table} trouble={trouble} />
			<div class="nbx-table-predictions">
				<Predictions store={store} />
			</div>
		</section>
	);
}
