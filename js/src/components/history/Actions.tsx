import type { HistoryItem, HistoryRequest } from "../../model/protocol";
import { Icon } from "../controls/Icon";

type Action = HistoryRequest["action"];

interface Props {
	item: HistoryItem;
	/** True for an explanation that is not the current one. */
	earlier: boolean;
	onAct: (action: Action) => void;
	onRename: () => void;
}

/** What can be done with the selected result. */
export function Actions({ item, earlier, onAct, onRename }: Props) {
	const { name, pinned } = item;
	const button = (label: string, hint: string, act: () => void) => (
		<button type="button" class="nbx-link nbx-small" title={hint} onClick={act}>
			{label}
		</button>
	);
	return (
		<fieldset class="nbx-history-actions" aria-label={name}>
			{earlier &&
				button("restore", "go back to these settings", () => onAct("restore"))}
			<button
				type="button"
				class="nbx-link nbx-small"
				aria-pressed={pinned}
				title="a pinned result is kept longest"
				onClick={() => onAct(pinned ? "unpin" : "pin")}
			>
				<Icon name="pin" /> {pinned ? "pinned" : "pin"}
			</button>
			{button("rename", "F2 or double click", onRename)}
			{button("forget", "remove from the history", () => onAct("forget"))}
		</fieldset>
	);
}
