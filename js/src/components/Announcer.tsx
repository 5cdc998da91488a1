import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Job } from "../model/protocol";
import type { Store } from "../model/store";

/** Says what a screen reader should hear: a run's start, its quarters and its end, not each tick. */
export function Announcer({ store }: { store: Store }) {
	const { announcement } = store.ui;
	const said = useRef<Record<string, string>>({});
	const say = (what: string, job: Job) => {
		const text = sentence(what, job);
		if (text === (said.current[what] ?? "")) return;
		said.current[what] = text;
		announcement.value = text;
	};
	useSignalEffect(() => {
		const job = store.traits._job.value;
		if (job.phase !== "draft") say("explanation", job);
	});
	useSignalEffect(() => {
		const checks = store.traits._checks.value;
		if (checks) say("checks", checks.job);
	});
	return (
		<div class="nbx-hidden" aria-live="polite">
			{announcement.value}
		</div>
	);
}

function sentence(what: string, { state, done, total }: Job): string {
	const quarter = total > 0 ? 25 * Math.floor((4 * done) / total) : 0;
	const started = what === "checks" ? "checking" : "running";
	if (state === "running") return quarter ? `${quarter} % done` : started;
	if (state === "done") return `${what} done`;
	if (state === "cancelled") return `stopped at ${done} of ${total}`;
	return state === "error" ? "the run failed" : "";
}
