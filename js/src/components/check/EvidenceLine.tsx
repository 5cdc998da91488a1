import { checking, checksOf, evidenceOf, whole } from "../../model/checking";
import type { Evidence, Result } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Value } from "../panel/EvidenceList";
import { check, hindrance, reveal, START } from "./asking";

/** What is said of a map in one line, the most telling first; the rest is in the panels. */
const TELLING = [
	"completeness_gap",
	"conservation_gap",
	"relevance",
	"exact",
	"standard_error",
	"local_fit",
	"deletion",
	"sanity",
];

interface Props {
	store: Store;
	/** The width that there is; more than that of the map. */
	room?: number;
}

/** Under the map: how far it can be trusted. Each item opens what it was read from. */
export function EvidenceLine({ store, room }: Props) {
	const result = store.shown.value;
	if (!result || result.reason) return null;
	const rows = evidenceOf(store, result)
		.filter(({ name }) => TELLING.includes(name))
		.sort((a, b) => TELLING.indexOf(a.name) - TELLING.indexOf(b.name));
	return (
		<ul
			class="nbx-evidence-line"
			aria-label="evidence"
			style={{ "--room": room && `${room}px` }}
		>
			{rows.map((row) => (
				<li key={row.name}>
					<button
						type="button"
						title={row.help}
						onClick={() => open(store, result, row)}
					>
						{row.label.toLowerCase()} <Value row={row} />
					</button>
				</li>
			))}
			<Unchecked store={store} result={result} />
		</ul>
	);
}

function open(store: Store, result: Result, { name }: Evidence) {
	if (checksOf(store, result).some((checked) => checked.name === name))
		return reveal(store, "check", name);
	const path = name === "completeness_gap" && result.curve;
	reveal(store, "explain", path ? "path" : "evidence");
}

/** While nothing was checked, the way to it. */
function Unchecked({ store, result }: { store: Store; result: Result }) {
	const busy =
		checking(store) && store.traits._checks.value?.result === result.id;
	if (!busy && checksOf(store, result).some(whole)) return null;
	const hindered = hindrance(store, result);
	if (busy)
		return (
			<li>
				<button type="button" onClick={() => reveal(store, "check", START)}>
					checking …
				</button>
			</li>
		);
	return (
		<li class="nbx-unchecked">
			not checked yet ·
			<button
				type="button"
				disabled={!!hindered}
				title={hindered || undefined}
				onClick={() => {
					reveal(store, "check", START);
					check(store, result);
				}}
			>
				Check it
			</button>
		</li>
	);
}
