import type { Job } from "../../model/protocol";
import type { Store } from "../../model/store";

const BUSY = new Set(["queued", "running", "cancelling"]);

/** What the worker is doing, and the one button that goes with it. */
export function JobState({ store }: { store: Store }) {
	const job = store.traits._job.value;
	const busy = BUSY.has(job.state);
	const waiting = store.waiting.value;
	return (
		<div class="nbx-job">
			{waiting ? (
				<span class="nbx-job-text nbx-cut">
					waiting for the kernel (a cell is running)
				</span>
			) : busy ? (
				<Progress job={job} />
			) : (
				<span class="nbx-job-text nbx-cut">{ended(job)}</span>
			)}
			{busy ? (
				<Stop store={store} stopping={job.state === "cancelling"} />
			) : (
				<Start store={store} />
			)}
		</div>
	);
}

function seconds(value: number): string {
	if (value < 10) return `${value.toFixed(1)} s`;
	if (value < 100) return `${Math.round(value)} s`;
	return `${Math.round(value / 60)} min`;
}

function ended(job: Job): string {
	if (job.state === "done")
		return `${job.phase === "draft" ? "draft" : "done"} in ${seconds(job.seconds)}`;
	if (job.state === "cancelled")
		return `stopped at ${job.done} of ${job.total}`;
	if (job.state === "error") return "failed";
	return "";
}

/** The time left is said only once the estimate has had two seconds to settle. */
function Progress({ job }: { job: Job }) {
	const { state, done, total, note, eta } = job;
	const known = total > 0;
	const left = job.seconds >= 2 && eta !== null;
	const text =
		state === "cancelling"
			? "stopping"
			: state === "queued"
				? "queued"
				: known
					? `${done} of ${total}`
					: note || "running";
	return (
		<>
			<span class="nbx-job-text" title={note || undefined}>
				{text}
			</span>
			<div
				class="nbx-progress"
				role="progressbar"
				aria-label={note || "progress"}
				aria-valuemin={0}
				aria-valuemax={known ? total : undefined}
				aria-valuenow={known ? done : undefined}
				style={{ "--share": known ? done / total : 0 }}
			/>
			<span class="nbx-figure">
				{left ? `${seconds(eta)} left` : seconds(job.seconds)}
			</span>
		</>
	);
}

/** A stop or a run that cannot be sent is told by `online`; there is nothing to add here. */
function send(store: Store, kind: "run" | "stop" | "resume") {
	store.ask({ kind }).catch(() => undefined);
}

function Stop({ store, stopping }: { store: Store; stopping: boolean }) {
	return (
		<button
			type="button"
			class="nbx-button"
			disabled={stopping || !store.online.value}
			onClick={() => send(store, "stop")}
		>
			Stop <kbd>Esc</kbd>
		</button>
	);
}

function Start({ store }: { store: Store }) {
	const { state, resumable } = store.traits._job.value;
	const needed = store.shown.value === null || store.outdated.value;
	const resume = state === "cancelled" && resumable && !store.outdated.value;
	const off = store.offlineReason.value;
	if (!needed && !resume) return null;
	return (
		<button
			type="button"
			class="nbx-button nbx-primary"
			disabled={!!off}
			title={off || undefined}
			onClick={() => send(store, resume ? "resume" : "run")}
		>
			{resume ? "Resume" : "Run"}
		</button>
	);
}
