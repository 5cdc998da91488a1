import type { ComponentChildren } from "preact";
import type { Picture } from "../../model/protocol";
import { useUrl } from "../controls/Thumbnail";

interface Props {
	strip: Picture;
	/** Which of its squares are shown. */
	places: number[];
	children: (square: ComponentChildren, place: number) => ComponentChildren;
}

/** Squares that lie side by side in one picture, each shown by itself. */
export function Strip({ strip, places, children }: Props) {
	const url = useUrl(strip);
	const square = (place: number) => (
		<span
			class="nbx-square-picture"
			style={{
				backgroundImage: url && `url(${url})`,
				backgroundPosition: `calc(var(--square) * ${-place}) 0`,
			}}
		/>
	);
	return <>{places.map((place) => children(square(place), place))}</>;
}
