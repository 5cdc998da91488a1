import { useEffect, useState } from "preact/hooks";
import { toBytes } from "../../model/decode";
import type { Picture } from "../../model/protocol";

/** A picture decoded once for all the canvases that draw it. */
export function useBitmap(picture: Picture): ImageBitmap | null {
	const [bitmap, setBitmap] = useState<ImageBitmap | null>(null);
	useEffect(() => {
		let gone = false;
		const blob = new Blob([toBytes(picture.data)], { type: picture.mime });
		createImageBitmap(blob).then(
			(decoded) => {
				if (gone) decoded.close();
				else setBitmap(decoded);
			},
			// A picture that cannot be decoded leaves the maps without a ground.
			() => undefined,
		);
		return () => {
			gone = true;
		};
	}, [picture]);
	return bitmap;
}
