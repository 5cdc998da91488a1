import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { type Described, Field } from "./Field";
import { Icon } from "./Icon";

export interface Option<T extends string> {
	value: T;
	label: string;
}

interface Props<T extends string> extends Described {
	value: T;
	options: Option<T>[];
	initial?: T;
	/** Drawn inside the box before the text, such as a swatch of the chosen colours. */
	before?: ComponentChildren;
	onCommit: (value: T) => void;
}

export function Select<T extends string>(props: Props<T>) {
	const { label, help, disabled, value, options, initial, before, onCommit } =
		props;
	const id = useId();
	const changed = initial !== undefined && initial !== value;
	return (
		<Field
			label={label}
			help={help}
			helpId={`${id}-help`}
			control={id}
			disabled={disabled}
			onReset={changed ? () => onCommit(initial) : null}
			resetTo={initial}
		>
			<div class="nbx-select">
				{before}
				<select
					id={id}
					value={value}
					disabled={disabled}
					aria-describedby={help ? `${id}-help` : undefined}
					onChange={(event) => onCommit(event.currentTarget.value as T)}
				>
					{options.map((option) => (
						<option key={option.value} value={option.value}>
							{option.label}
						</option>
					))}
				</select>
				<Icon name="chevron" />
			</div>
		</Field>
	);
}
