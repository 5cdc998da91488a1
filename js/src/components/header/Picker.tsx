import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Store } from "../../model/store";
import { Icon } from "../controls/Icon";
import { Popover } from "../controls/Popover";

interface Props {
	store: Store;
	/** The name under which `ui.open` opens it. */
	name: string;
	caption: string;
	value: string;
	/** A number behind the value, such as the probability. */
	note?: string;
	/** Why nothing can be picked here; empty when something can. */
	disabled?: string;
	/** What to pick from, drawn while open. */
	children: (close: () => void) => ComponentChildren;
}

/** One of the three questions of the header: a button that says the answer and opens the choice. */
export function Picker(props: Props) {
	const { store, name, caption, value, note, disabled, children } = props;
	const button = useRef<HTMLButtonElement>(null);
	const open = store.ui.open.value === name && !disabled;
	const close = () => {
		if (store.ui.open.value === name) store.ui.open.value = null;
	};
	return (
		<div class={`nbx-picker nbx-picker-${name}`}>
			<button
				ref={button}
				type="button"
				class="nbx-picker-button"
				aria-haspopup="dialog"
				aria-expanded={open}
				disabled={!!disabled}
				title={disabled || `${value}${note ? ` ${note}` : ""}`}
				onClick={() => {
					store.ui.open.value = open ? null : name;
				}}
			>
				<span class="nbx-picker-caption">{caption}</span>
				<span class="nbx-picker-value">
					<span class="nbx-cut">{value}</span>
					{note && <span class="nbx-picker-note">{note}</span>}
				</span>
				<Icon name="chevron" />
			</button>
			{open && (
				<Popover label={caption} anchor={button} onClose={close}>
					{children(close)}
				</Popover>
			)}
		</div>
	);
}
