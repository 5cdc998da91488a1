import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";

interface Props {
	label: string;
	text: () => string;
}

/** Copies text and says whether it worked: clipboards are often refused inside frames. */
export function CopyButton({ label, text }: Props) {
	const said = useSignal("");
	const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
	const say = (word: string) => {
		said.value = word;
		clearTimeout(timer.current);
		timer.current = setTimeout(() => {
			said.value = "";
		}, 2000);
	};
	const copy = async (event: Event) => {
		const host = event.currentTarget as HTMLElement;
		const done = (await written(text())) || selected(text(), host);
		say(done ? "copied" : "could not copy");
	};
	return (
		<button type="button" class="nbx-button" onClick={copy}>
			<span aria-live="polite">{said.value || label}</span>
		</button>
	);
}

async function written(text: string): Promise<boolean> {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		return false;
	}
}

/** The way without permission: select a field beside the button and let the browser copy it. */
function selected(text: string, host: HTMLElement): boolean {
	const field = document.createElement("textarea");
	field.value = text;
	field.className = "nbx-hidden";
	host.after(field);
	field.select();
	const done = document.execCommand?.("copy") ?? false;
	field.remove();
	host.focus();
	return done;
}
