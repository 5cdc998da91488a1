import type {
	Alternative,
	Alternatives,
	EditRequest,
	TableInfo,
} from "../../model/protocol";
import type { Store } from "../../model/store";
import { figure } from "../controls/number";
import { CodeButton, FigureButton } from "../dialogs/Taken";
import { busy } from "../panel/Progress";
import { Section } from "../panel/Section";
import { send } from "./asking";

interface Props {
	store: Store;
	known: Alternatives;
	/** The search in the history; empty for the last one. */
	item: string;
}

/** The rows that were found, each by what is different in it. */
export function Found({ store, known, item }: Props) {
	const { rows, job, notices } = known;
	if (rows.length === 0) return null;
	return (
		<Section name={`to be ${known.desired}`} aside={<State known={known} />}>
			<ol class="nbx-alternatives" aria-label="alternatives" start={0}>
				{rows.map((row, place) => (
					<Row
						key={place}
						store={store}
						known={known}
						item={item}
						row={row}
						place={place}
					/>
				))}
			</ol>
			{!busy(job) && <Summary known={known} />}
			{!busy(job) && <Taken key={job.id} store={store} item={item} />}
			{notices.map((notice) => (
				<p class="nbx-alternatives-notice" role="status" key={notice}>
					{notice}
				</p>
			))}
		</Section>
	);
}

/** How much of the search stands behind what is shown. */
function State({ known: { job, search } }: { known: Alternatives }) {
	const part = `${job.done} of ${job.total}`;
	const said = busy(job)
		? `so far, ${part}`
		: job.state === "cancelled"
			? `stopped at ${part}`
			: `${search}, ${figure(job.seconds, 2)} s`;
	return <span class="nbx-figure">{said}</span>;
}

interface RowProps extends Props {
	row: Alternative;
	place: number;
}

function Row({ store, known, item, row, place }: RowProps) {
	const first = place === 0;
	const explained = known.explained === place;
	return (
		<li
			class="nbx-alternative"
			data-explained={explained}
			aria-current={explained || undefined}
		>
			<div class="nbx-alternative-head">
				<b>{first ? "as it was" : place}</b>
				{!first && <Reached row={row} />}
				<span class="nbx-figure" title={unitOf(known)}>
					{`${known.desired} ${known.unit === "score" ? figure(row.says) : row.says.toFixed(2)}`}
				</span>
				<Acts store={store} known={known} item={item} row={row} place={place} />
			</div>
			{!first && <Changes known={known} row={row} />}
		</li>
	);
}

/** What can be done with a row; of the one that is explained, that it is. */
function Acts({ store, known, item, row, place }: RowProps) {
	const table = store.traits._table.value;
	const off = store.offlineReason.value;
	return (
		<span class="nbx-alternative-acts">
			{known.explained === place ? (
				<span class="nbx-mark nbx-mark-good">explained</span>
			) : (
				<>
					{place > 0 && (
						<button
							type="button"
							class="nbx-link nbx-small"
							title={
								off || "put these values into the row, to edit them further"
							}
							disabled={!!off || !table}
							onClick={() => table && apply(store, known, row, table)}
						>
							Apply
						</button>
					)}
					<button
						type="button"
						class="nbx-link nbx-small"
						title={off || "its shares in the place of those of the row"}
						disabled={!!off || busy(known.job)}
						onClick={() =>
							send(store, {
								kind: "alternative",
								action: "explain",
								item,
								place,
							})
						}
					>
						Explain
					</button>
				</>
			)}
		</span>
	);
}

function unitOf({ unit, desired }: Alternatives): string {
	return unit === "score" ? "the score" : `the probability of ${desired}`;
}

function Reached({ row: { valid, margin } }: { row: Alternative }) {
	if (valid)
		return (
			<span class="nbx-good" role="img" aria-label="reached" title="reached">
				✓
			</span>
		);
	return (
		<span class="nbx-weak" title="how far in score">
			{`✗ ${figure(-margin)} short`}
		</span>
	);
}

/** What is different, before and after; with the distance that the differences add up to. */
function Changes({ known, row }: { known: Alternatives; row: Alternative }) {
	const before = known.rows[0]?.cells ?? [];
	return (
		<>
			<dl class="nbx-alternative-changes">
				{row.cells.map((cell, place) => {
					const name = known.names[place] ?? "";
					if (cell.changed === "") return null;
					return (
						<div key={name} data-how={cell.changed}>
							<dt class="nbx-cut" title={name}>
								{name}
							</dt>
							<dd>
								<span>{short(before[place])}</span>
								<span>→</span>
								<mark>{short(cell)}</mark>
								{cell.changed === "followed" && (
									<i title="a consequence, by the causal graph">follows</i>
								)}
							</dd>
						</div>
					);
				})}
			</dl>
			<p class="nbx-alternative-facts">
				{`distance ${figure(row.distance)} · ${counted(row.changed)}`}
			</p>
		</>
	);
}

const counted = (count: number) =>
	`${count} ${count === 1 ? "feature" : "features"} changed`;

function short(cell: Alternative["cells"][number] | undefined): string {
	if (!cell) return "";
	return typeof cell.value === "number" ? figure(cell.value, 4) : cell.shown;
}

/** Validity, proximity, sparsity and diversity of what was found. */
function Summary({ known }: { known: Alternatives }) {
	const found = known.rows.slice(1);
	const mean = (value: (row: Alternative) => number) =>
		found.reduce((sum, row) => sum + value(row), 0) / found.length;
	const facts: [string, string, string][] = [
		[
			"reached",
			`${found.filter(({ valid }) => valid).length} of ${found.length}`,
			"How many rows the model decides as wished.",
		],
		[
			"mean distance",
			figure(mean(({ distance }) => distance)),
			"In median absolute deviations of the training data, summed over features.",
		],
		[
			"features changed",
			figure(
				mean(({ changed }) => changed),
				2,
			),
			"On average; what follows from a change is not counted.",
		],
		[
			"diversity",
			figure(known.diversity),
			"The mean distance between the rows.",
		],
	];
	return (
		<dl class="nbx-evidence">
			{facts.map(([label, value, help]) => (
				<div key={label} title={help}>
					<dt>{label}</dt>
					<dd class="nbx-value">{value}</dd>
				</div>
			))}
		</dl>
	);
}

/** The rows as a figure, and as the code that finds them. */
function Taken({ store, item }: { store: Store; item: string }) {
	const { trouble } = store.ui.alternatives;
	const request = { kind: "alternative", item, place: 0 } as const;
	const told = (why: string) => {
		trouble.value = why;
	};
	return (
		<div class="nbx-row">
			<FigureButton
				store={store}
				request={{ ...request, action: "figure" }}
				onTrouble={told}
			/>
			<FigureButton
				label="JSON"
				store={store}
				request={{ ...request, action: "json" }}
				onTrouble={told}
			/>
			<CodeButton store={store} request={{ ...request, action: "code" }} />
		</div>
	);
}

/** The values of an alternative become the edits of the row that is explained. */
function apply(
	store: Store,
	known: Alternatives,
	{ cells }: Alternative,
	{ features }: TableInfo,
) {
	const edits: EditRequest["values"] = {};
	known.names.forEach((name, place) => {
		const value = cells[place]?.value ?? null;
		const now = features.find((feature) => feature.name === name)?.value;
		if (value !== now) edits[name] = value;
	});
	store.ui.edits.value = edits;
	store.ui.editing.value = Object.keys(edits)[0] ?? null;
	store.ui.announcement.value = "the alternative's values are in the row";
}
