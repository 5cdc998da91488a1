import type { HistoryItem, HistoryRequest } from "../../model/protocol";
import { Icon } from "../controls/Icon";

type Action = HistoryRequest["action"];

interface Props {
	item: HistoryItem;
	/** False for the result that is current anyway. */
	earlier: boolean;
	/** Why nothing can be done without a kernel; empty when it can. */
	off: string;
	onAct: (action: Action) => void;
	onRename: () => void;
}

/** What can be done with the selected result. */
export function Actions({ item, earlier, off, onAct, onRename }: Props) {
	const button = (label: string, act: () => void, hint: string) => (
		<button
			type="button"
			class="nbx-link nbx-small"
			disabled={!!off}
			title={off || hint}
			onClick={act}
		>
			{label}
		</button>
	);
	return (
		<fieldset class="nbx-history-actions" aria-label={item.name}>
			{earlier &&
				button("restore", () => onAct("restore"), "go back to these settings")}
			<button
				type="button"
				class="nbx-link nbx-small"
				aria-pressed={item.pinned}
				disabled={!!off}
				title={off || "a pinned result is never dropped"}
				onClick={() => onAct(item.pinned ? "unpin" : "pin")}
			>
				<Icon name="pin" /> {item.pinned ? "pinned" : "pin"}
			</button>
			{button("rename", onRename, "F2 or double click")}
			{button("forget", () => onAct("forget"), "remove from the history")}
		</fieldset>
	);
}
