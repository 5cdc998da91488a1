import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";

interface Props {
	class: string;
	label: string;
	help: string;
	/** Why nothing can be chosen now; empty when it can. */
	off: string;
	/** A whole folder is chosen instead of files. */
	folder?: boolean;
	onFiles: (files: File[]) => void;
	children: ComponentChildren;
}

/** A button that opens the file dialog for pictures. */
export function FileButton(props: Props) {
	const { label, help, off, folder, onFiles, children } = props;
	const input = useRef<HTMLInputElement>(null);
	return (
		<>
			<button
				type="button"
				class={props.class}
				aria-label={label}
				title={off || help}
				disabled={!!off}
				onClick={() => input.current?.click()}
			>
				{children}
			</button>
			<input
				ref={input}
				type="file"
				accept="image/*"
				multiple
				{...(folder ? { webkitdirectory: true } : {})}
				class="nbx-hidden"
				tabIndex={-1}
				aria-label={`${label}: files`}
				disabled={!!off}
				onChange={({ currentTarget }) => {
					onFiles([...(currentTarget.files ?? [])]);
					currentTarget.value = "";
				}}
			/>
		</>
	);
}
