import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { SIZES } from "../../model/editor";
import { decodeRuns } from "../../model/runs";
import type { Store } from "../../model/store";
import { NumberField } from "../controls/NumberField";
import { reason } from "../controls/reason";
import { Segmented } from "../controls/Segmented";
import { Slider } from "../controls/Slider";
import { pressAt } from "../stage/Sketcher";
import { paintInside, paintLabel, paintStrongest, TOOLS } from "./strokes";

const PIECES = 50;

/** What pixels are chosen with; each drag has a way without one. */
export function Tools({ store }: { store: Store }) {
	const { tool, size } = store.ui.editor;
	const free = tool.value === "brush" || tool.value === "eraser";
	return (
		<>
			<div class="nbx-wide">
				<Segmented
					label="tool"
					help="Drag on the picture, or move the crosshair with the arrow keys and press Enter."
					value={tool.value ?? ("" as "brush")}
					options={TOOLS}
					onCommit={(next) => {
						tool.value = next;
					}}
				/>
			</div>
			{free && (
				<Slider
					label="size"
					help="Diameter of the brush; the keys , and . change it."
					value={size.value}
					minimum={SIZES.smallest}
					maximum={SIZES.largest}
					step={1}
					logarithmic
					unit="px"
					onDrag={(next) => {
						size.value = next;
					}}
					onCommit={(next) => {
						size.value = next;
					}}
				/>
			)}
			{tool.value === "rectangle" && <Rectangle store={store} />}
			{tool.value === "wand" && <Wand store={store} />}
			{tool.value === "lasso" && <AtCrosshair store={store} />}
			<Strongest store={store} />
		</>
	);
}

/** The same as Enter on the stage. */
function AtCrosshair({ store }: { store: Store }) {
	const pixel = store.ui.crosshair.value;
	const { corners } = store.ui.editor;
	return (
		<p class="nbx-note">
			<span>
				{corners.value.length > 0
					? `${corners.value.length} corners; Enter twice at the last closes it`
					: "or set corners: arrow keys and Enter on the stage"}
			</span>
			<button
				type="button"
				class="nbx-link nbx-small"
				disabled={!pixel}
				onClick={() => pixel && pressAt(store, pixel)}
			>
				corner at the crosshair
			</button>
		</p>
	);
}

/** A rectangle by numbers. */
function Rectangle({ store }: { store: Store }) {
	const { width, height } = store.traits._image.value;
	const box = useSignal({
		x: Math.round(width / 4),
		y: Math.round(height / 4),
		width: Math.round(width / 2),
		height: Math.round(height / 2),
	});
	const sides = [
		["x", width],
		["y", height],
		["width", width],
		["height", height],
	] as const;
	const add = () => {
		const { x, y, width: w, height: h } = box.value;
		const [right, bottom] = [x + w, y + h];
		paintInside(store, [
			{ x, y },
			{ x: right, y },
			{ x: right, y: bottom },
			{ x, y: bottom },
		]);
	};
	return (
		<div class="nbx-box">
			{sides.map(([side, most]) => (
				<span key={side} class="nbx-box-side">
					<span class="nbx-soft">{side}</span>
					<NumberField
						label={`${side} of the rectangle`}
						value={box.value[side]}
						scale={{ minimum: 0, maximum: most, step: 1, logarithmic: false }}
						onCommit={(next) => {
							box.value = { ...box.value, [side]: next };
						}}
					/>
				</span>
			))}
			<button type="button" class="nbx-button nbx-small" onClick={add}>
				Add
			</button>
		</div>
	);
}

/** Superpixels, taken by a click on the stage or by their number. */
function Wand({ store }: { store: Store }) {
	const { pieces, piece } = store.ui.editor;
	const count = useSignal(PIECES);
	const trouble = useSignal("");
	const picture = store.traits._image.value;
	useEffect(() => {
		let wanted = true;
		store
			.ask({ kind: "regions", regions: {}, segments: count.value })
			.then(({ answer: { labels }, buffers: [data] }) => {
				const [rows = 0, columns = 0] = labels?.shape ?? [];
				if (wanted)
					pieces.value = data ? decodeRuns(data, columns, rows) : null;
			})
			.catch((failure) => {
				trouble.value = reason(failure);
			});
		return () => {
			wanted = false;
			pieces.value = piece.value = null;
		};
	}, [picture, count.value]);
	const last = pieces.value?.labels.reduce((a, b) => Math.max(a, b), 0) ?? 0;
	return (
		<>
			<Slider
				label="superpixels"
				help="How many, roughly."
				value={count.value}
				minimum={4}
				maximum={400}
				step={1}
				logarithmic
				initial={PIECES}
				onCommit={(next) => {
					count.value = next;
				}}
			/>
			<div class="nbx-with-button">
				<Slider
					label="number"
					help="A superpixel by its number; a click on the picture takes one as well."
					value={(piece.value ?? 0) + 1}
					minimum={1}
					maximum={last + 1}
					step={1}
					disabled={!pieces.value}
					onDrag={(next) => {
						piece.value = next - 1;
					}}
					onCommit={(next) => {
						piece.value = next - 1;
					}}
				/>
				<button
					type="button"
					class="nbx-button nbx-small"
					disabled={!pieces.value}
					onClick={() => paintLabel(store, piece.value ?? 0)}
				>
					Add
				</button>
			</div>
			<p class="nbx-trouble" role="alert">
				{trouble.value}
			</p>
		</>
	);
}

/** The pixels that the map says matter most. */
function Strongest({ store }: { store: Store }) {
	const share = useSignal(10);
	const known = store.shown.value !== null;
	return (
		<div class="nbx-with-button">
			<Slider
				label="heatmap, top"
				help="The pixels that support the class most, as the map says."
				value={share.value}
				minimum={1}
				maximum={50}
				step={1}
				unit="%"
				disabled={!known}
				onDrag={(next) => {
					share.value = next;
				}}
				onCommit={(next) => {
					share.value = next;
				}}
			/>
			<button
				type="button"
				class="nbx-button nbx-small"
				disabled={!known}
				onClick={() => paintStrongest(store, share.value / 100)}
			>
				Add
			</button>
		</div>
	);
}
