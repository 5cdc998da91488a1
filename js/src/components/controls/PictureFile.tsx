import type { RefObject } from "preact";

interface Props {
	label: string;
	/** What opens it: a hidden input is clicked by the control that people see. */
	input: RefObject<HTMLInputElement | null>;
	onChoose: (picture: File | undefined) => void;
}

export function PictureFile({ label, input, onChoose }: Props) {
	return (
		<input
			ref={input}
			type="file"
			accept="image/*"
			class="nbx-hidden"
			tabIndex={-1}
			aria-label={label}
			onChange={({ currentTarget }) => {
				onChoose(currentTarget.files?.[0]);
				// The same file can be chosen again.
				currentTarget.value = "";
			}}
		/>
	);
}
