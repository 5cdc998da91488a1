import type { Fill, Players } from "../../model/protocol";
import type { Store } from "../../model/store";
import { UseAsConcept } from "../concepts/UseAsConcept";
import { fraction } from "../controls/number";
import { Select } from "../controls/Select";
import { Section } from "../panel/Section";
import { figures } from "./numbers";

const FILLS: Fill[] = ["baseline", "blur", "mean", "noise", "black", "white"];

interface Props {
	store: Store;
	players: Players;
	/** Why the model has not answered; empty where it has or will. */
	trouble: string;
}

/** What the model says without the players that were clicked. */
export function Removed({ store, players, trouble }: Props) {
	const { removed, fill, ablation } = store.ui;
	const off = store.offlineReason.value;
	return (
		<Section
			name={`${listed(removed.value.map((p) => players.names[p] ?? ""))} removed`}
			dim={ablation.value?.players.join() !== removed.value.join()}
		>
			{trouble ? (
				<p class="nbx-trouble" role="alert">
					{trouble}
				</p>
			) : (
				<Moves store={store} players={players} />
			)}
			<div class="nbx-put-back">
				<button
					type="button"
					class="nbx-button"
					onClick={() => {
						removed.value = [];
					}}
				>
					Put back
				</button>
				<Select
					label="fill"
					help="What stands in the place of what is removed."
					value={fill.value}
					disabled={!!off}
					options={FILLS.map((value) => ({ value, label: value }))}
					onCommit={(next) => {
						fill.value = next;
					}}
				/>
				<UseAsConcept store={store} />
			</div>
		</Section>
	);
}

function Moves({ store, players }: { store: Store; players: Players }) {
	const ablation = store.ui.ablation.value;
	if (!ablation) return <p class="nbx-note">asking the model …</p>;
	const { before, after, choices, singles, interaction } = ablation;
	const write = figures([before, after], []);
	const plain = (value: number) => write(value, false);
	return (
		<dl class="nbx-evidence" aria-live="polite">
			<Line name={players.unit} value={move(before, after, plain)} />
			{choices.map((choice) => (
				<Line
					key={choice.index}
					name={choice.label}
					value={move(choice.before, choice.after, fraction)}
				/>
			))}
			{interaction !== null && (
				<>
					{ablation.players.map((player, at) => (
						<Line
							key={player}
							name={`drop for ${players.names[player]} alone`}
							value={plain(singles[at] ?? 0)}
						/>
					))}
					<Line
						name="interaction"
						help="The drop of all together less the sum of the drops of each alone."
						value={write(interaction)}
					/>
				</>
			)}
		</dl>
	);
}

interface LineProps {
	name: string;
	value: string;
	help?: string;
}

function Line({ name, value, help }: LineProps) {
	return (
		<div title={help}>
			<dt>{name}</dt>
			<dd class="nbx-value">{value}</dd>
		</div>
	);
}

function move(
	before: number,
	after: number,
	write: (value: number) => string,
): string {
	return `${write(before)} → ${write(after)}`;
}

/** Three names are read; more are counted. */
function listed(names: string[]): string {
	if (names.length > 3) return `${names.length} regions`;
	const last = names.at(-1) ?? "";
	const before = names.slice(0, -1).join(", ");
	return before ? `${before} and ${last}` : last;
}
