import type { Job, StopRequest } from "../../model/protocol";
import type { Store } from "../../model/store";

const BUSY = new Set(["queued", "running", "cancelling"]);

export const busy = ({ state }: Job) => BUSY.has(state);

interface Props {
	store: Store;
	job: Job;
	panel: NonNullable<StopRequest["panel"]>;
	/** What is under way, for a screen reader. */
	label: string;
}

/** How far a panel's own work is, and the way to stop it. */
export function Progress({ store, job, panel, label }: Props) {
	const { state, done, total, eta, seconds } = job;
	const left = seconds >= 2 && eta !== null ? `${Math.ceil(eta)} s left` : "";
	return (
		<>
			<span class="nbx-soft nbx-figure">
				{state === "running" ? `${done} of ${total}` : state}
			</span>
			<div
				class="nbx-progress nbx-grow"
				role="progressbar"
				aria-label={label}
				aria-valuemin={0}
				aria-valuemax={total || undefined}
				aria-valuenow={total ? done : undefined}
				style={{ "--share": total ? done / total : 0 }}
			/>
			<span class="nbx-figure">{left}</span>
			<button
				type="button"
				class="nbx-button"
				disabled={state === "cancelling" || !store.online.value}
				onClick={() => {
					store.ask({ kind: "stop", panel }).catch(() => undefined);
				}}
			>
				Stop
			</button>
		</>
	);
}
