import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { CopyButton } from "../controls/CopyButton";
import { reason } from "../controls/reason";
import { Dialog } from "./Dialog";
import type { DialogProps } from "./Dialogs";
import { Earlier } from "./Earlier";

export function CodeDialog({ store, onClose }: DialogProps) {
	const code = useSignal<string | null>(null);
	const trouble = useSignal("");
	const earlier = store.ui.looking.value !== null;
	useEffect(() => {
		if (earlier) return;
		store
			.ask({ kind: "code" })
			.then(({ answer }) => {
				code.value = answer.code ?? "";
			})
			.catch((failure) => {
				trouble.value = reason(failure);
			});
	}, [store, code, trouble, earlier]);
	return (
		<Dialog
			title="The code of this result"
			onClose={onClose}
			actions={
				code.value && <CopyButton label="copy" text={() => code.value ?? ""} />
			}
		>
			<p class="nbx-soft">
				Runs without the widget and gives the same map: same seed, same
				parameters.
			</p>
			{earlier && <Earlier store={store} what="written as code" />}
			{trouble.value ? (
				<p class="nbx-trouble" role="alert">
					{trouble.value}
				</p>
			) : (
				<pre class="nbx-code" aria-busy={code.value === null}>
					{code.value ?? "…"}
				</pre>
			)}
		</Dialog>
	);
}
