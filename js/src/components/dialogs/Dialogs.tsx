import type { Store } from "../../model/store";
import { CodeDialog } from "./CodeDialog";
import { ExportDialog } from "./ExportDialog";
import { HelpDialog } from "./HelpDialog";

const DIALOGS = { code: CodeDialog, export: ExportDialog, help: HelpDialog };

export interface DialogProps {
	store: Store;
	onClose: () => void;
}

export function Dialogs({ store }: { store: Store }) {
	const open = store.ui.open.value;
	const Current =
		open && open in DIALOGS && DIALOGS[open as keyof typeof DIALOGS];
	if (!Current) return null;
	return (
		<Current
			store={store}
			onClose={() => {
				store.ui.open.value = null;
			}}
		/>
	);
}
