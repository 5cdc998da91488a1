import { useEffect } from "preact/hooks";
import type { CropTool } from "../../model/concepts";
import type { Concepts } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Segmented } from "../controls/Segmented";
import { crop, square } from "./cropping";
import { destination } from "./sending";

const TOOLS: { value: CropTool | "off"; label: string; name: string }[] = [
	{ value: "off", label: "off", name: "a drag pans the picture" },
	{ value: "lasso", label: "lasso", name: "draw around a part of the picture" },
	{
		value: "rectangle",
		label: "rectangle",
		name: "drag over a part of the picture",
	},
];

/** Parts of the explained picture as examples: by a tool on the stage, or around the crosshair. */
export function Crop({ store, known }: { store: Store; known: Concepts }) {
	const { ui, traits } = store;
	const { tool } = ui.concepts;
	const off = store.offlineReason.value;
	const pixel = ui.crosshair.value;
	useEffect(
		() => () => {
			tool.value = null;
		},
		[],
	);
	return (
		<>
			<Segmented
				label="cut out"
				help="A part of the picture as an example."
				value={tool.value ?? "off"}
				options={TOOLS}
				disabled={!!off}
				onCommit={(next) => {
					tool.value = next === "off" ? null : next;
				}}
			/>
			<div class="nbx-note nbx-heads-note">
				<span>
					crops and pasted pictures go to <b>{destination(store, known)}</b>
				</span>
				<button
					type="button"
					class="nbx-button nbx-small"
					disabled={!!off || !pixel}
					title={off || "move the crosshair on the stage with the arrow keys"}
					onClick={() => {
						if (pixel) crop(store, square(pixel, traits._image.value));
					}}
				>
					cut out around the crosshair
				</button>
			</div>
		</>
	);
}
