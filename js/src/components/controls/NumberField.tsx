import { compact, parse, type Scale, snap } from "./number";

interface Props {
	label: string;
	value: number;
	unit?: string;
	scale: Scale;
	disabled?: boolean;
	onCommit: (value: number) => void;
}

/** The typed way to a slider's value: text that is no number, or the same number, changes nothing. */
export function NumberField(props: Props) {
	const { label, value, unit, scale, disabled, onCommit } = props;
	const commit = (next: number) => {
		const snapped = snap(next, scale);
		if (snapped !== value) onCommit(snapped);
	};
	const read = (event: Event) => {
		const input = event.currentTarget as HTMLInputElement;
		const typed = parse(input.value);
		input.value = compact(typed === null ? value : snap(typed, scale));
		if (typed !== null) commit(typed);
	};
	const onKeyDown = (event: KeyboardEvent) => {
		const steps = { ArrowUp: 1, ArrowDown: -1 }[event.key];
		if (steps === undefined) return;
		event.preventDefault();
		const step = scale.step || (scale.maximum - scale.minimum) / 100;
		commit(value + steps * step * (event.shiftKey ? 10 : 1));
	};
	return (
		<label class="nbx-number">
			<input
				type="text"
				inputMode="decimal"
				autocomplete="off"
				aria-label={unit ? `${label} in ${unit}` : label}
				value={compact(value)}
				disabled={disabled}
				onChange={read}
				onKeyDown={onKeyDown}
			/>
			{unit && <span aria-hidden="true">{unit}</span>}
		</label>
	);
}
