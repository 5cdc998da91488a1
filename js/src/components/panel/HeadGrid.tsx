import { batch, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { colour, type Look, palette } from "../../color/colour";
import { rank } from "../../color/ranking";
import type { Heads, Result } from "../../model/protocol";
import type { Head, Heatmap, Store } from "../../model/store";
import { limitOf } from "../stage/painting";
import { context } from "../stage/raster";
import { nameOf } from "../stage/scene";
import { useAttention } from "./attended";
import { Section } from "./Section";

const CLICK = "layers down, heads across; a click enlarges";
const POINT = "point at a patch to see where it attends";

interface Props {
	store: Store;
	result: Result;
	heads: Heads;
	/** Belongs to the result before the one that is being computed. */
	outdated: boolean;
}

/** Every attention head as a stamp; one of them can be enlarged on the stage. */
export function HeadGrid({ store, result, heads, outdated }: Props) {
	const { head, attended } = store.ui;
	const { rows, trouble } = useAttention(store, result, heads);
	const enlarge = (next: Head | null) =>
		batch(() => {
			// What a patch of the last head attends to is not what this one does.
			attended.value = null;
			head.value = next;
		});
	const toggle = (next: Head) =>
		enlarge(same(head.value, next) ? null : { ...next });
	const missing = rows.length === 0 && store.offlineReason.value;
	return (
		<Section
			name="heads"
			dim={outdated}
			aside={
				<button
					type="button"
					class="nbx-link nbx-small"
					disabled={head.value === null}
					onClick={() => enlarge(null)}
				>
					whole result
				</button>
			}
		>
			{rows.length > 0 && (
				<Stamps store={store} rows={rows} onChoose={toggle} />
			)}
			<div class="nbx-note nbx-heads-note">
				<span>
					{missing ||
						trouble ||
						(head.value && store.online.value ? POINT : CLICK)}
				</span>
				{head.value && <ExplainHead store={store} head={head.value} />}
			</div>
		</Section>
	);
}

function same(a: Head | null, b: Head): boolean {
	return a?.layer === b.layer && a.head === b.head;
}

/** Only the method that shows one head can be asked for one. */
function ExplainHead({ store, head }: { store: Store; head: Head }) {
	const { method, params } = store.traits;
	if (method.value !== "attention_raw") return null;
	const off = store.offlineReason.value;
	return (
		<button
			type="button"
			class="nbx-button nbx-small"
			disabled={!!off}
			title={off || undefined}
			onClick={() =>
				store.set({
					params: { ...params.value, block: head.layer, head: head.head },
				})
			}
		>
			explain this head
		</button>
	);
}

interface StampsProps {
	store: Store;
	rows: Heatmap[][];
	onChoose: (head: Head) => void;
}

/** One stop for Tab, walked by the arrow keys. */
function Stamps({ store, rows, onChoose }: StampsProps) {
	const table = useRef<HTMLTableElement>(null);
	const reachable = useSignal<Head>({ layer: 0, head: 0 });
	const across = rows[0]?.length ?? 0;
	const headOf = (column: number) => (column === across - 1 ? -1 : column);
	const onKeyDown = (event: KeyboardEvent, row: number, column: number) => {
		const to = {
			ArrowRight: [row, column + 1],
			ArrowLeft: [row, column - 1],
			ArrowDown: [row + 1, column],
			ArrowUp: [row - 1, column],
			Home: [row, 0],
			End: [row, across - 1],
		}[event.key];
		if (!to) return;
		event.preventDefault();
		// Both have a heading before them.
		const [down, right] = to.map((at) => at + 1) as [number, number];
		table.current?.rows[down]?.cells[right]?.querySelector("button")?.focus();
	};
	return (
		<div class="nbx-heads">
			<table
				ref={table}
				// biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: its cells are walked by the arrow keys
				role="grid"
				aria-label="attention heads"
				style={{ "--across": across }}
			>
				<thead>
					<tr>
						<td />
						{rows[0]?.map((_, column) => (
							<th key={headOf(column)} scope="col" class="nbx-figure">
								{headOf(column) < 0 ? "mean" : column}
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{rows.map((maps, layer) => (
						<tr key={`layer ${layer}`}>
							<th scope="row" class="nbx-figure">
								{layer}
							</th>
							{maps.map((map, column) => {
								const head = { layer, head: headOf(column) };
								return (
									<td key={head.head}>
										<Stamp
											store={store}
											map={map}
											head={head}
											reachable={same(reachable.value, head)}
											onFocus={() => {
												reachable.value = head;
											}}
											onClick={() => onChoose(head)}
											onKeyDown={(event) => onKeyDown(event, layer, column)}
										/>
									</td>
								);
							})}
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}

interface StampProps {
	store: Store;
	map: Heatmap;
	head: Head;
	reachable: boolean;
	onFocus: () => void;
	onClick: () => void;
	onKeyDown: (event: KeyboardEvent) => void;
}

function Stamp({ store, map, head, reachable, ...handlers }: StampProps) {
	const canvas = useRef<HTMLCanvasElement>(null);
	const { colormap, clip } = store.traits;
	useLayoutEffect(() => {
		const draw = canvas.current && context(canvas.current);
		const look: Look = {
			...palette(colormap.value, false),
			limit: limitOf(rank(map), clip.value),
			floor: 0,
			sign: "both",
			alpha: "opaque",
		};
		draw?.putImageData(
			new ImageData(colour(map, look), map.columns, map.rows),
			0,
			0,
		);
	}, [map, colormap.value, clip.value]);
	return (
		<button
			type="button"
			class="nbx-stamp"
			tabIndex={reachable ? 0 : -1}
			aria-label={nameOf(head)}
			aria-pressed={same(store.ui.head.value, head)}
			title={nameOf(head)}
			{...handlers}
		>
			<canvas ref={canvas} width={map.columns} height={map.rows} />
		</button>
	);
}
