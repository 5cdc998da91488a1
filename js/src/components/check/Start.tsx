import {
	checking,
	checksOf,
	offersOf,
	tickedOf,
	whole,
} from "../../model/checking";
import type { Job, Result } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Section } from "../panel/Section";
import { about, check, hindrance, START, stopChecking } from "./asking";

interface Props {
	store: Store;
	result: Result;
}

/** The one button, with what it will do and for how long; the progress while it does. */
export function Start({ store, result }: Props) {
	const trouble = store.ui.checking.trouble.value;
	return (
		<Section name={START}>
			<p class="nbx-check-what">
				<b>{result.title}</b> for {result.target} is put through tests that it
				could fail.
			</p>
			{checking(store) ? (
				<Progress store={store} result={result} />
			) : (
				<Ask store={store} result={result} />
			)}
			{trouble && (
				<p class="nbx-trouble" role="alert">
					{trouble}
				</p>
			)}
		</Section>
	);
}

function Ask({ store, result }: Props) {
	const offers = offersOf(store, result);
	const ticked = tickedOf(store, result);
	const hindered = hindrance(store, result);
	const wanted = offers.filter(({ name }) => ticked.includes(name));
	const seconds = wanted.reduce((sum, offer) => sum + offer.seconds, 0);
	const earlier = result.id !== store.traits._result.value?.id;
	const restorable = store.traits._history.value.some(
		({ id }) => id === result.id,
	);
	return (
		<>
			<div class="nbx-check-start">
				{earlier && restorable && store.online.value ? (
					<button
						type="button"
						class="nbx-button nbx-primary"
						onClick={() => restore(store, result.id)}
					>
						Show it again
					</button>
				) : (
					<button
						type="button"
						class="nbx-button nbx-primary nbx-check-it"
						disabled={!!hindered || wanted.length === 0}
						title={hindered || undefined}
						onClick={() => check(store, result)}
					>
						{verb(store, result, ticked)}
					</button>
				)}
				{!hindered && (
					<span class="nbx-soft">
						{wanted.length
							? `${count(wanted.length)}, ${about(seconds)}, in the background`
							: "tick what to check"}
					</span>
				)}
			</div>
			{hindered && <p class="nbx-soft nbx-check-why">{hindered}</p>}
		</>
	);
}

const count = (checks: number) => `${checks} check${checks === 1 ? "" : "s"}`;

function verb(store: Store, result: Result, ticked: string[]): string {
	const known = checksOf(store, result).filter(whole);
	if (known.length === 0) return "Check it";
	const again = ticked.every((name) => known.some((c) => c.name === name));
	return again ? "Check again" : "Check the rest";
}

function restore(store: Store, item: string) {
	store
		.ask({ kind: "history", action: "restore", item })
		.catch(() => undefined);
}

function Progress({ store, result }: Props) {
	const checks = store.traits._checks.value;
	const job = checks?.job as Job;
	const share = job.total > 0 ? job.done / job.total : 0;
	const now = checks?.underway.find(({ state }) => state === "running");
	const stopping = job.state === "cancelling";
	return (
		<>
			<div class="nbx-check-start">
				<div
					class="nbx-progress"
					role="progressbar"
					aria-label="checks"
					aria-valuemin={0}
					aria-valuemax={100}
					aria-valuenow={Math.round(100 * share)}
					style={{ "--share": share }}
				/>
				<span class="nbx-soft nbx-check-left">{remaining(job)}</span>
				<button
					type="button"
					class="nbx-button"
					disabled={stopping}
					onClick={() => stopChecking(store)}
				>
					{stopping ? "Stopping" : "Stop"}
				</button>
			</div>
			<p class="nbx-soft nbx-check-why">
				{checks?.result === result.id
					? `${now?.label.toLowerCase() ?? "starting"} …`
					: "Another result is being checked."}
			</p>
		</>
	);
}

/** The time left is said only once the estimate has had two seconds to settle. */
function remaining({ seconds, eta }: Job): string {
	if (seconds < 2 || eta === null) return `${seconds.toFixed(1)} s`;
	return `${about(eta)} left`;
}
