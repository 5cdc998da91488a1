import { useMemo } from "preact/hooks";
import { colour, palette } from "../../color/colour";
import { rank } from "../../color/ranking";
import { decodeMap } from "../../model/decode";
import type { SummaryInfo } from "../../model/protocol";
import { Section } from "../panel/Section";
import { limitOf } from "../stage/painting";
import { fromPixels } from "../stage/raster";

const CLIP = 99.5;

/** Where in the pictures the magnitudes lie, on average. */
export function MeanMap({ info }: { info: SummaryInfo }) {
	const url = useMemo(() => {
		const map = info.map && decodeMap(info.map);
		if (!map) return "";
		const look = {
			...palette("inferno", false),
			limit: limitOf(rank(map), CLIP),
			floor: 0,
			sign: "both",
			alpha: "opaque",
		} as const;
		return fromPixels(colour(map, look), map.columns, map.rows).toDataURL();
	}, [info]);
	return (
		<Section name="where, on average">
			{url && (
				<img
					class="nbx-mean-map"
					src={url}
					alt="mean magnitude at each place"
				/>
			)}
		</Section>
	);
}
