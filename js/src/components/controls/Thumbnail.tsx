import { useEffect, useState } from "preact/hooks";
import { toBytes } from "../../model/decode";
import type { Picture } from "../../model/protocol";

/** An address of a picture, given back to the browser when it is no longer used. */
export function useUrl(picture: Picture): string {
	const [url, setUrl] = useState("");
	useEffect(() => {
		const blob = new Blob([toBytes(picture.data)], { type: picture.mime });
		const made = URL.createObjectURL(blob);
		setUrl(made);
		return () => URL.revokeObjectURL(made);
	}, [picture]);
	return url;
}

export function Thumbnail({ picture }: { picture: Picture }) {
	const url = useUrl(picture);
	return url ? <img src={url} alt="" draggable={false} /> : null;
}
