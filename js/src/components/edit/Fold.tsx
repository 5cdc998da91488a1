import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Icon } from "../controls/Icon";

interface Props {
	name: string;
	/** Said beside the heading while it is closed. */
	remark?: string;
	open?: boolean;
	children: ComponentChildren;
}

/** A section that opens by its heading. */
export function Fold({ name, remark, open = false, children }: Props) {
	const id = useId();
	const unfolded = useSignal(open);
	return (
		<section class="nbx-section nbx-fold" aria-labelledby={id}>
			<h3 id={id}>
				<button
					type="button"
					aria-expanded={unfolded.value}
					onClick={() => {
						unfolded.value = !unfolded.value;
					}}
				>
					<Icon name="chevron" />
					{name}
					{!unfolded.value && remark && <span>{remark}</span>}
				</button>
			</h3>
			{unfolded.value && children}
		</section>
	);
}
