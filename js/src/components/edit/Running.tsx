import type { ComponentChildren } from "preact";
import type { Edits } from "../../model/protocol";
import type { Store } from "../../model/store";
import { busy, Progress } from "../panel/Progress";
import { Way } from "./Way";

export function running({ traits }: Store): boolean {
	const edits = traits._edits.value;
	return !!edits && busy(edits.job);
}

interface Props {
	store: Store;
	task: Edits["task"];
	label: string;
	/** The button that begins it. */
	children: ComponentChildren;
}

/** The button, or how far what it began is; and why that failed. */
export function Running({ store, task, label, children }: Props) {
	const edits = store.traits._edits.value;
	const mine = edits?.task === task;
	const walk = mine ? edits.walk : null;
	return (
		<>
			<div class="nbx-find">
				{edits && mine && busy(edits.job) ? (
					<Progress store={store} job={edits.job} panel="edits" label={label} />
				) : (
					children
				)}
			</div>
			{walk && <Way way={walk.way} iterates={walk.iterates} />}
			{mine && edits.error && (
				<div class="nbx-failed" role="alert">
					<b>{edits.error.title}</b>
					<p>{edits.error.hint}</p>
				</div>
			)}
		</>
	);
}
