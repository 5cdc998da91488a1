import type { Picture } from "../../model/protocol";
import { Thumbnail } from "../controls/Thumbnail";

interface Props {
	pictures: Picture[];
	label: string;
}

/** Small pictures, first to last. */
export function Strip({ pictures, label }: Props) {
	if (pictures.length === 0) return null;
	return (
		<div class="nbx-strip" role="img" aria-label={label}>
			{pictures.map((picture, i) => (
				<Thumbnail key={i} picture={picture} />
			))}
		</div>
	);
}
