import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "../controls/Icon";

interface Props {
	title: string;
	onClose: () => void;
	children: ComponentChildren;
	/** Buttons at the foot. */
	actions?: ComponentChildren;
}

/** The native modal: the browser traps the focus, closes on Escape and gives the focus back. */
export function Dialog({ title, onClose, children, actions }: Props) {
	const dialog = useRef<HTMLDialogElement>(null);
	const id = useId();
	useLayoutEffect(() => {
		const element = dialog.current;
		element?.showModal();
		return () => element?.close();
	}, []);
	return (
		<dialog
			ref={dialog}
			class="nbx-dialog"
			aria-labelledby={id}
			onCancel={(event) => {
				event.preventDefault();
				onClose();
			}}
			// Neither Escape nor a letter may reach the widget's shortcuts behind the dialog.
			onKeyDown={(event) => event.stopPropagation()}
			onClick={(event) => {
				if (event.target === event.currentTarget) onClose();
			}}
		>
			<div class="nbx-dialog-body">
				<h2 id={id}>{title}</h2>
				{children}
				{actions && <div class="nbx-dialog-foot">{actions}</div>}
				{/* Last, so that the first control gets the focus. */}
				<button
					type="button"
					class="nbx-link nbx-square nbx-dialog-close"
					aria-label="close"
					onClick={onClose}
				>
					<Icon name="close" />
				</button>
			</div>
		</dialog>
	);
}
