import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Job } from "../model/protocol";
import type { Store } from "../model/store";

/** Says what a screen reader should hear: a run's start, its quarters and its end, not each tick. */
export function Announcer({ store }: { store: Store }) {
	const { announcement } = store.ui;
	const said = useRef("");
	useSignalEffect(() => {
		const job = store.traits._job.value;
		if (job.phase === "draft") return;
		const text = sentence(job);
		if (text === said.current) return;
		said.current = text;
		announcement.value = text;
	});
	return (
		<div class="nbx-hidden" aria-live="polite">
			{announcement.value}
		</div>
	);
}

function sentence({ state, done, total }: Job): string {
	const quarter = total > 0 ? 25 * Math.floor((4 * done) / total) : 0;
	if (state === "running") return quarter ? `${quarter} % done` : "running";
	if (state === "done") return "explanation done";
	if (state === "cancelled") return `stopped at ${done} of ${total}`;
	return state === "error" ? "the run failed" : "";
}
