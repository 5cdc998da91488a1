import { compact, parse } from "../controls/number";

interface Props {
	label: string;
	value: number | null;
	/** What holds where nothing is given. */
	otherwise: number | null;
	disabled?: boolean;
	onCommit: (value: number | null) => void;
}

/** One end of a range; empty where it is left open. */
export function Bound({ label, value, otherwise, disabled, onCommit }: Props) {
	const read = (event: Event) => {
		const input = event.currentTarget as HTMLInputElement;
		const typed = parse(input.value);
		const kept = input.value.trim() === "" ? null : (typed ?? value);
		input.value = kept === null ? "" : compact(kept);
		if (kept !== value) onCommit(kept);
	};
	return (
		<span class="nbx-number">
			<input
				type="text"
				inputMode="decimal"
				autocomplete="off"
				aria-label={label}
				placeholder={otherwise === null ? "" : compact(otherwise)}
				value={value === null ? "" : compact(value)}
				disabled={disabled}
				onChange={read}
			/>
		</span>
	);
}
