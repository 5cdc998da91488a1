import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Props {
	name: string;
	/** At the right end of the heading: a button or a remark. */
	aside?: ComponentChildren;
	dim?: boolean;
	children: ComponentChildren;
}

export function Section({ name, aside, dim, children }: Props) {
	const id = useId();
	return (
		<section
			class={`nbx-section${dim ? " nbx-dim" : ""}`}
			aria-labelledby={id}
			data-section={name}
		>
			<div class="nbx-section-head">
				<h3 id={id}>{name}</h3>
				{aside}
			</div>
			{children}
		</section>
	);
}
