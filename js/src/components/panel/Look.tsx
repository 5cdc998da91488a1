import { colormapName, gradient, palette } from "../../color/colour";
import { TABLES } from "../../color/tables";
import type { Sign } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Checkbox } from "../controls/Checkbox";
import { Segmented } from "../controls/Segmented";
import { Select } from "../controls/Select";
import { Slider } from "../controls/Slider";
import { Section } from "./Section";

const SIGNS: { value: Sign; label: string; name: string }[] = [
	{ value: "both", label: "both", name: "support and opposition" },
	{ value: "positive", label: "+", name: "support only" },
	{ value: "negative", label: "−", name: "opposition only" },
	{ value: "absolute", label: "|x|", name: "magnitude" },
];

/** Everything here is drawn at once and needs no kernel. */
export function Look({ store, signed }: { store: Store; signed: boolean }) {
	const { opacity, clip, threshold, sign, native } = store.traits;
	return (
		<Section name="look">
			<Slider
				label="opacity"
				value={opacity.value}
				minimum={0}
				maximum={1}
				step={0.01}
				initial={0.55}
				onDrag={(next) => store.set({ opacity: next })}
				onCommit={(next) => store.set({ opacity: next })}
			/>
			<Slider
				label="clip"
				help="Magnitudes above this percentile get the end of the colours."
				unit="%"
				value={clip.value}
				minimum={80}
				maximum={100}
				step={0.1}
				initial={99.5}
				onDrag={(next) => clipAt(store, next)}
				onCommit={(next) => clipAt(store, next)}
			/>
			<Slider
				label="threshold"
				help="Magnitudes below this percentile are left out."
				unit="%"
				value={threshold.value}
				minimum={0}
				maximum={100}
				step={1}
				initial={0}
				onDrag={(next) => store.set({ threshold: next })}
				onCommit={(next) => store.set({ threshold: next })}
			/>
			<Colours store={store} signed={signed} />
			{signed && (
				<Segmented
					label="sign"
					value={sign.value}
					options={SIGNS}
					onCommit={(next) => store.set({ sign: next })}
				/>
			)}
			<Checkbox
				label="native cells"
				help="Draw the cells that were computed, not a smooth map between them."
				checked={native.value}
				onCommit={(next) => store.set({ native: next })}
			/>
		</Section>
	);
}

/** A legend end that was set by hand would hide what the percentile does. */
function clipAt(store: Store, clip: number) {
	store.ui.limit.value = null;
	store.set({ clip });
}

function Colours({ store, signed }: { store: Store; signed: boolean }) {
	const { colormap, sign } = store.traits;
	const twoSided = signed && sign.value !== "absolute";
	const automatic = colormapName("auto", twoSided);
	const swatch = gradient(
		{
			...palette(colormap.value, twoSided),
			limit: 1,
			floor: 0,
			sign: "both",
			alpha: "opaque",
		},
		twoSided ? -1 : 0,
		1,
	);
	return (
		<Select
			label="colours"
			value={colormap.value}
			initial="auto"
			options={[
				{ value: "auto", label: `automatic (${automatic})` },
				...Object.keys(TABLES).map((name) => ({ value: name, label: name })),
			]}
			before={<span class="nbx-swatch" style={{ background: swatch }} />}
			onCommit={(next) => store.set({ colormap: next })}
		/>
	);
}
