import type { Store } from "../../model/store";
import { compared } from "../compare/compared";
import { Icon } from "../controls/Icon";
import { JobState } from "./JobState";
import { LayerPicker } from "./LayerPicker";
import { MethodPicker } from "./MethodPicker";
import { TargetPicker } from "./TargetPicker";

/** The three questions in the order of thought, then what the answer is costing. */
export function Header({ store }: { store: Store }) {
	return (
		<div class="nbx-header">
			<div class="nbx-pickers">
				<MethodPicker store={store} />
				<TargetPicker store={store} />
				<LayerPicker store={store} />
			</div>
			<div class="nbx-header-end">
				<JobState store={store} />
				<Actions store={store} />
			</div>
		</div>
	);
}

function Actions({ store }: { store: Store }) {
	const nothing =
		store.shown.value === null ? "nothing has been computed yet" : "";
	const reason = nothing || store.offlineReason.value;
	// Python draws the comparison, even where nothing else has been computed.
	const exportable = store.online.value && compared(store) !== null;
	const missing = exportable ? "" : nothing;
	const open = (name: string) => () => {
		store.ui.open.value = name;
	};
	return (
		<div class="nbx-actions">
			<button
				type="button"
				class="nbx-link"
				disabled={!!reason}
				title={reason || "code that reproduces this result"}
				onClick={open("code")}
			>
				code
			</button>
			<button
				type="button"
				class="nbx-link"
				disabled={!!missing}
				title={missing || "save as a figure or a page"}
				onClick={open("export")}
			>
				export <Icon name="chevron" />
			</button>
			<button
				type="button"
				class="nbx-link nbx-square"
				aria-label="keyboard and help"
				title="keyboard and help"
				onClick={open("help")}
			>
				?
			</button>
		</div>
	);
}
