import type { ComponentChildren } from "preact";
import { gradient, type Look } from "../../color/colour";

interface Props {
	look: Look;
	/** The magnitude at the ends of the bar. */
	reach: number;
	low: string;
	high: string;
	title?: string;
	onDblClick?: () => void;
	/** Handles on the bar. */
	children?: ComponentChildren;
}

/** The bar of colours with the values at its ends. */
export function Scale(props: Props) {
	const { look, reach, low, high, title, onDblClick, children } = props;
	const [from, to] = ends(look);
	return (
		<>
			<fieldset
				class="nbx-legend-bar"
				aria-label="scale of the colours"
				style={{ background: gradient(look, from * reach, to * reach) }}
				title={title}
				onDblClick={onDblClick}
			>
				{children}
			</fieldset>
			<div class="nbx-legend-text">
				<span>{low}</span>
				{from < 0 && to > 0 && <span class="nbx-legend-zero">0</span>}
				<span>{high}</span>
			</div>
		</>
	);
}

/** Where the bar begins and ends, in units of its reach. */
export function ends({ scale, sign }: Look): [number, number] {
	if (scale !== "signed" || sign === "positive") return [0, 1];
	return sign === "negative" ? [-1, 0] : [-1, 1];
}
