import { useEffect, useState } from "preact/hooks";
import { toBytes } from "../../model/decode";
import type { Picture } from "../../model/protocol";

/** A decoded picture, given back to the browser when it is no longer shown. */
export function Thumbnail({ picture }: { picture: Picture }) {
	const [url, setUrl] = useState("");
	useEffect(() => {
		const blob = new Blob([toBytes(picture.data)], { type: picture.mime });
		const made = URL.createObjectURL(blob);
		setUrl(made);
		return () => URL.revokeObjectURL(made);
	}, [picture]);
	return url ? <img src={url} alt="" draggable={false} /> : null;
}
