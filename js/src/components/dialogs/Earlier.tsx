import type { Store } from "../../model/store";

interface Props {
	store: Store;
	what: string;
}

/** Python knows the current result only: what is merely looked at has to become current first. */
export function Earlier({ store, what }: Props) {
	const restore = () => {
		const item = store.ui.looking.peek();
		if (item)
			store
				.ask({ kind: "history", action: "restore", item })
				.then(() => {
					store.ui.looking.value = null;
				})
				.catch(() => undefined);
	};
	return (
		<div class="nbx-dialog-warning" role="status">
			You are looking at an earlier result. Restored, it can be {what}.
			<button type="button" class="nbx-button" onClick={restore}>
				Restore
			</button>
		</div>
	);
}
