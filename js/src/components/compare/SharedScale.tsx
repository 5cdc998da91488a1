import { palette } from "../../color/colour";
import type { Comparison } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Checkbox } from "../controls/Checkbox";
import { percentileName, signed } from "../stage/numbers";
import { ends, Scale } from "../stage/Scale";
import type { Measures } from "./measured";

interface Props {
	store: Store;
	measures: Measures;
	kind: Comparison["kind"];
}

/** The one scale of all compared maps: shares of each map's own limit, or the unit they share. */
export function SharedScale({ store, measures, kind }: Props) {
	const { traits, ui } = store;
	const { sign, colormap, clip } = traits;
	const shared = measures.limit.value;
	const reach = shared ?? 1;
	const look = {
		...palette(
			colormap.value,
			measures.signed.value && sign.value !== "absolute",
		),
		limit: reach,
		floor: 0,
		sign: sign.value,
		alpha: "opaque" as const,
	};
	const [from, to] = ends(look);
	const limit = percentileName(clip.value);
	return (
		<div class="nbx-legend">
			<Scale
				look={look}
				reach={reach}
				low={signed(from * reach)}
				high={signed(to * reach)}
			/>
			<div class="nbx-shared">
				<span>
					{shared === null
						? `each map relative to its own ${limit}`
						: `one limit for all: the largest ${limit}`}
				</span>
				{kind === "targets" && (
					<Checkbox
						label="same units"
						help="One limit for all classes: their attributions have the same unit."
						checked={ui.sameUnits.value}
						onCommit={(same) => {
							ui.sameUnits.value = same;
						}}
					/>
				)}
			</div>
		</div>
	);
}
