import { useSignal } from "@preact/signals";
import type { Ask, Store } from "../../model/store";
import { CopyButton } from "../controls/CopyButton";
import { reason } from "../controls/reason";
import { download } from "./download";

interface Props {
	store: Store;
	/** What is answered by the code, or by a file. */
	request: Ask;
}

/** Fetches the code of something; then the button copies it. */
export function CodeButton({ store, request }: Props) {
	const code = useSignal<string | null>(null);
	const off = store.offlineReason.value;
	const ask = async () => {
		try {
			const { answer } = await store.ask(request);
			code.value = answer.code ?? "";
		} catch (failure) {
			code.value = reason(failure);
		}
	};
	if (code.value !== null)
		return <CopyButton label="Copy the code" text={() => code.value ?? ""} />;
	return (
		<button
			type="button"
			class="nbx-button nbx-small"
			disabled={!!off}
			title={off || "the code that makes it without the widget"}
			onClick={ask}
		>
			Code
		</button>
	);
}

interface FileProps extends Props {
	label?: string;
	onTrouble: (why: string) => void;
}

/** Fetches a file and hands it to the browser; why that failed is told. */
export function FigureButton({
	store,
	request,
	label = "Figure",
	onTrouble,
}: FileProps) {
	const off = store.offlineReason.value;
	const ask = async () => {
		try {
			const { answer, buffers } = await store.ask(request);
			const data = buffers[0] as DataView<ArrayBuffer>;
			const file = new Blob([data], { type: answer.mime });
			download(file, answer.filename ?? "nbxplain.png");
		} catch (failure) {
			onTrouble(reason(failure));
		}
	};
	return (
		<button
			type="button"
			class="nbx-button nbx-small"
			disabled={!!off}
			title={off || undefined}
			onClick={ask}
		>
			{label}
		</button>
	);
}
