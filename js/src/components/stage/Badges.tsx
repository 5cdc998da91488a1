import type { Explained } from "../../model/history";
import type { Result } from "../../model/protocol";
import type { Store } from "../../model/store";
import { takenOff } from "./pinned";
import { nameOf } from "./scene";

const BUSY = new Set(["queued", "running", "cancelling"]);

/** What must be known about the map before it is believed. */
export function Badges({ store }: { store: Store }) {
	const result = store.shown.value;
	const other = takenOff(store);
	if (!result) return <Hint store={store} />;
	return (
		<>
			<div class="nbx-badges">
				{store.outdated.value && (
					<span
						class="nbx-badge"
						title="the controls have changed since this was computed"
					>
						stale
					</span>
				)}
				<Progress store={store} result={result} />
				{other && <Less name={other.name} relative={differ(result, other)} />}
				<Without store={store} result={result} />
				{store.ui.altered.value && (
					<span class="nbx-badge">{store.ui.altered.value.words}</span>
				)}
				{store.ui.head.value && (
					<span class="nbx-badge">{nameOf(store.ui.head.value)}</span>
				)}
			</div>
			<Degenerate result={result} />
		</>
	);
}

const differ = (result: Result, other: Explained) =>
	result.spec.method !== other.result.spec.method;

/** Another result is taken off this one. */
function Less({ name, relative }: { name: string; relative: boolean }) {
	return relative ? (
		<span class="nbx-badge" title="each relative to its own clipping limit">
			less {name}, relative
		</span>
	) : (
		<span class="nbx-badge">less {name}</span>
	);
}

/** The stage shows the picture without some of its players. */
function Without({ store, result }: { store: Store; result: Result }) {
	const players = store.ui.ablation.value?.players;
	if (!players) return null;
	const [only = 0] = players;
	const what =
		players.length > 1
			? `${players.length} regions`
			: result.players?.names[only];
	return <span class="nbx-badge">without {what}</span>;
}

/** Why there is no map to see. */
export function Degenerate({ result }: { result: Result }) {
	if (!result.reason) return null;
	return (
		<div class="nbx-degenerate" role="note">
			<span>{result.reason}</span>
		</div>
	);
}

function Progress({ store, result }: { store: Store; result: Result }) {
	const share = `${result.done}/${result.total}`;
	const { state, resumable } = store.traits._job.value;
	if (result.phase === "draft")
		return <span class="nbx-badge nbx-draft">draft {share}</span>;
	if (result.complete || BUSY.has(state)) return null;
	const resume = state === "cancelled" && resumable && store.online.value;
	return (
		<span class="nbx-badge">
			partial {share}
			{resume && (
				<button
					type="button"
					onClick={() => {
						store.ask({ kind: "resume" }).catch(() => undefined);
					}}
				>
					Resume
				</button>
			)}
		</span>
	);
}

function Hint({ store }: { store: Store }) {
	const { method, shortcuts, _catalog, _job } = store.traits;
	if (!store.online.value || BUSY.has(_job.value.state)) return null;
	const name = method.value;
	const info = _catalog.value.methods.find((known) => known.name === name);
	return (
		<button
			type="button"
			class="nbx-hint"
			onClick={() => {
				store.ask({ kind: "run" }).catch(() => undefined);
			}}
		>
			{shortcuts.value ? (
				<>
					Press <kbd>R</kbd> to run {info?.label ?? name}
				</>
			) : (
				`Run ${info?.label ?? name}`
			)}
		</button>
	);
}
