import { useComputed, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { SummaryInfo } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Segmented } from "../controls/Segmented";
import { useWidth } from "../controls/width";
import { Section } from "../panel/Section";
import { figures, thousands } from "../waterfall/numbers";
import { Dependence } from "./Dependence";
import { shades } from "./dots";
import { Mean } from "./Mean";
import { MeanMap } from "./MeanMap";
import { Swarm } from "./Swarm";
import { columnsOf } from "./values";

const MOST = 20;
const GUESSED_WIDTH = 400;
const DRAWN = [
	{ value: "each", label: "each input" },
	{ value: "mean", label: "mean magnitude" },
] as const;

/** Many explanations at once: which players matter, how, and for which of their values. */
export function Summary({ store }: { store: Store }) {
	const info = store.traits._summary.value;
	if (!info) return <p class="nbx-empty">There is no summary.</p>;
	return <Whole info={info} store={store} />;
}

function Whole({ info, store }: { info: SummaryInfo; store: Store }) {
	const summary = store.traits._summary;
	const columns = useComputed(() => summary.value && columnsOf(summary.value));
	const drawn = useSignal<(typeof DRAWN)[number]["value"]>("each");
	const chosen = useSignal<number | null>(null);
	const open = useSignal(false);
	const room = useRef<HTMLDivElement>(null);
	const width = useWidth(room, GUESSED_WIDTH);
	const order = info.mean
		.map((_, player) => player)
		.sort((a, b) => (info.mean[b] ?? 0) - (info.mean[a] ?? 0));
	const shown = open.value ? order : order.slice(0, MOST);
	const write = figures(info.mean, []);
	const most = largest(columns.value?.phi ?? []);
	const table = info.features !== null;
	return (
		<>
			<Section
				name={`${info.target}, ${info.unit}`}
				aside={
					<span class="nbx-counted">
						{info.title} · {thousands(info.rows)} inputs
					</span>
				}
			>
				<div class="nbx-summary">
					<div ref={room} class="nbx-summary-room" />
					{shown.map((player) => (
						<button
							key={player}
							type="button"
							class="nbx-summary-row"
							aria-pressed={chosen.value === player}
							aria-label={`${info.names[player]}: ${write(info.mean[player] ?? 0, false)} on average`}
							disabled={!table}
							onClick={() => {
								chosen.value = chosen.value === player ? null : player;
							}}
						>
							<span>{breakable(info.names[player] ?? "")}</span>
							{drawn.value === "each" ? (
								<Swarm
									phi={columns.value?.phi[player] ?? []}
									shades={columns.value?.features[player] ?? []}
									most={most}
									width={width}
								/>
							) : (
								<Mean
									value={info.mean[player] ?? 0}
									error={info.errors[player] ?? 0}
									most={info.mean[order[0] ?? 0] ?? 1}
								/>
							)}
							<span class="nbx-figure">
								{write(info.mean[player] ?? 0, false)}
							</span>
						</button>
					))}
				</div>
				{order.length > MOST && (
					<button
						type="button"
						class="nbx-link nbx-small"
						onClick={() => {
							open.value = !open.value;
						}}
					>
						{open.value
							? "fold the smallest"
							: `show ${order.length - MOST} others`}
					</button>
				)}
				<p class="nbx-note">
					<span>
						{table && "click a row to see how it depends on its value"}
					</span>
					{table && drawn.value === "each" && <Shades />}
				</p>
				<Segmented
					label="drawn as"
					value={drawn.value}
					options={[...DRAWN]}
					onCommit={(next) => {
						drawn.value = next;
					}}
				/>
			</Section>
			{chosen.value !== null && columns.value && (
				<Dependence info={info} columns={columns.value} player={chosen.value} />
			)}
			{info.map && <MeanMap info={info} />}
		</>
	);
}

/** Names as programs write them break where their words do. */
function breakable(name: string): string {
	return name.replace(/[_./]/g, "$&\u200b");
}

/** The largest magnitude of all, which the swarms share as their scale. */
function largest(phi: number[][]): number {
	return phi.reduce(
		(most, column) =>
			column.reduce((m, value) => Math.max(m, Math.abs(value)), most),
		1e-12,
	);
}

/** What the colours of the dots mean. */
export function Shades({ name = "value" }: { name?: string }) {
	return (
		<span class="nbx-shades">
			low {name}
			<span class="nbx-swatch" style={{ background: shades() }} />
			high
		</span>
	);
}
