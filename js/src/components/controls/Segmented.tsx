import { useId } from "preact/hooks";
import { type Described, Field } from "./Field";
import type { Option } from "./Select";

interface Props<T extends string> extends Described {
	value: T;
	options: (Option<T> & { name?: string; disabled?: boolean })[];
	onCommit: (value: T) => void;
}

/** A row of choices. Native radios bring the roving focus and the arrow keys with them. */
export function Segmented<T extends string>(props: Props<T>) {
	const { label, help, disabled, value, options, onCommit } = props;
	const group = useId();
	return (
		<Field label={label} help={help} disabled={disabled}>
			<div class="nbx-segmented" role="radiogroup" aria-label={label}>
				{options.map((option) => (
					<label key={option.value}>
						<input
							type="radio"
							name={group}
							value={option.value}
							checked={option.value === value}
							disabled={disabled || option.disabled}
							title={option.name}
							onChange={() => onCommit(option.value)}
						/>
						<span>{option.label}</span>
					</label>
				))}
			</div>
		</Field>
	);
}
