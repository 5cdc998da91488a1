import type { ComponentChildren } from "preact";

export interface Described {
	label: string;
	/** One line: a tooltip for the mouse and a description for a screen reader. */
	help?: string;
	disabled?: boolean;
}

interface Props extends Described {
	/** The id of the control that the label belongs to; without it the row is a group. */
	control?: string;
	helpId?: string;
	/** The way back to the default, only when there is something to go back from. */
	onReset?: (() => void) | null;
	resetTo?: string;
	children: ComponentChildren;
}

/** A row: label on the left, control on the right. */
export function Field(props: Props) {
	const { label, help, disabled, control, helpId, onReset, resetTo, children } =
		props;
	return (
		<div class={`nbx-field${disabled ? " nbx-off" : ""}`} title={help}>
			<div class="nbx-field-label">
				{control ? <label for={control}>{label}</label> : <span>{label}</span>}
				{onReset && !disabled && (
					<button
						type="button"
						class="nbx-reset"
						aria-label={`reset ${label} to ${resetTo}`}
						title={`reset to ${resetTo}`}
						onClick={onReset}
					/>
				)}
			</div>
			{children}
			{help && (
				<span id={helpId} hidden>
					{help}
				</span>
			)}
		</div>
	);
}
