import { useId } from "preact/hooks";
import type { Described } from "./Field";

interface Props extends Described {
	checked: boolean;
	onCommit: (checked: boolean) => void;
}

export function Checkbox({ label, help, disabled, checked, onCommit }: Props) {
	const id = useId();
	return (
		<div class={`nbx-check${disabled ? " nbx-off" : ""}`} title={help}>
			<label>
				<span>{label}</span>
				<input
					type="checkbox"
					checked={checked}
					disabled={disabled}
					aria-describedby={help ? id : undefined}
					onChange={(event) => onCommit(event.currentTarget.checked)}
				/>
			</label>
			{help && (
				<span id={id} hidden>
					{help}
				</span>
			)}
		</div>
	);
}
