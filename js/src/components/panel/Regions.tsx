import { batch, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import {
	alike,
	type Division,
	paintable,
	remove,
	rename,
	unpainted,
} from "../../model/painted";
import { repaint, startWith, walkPainted } from "../../model/painting";
import type { Control } from "../../model/protocol";
import { decodeRuns, encodeRuns } from "../../model/runs";
import type { Store, Tool } from "../../model/store";
import { Form } from "../controls/Form";
import { Icon } from "../controls/Icon";
import { reason } from "../controls/reason";
import { Segmented } from "../controls/Segmented";
import { Undo } from "../controls/Undo";
import { paintOn } from "../stage/Painter";
import { Section } from "./Section";

type Values = Record<string, unknown>;
type Kind = "superpixels" | "grid" | "painted";

const KINDS: { value: Kind; label: string }[] = [
	{ value: "superpixels", label: "superpixels" },
	{ value: "grid", label: "grid" },
	{ value: "painted", label: "painted" },
];
const TOOLS: { value: Tool; label: string }[] = [
	{ value: "lasso", label: "lasso" },
	{ value: "rectangle", label: "rectangle" },
	{ value: "superpixel", label: "superpixel" },
];
const GRID = { kind: "grid", rows: 7, columns: 7 };
const FINEST_GRID = 32;
const SEGMENTS = 50;
const LONGEST_NAME = 60;

/** Which parts of the picture are left out and put back: as Python divides it, or as painted. */
export function Regions({ store }: { store: Store }) {
	const { ui, traits, offlineReason } = store;
	const regions = traits.regions.value;
	const painting = useSignal(false);
	const used = useSignal(false);
	const trouble = useSignal("");
	const divide = useDivide(store);
	const fail = (failure: unknown) => {
		trouble.value = reason(failure);
	};
	const kind = painting.value ? "painted" : kindOf(regions);
	const off = offlineReason.value;
	const shown = used.value && kind !== "painted" && !off;
	const segments = traits.params.value.segments;
	useEffect(() => {
		let wanted = shown;
		if (shown)
			divide(regions).then((division) => {
				if (wanted) ui.outlined.value = division;
			}, fail);
		return () => {
			wanted = false;
			ui.outlined.value = null;
		};
	}, [shown, regions, segments]);
	const choose = (next: Kind) => {
		trouble.value = "";
		painting.value = next === "painted";
		if (next !== "painted") store.set({ regions: next === "grid" ? GRID : {} });
	};
	return (
		<Section
			name="regions"
			aside={kind === "painted" && !off && <Steps store={store} />}
		>
			<div
				onPointerEnter={() => {
					used.value = true;
				}}
				onPointerLeave={() => {
					used.value = false;
				}}
				onFocusIn={() => {
					used.value = true;
				}}
				onFocusOut={() => {
					used.value = false;
				}}
			>
				<Segmented
					label="divided into"
					help="The parts that are left out and put back."
					value={kind}
					options={KINDS}
					disabled={!!off}
					onCommit={choose}
				/>
				{kind === "grid" && (
					<Form
						controls={[side("rows"), side("columns")]}
						values={regions}
						disabled={!!off}
						onDrag={(next) => store.draft({ regions: next })}
						onCommit={(next) => store.set({ regions: next })}
					/>
				)}
				{kind === "painted" && !off && (
					<Painted store={store} divide={divide} onTrouble={fail} />
				)}
				<p class="nbx-trouble" role="alert">
					{trouble.value}
				</p>
			</div>
		</Section>
	);
}

function kindOf({ kind }: Values): Kind {
	if (kind === "map") return "painted";
	return kind === "grid" ? "grid" : "superpixels";
}

function side(name: "rows" | "columns"): Control {
	return {
		name,
		label: name,
		help: `${name} of the grid`,
		type: "integer",
		default: GRID[name],
		minimum: 1,
		maximum: FINEST_GRID,
	};
}

type Divide = (regions: Values) => Promise<Division>;

/** Asks Python how it divides this picture; each division once. */
function useDivide({ ask, traits }: Store): Divide {
	const picture = traits._image.value;
	const known = useMemo(() => new Map<string, Promise<Division>>(), [picture]);
	return (regions) => {
		const segments = Number(traits.params.value.segments ?? SEGMENTS);
		const key = JSON.stringify([regions, segments]);
		const divided =
			known.get(key) ??
			ask({ kind: "regions", regions, segments }).then(
				({ answer: { labels, names }, buffers: [data] }) => {
					const [rows = 0, columns = 0] = labels?.shape ?? [];
					const map = data && decodeRuns(data, columns, rows);
					if (!map) throw new Error("The regions came incomplete.");
					return { map, names: names ?? [] };
				},
			);
		known.set(key, divided);
		divided.catch(() => known.delete(key));
		return divided;
	};
}

interface PaintedProps {
	store: Store;
	divide: Divide;
	onTrouble: (failure: unknown) => void;
}

/** A painter on the stage, and the list of what was painted. */
function Painted({ store, divide, onTrouble }: PaintedProps) {
	const { ui, traits } = store;
	const { painted, painting, pieces, tool, adding, crosshair } = ui;
	const regions = traits.regions.value;
	const picture = traits._image.value;
	const used = useSignal<Division | null>(null);
	useEffect(() => {
		let wanted = true;
		batch(() => {
			painting.value = true;
			tool.value ??= "lasso";
			if (!fits(painted.value, picture))
				startWith(ui, unpainted(picture.width, picture.height));
		});
		divide({}).then(({ map }) => {
			if (wanted) pieces.value = map;
		}, onTrouble);
		if (regions.kind === "map" && painted.value?.names.length === 0)
			divide(regions).then((division) => {
				if (!wanted) return;
				used.value = paintable(division);
				startWith(ui, used.value);
			}, onTrouble);
		return () => {
			wanted = false;
			batch(() => {
				painting.value = false;
				tool.value = adding.value = null;
			});
		};
	}, [picture]);
	const division = painted.value;
	if (!division) return null;
	const pixel = crosshair.value;
	const use = () => {
		const { map, names } = division;
		store
			.ask({ kind: "painted_regions", names }, [encodeRuns(map)])
			.then(() => {
				used.value = division;
			})
			.catch(onTrouble);
	};
	return (
		<>
			<Segmented
				label="paint with"
				help="Around a part, or by clicks on superpixels."
				value={tool.value ?? ("" as Tool)}
				options={TOOLS}
				onCommit={(next) => {
					tool.value = next;
				}}
			/>
			<ul class="nbx-regions" aria-label="painted regions">
				{division.names.map((name, region) => (
					<Row
						key={region}
						store={store}
						division={division}
						name={name}
						region={region}
					/>
				))}
			</ul>
			<div class="nbx-note nbx-heads-note">
				<button
					type="button"
					class="nbx-button nbx-small"
					disabled={!pieces.value || !pixel}
					title="move the crosshair on the stage with the arrow keys"
					onClick={() => {
						if (pieces.value && pixel)
							paintOn(
								store,
								alike(pieces.value, pixel.y * picture.width + pixel.x),
							);
					}}
				>
					add the superpixel at the crosshair
				</button>
				<button
					type="button"
					class="nbx-button nbx-primary nbx-small"
					disabled={division.names.length === 0 || division === used.value}
					onClick={use}
				>
					Use these
				</button>
			</div>
		</>
	);
}

/** What was painted on another picture is of no use on this one. */
function fits(
	division: Division | null,
	{ width, height }: { width: number; height: number },
): boolean {
	return division?.map.width === width && division.map.height === height;
}

function Steps({ store: { ui } }: { store: Store }) {
	const division = ui.painted.value;
	return (
		<Undo
			steps={ui.paintedSteps.value}
			blank={!division?.names.length}
			onWalk={(side) => walkPainted(ui, side)}
			onClear={() => {
				if (division)
					repaint(ui, unpainted(division.map.width, division.map.height));
			}}
		/>
	);
}

interface RowProps {
	store: Store;
	division: Division;
	name: string;
	region: number;
}

function Row({ store, division, name, region }: RowProps) {
	const { adding } = store.ui;
	const added = adding.value === region;
	return (
		<li>
			<button
				type="button"
				class="nbx-link nbx-square"
				aria-label={`add to ${name}`}
				title="paint more of this region"
				aria-pressed={added}
				onClick={() => {
					adding.value = added ? null : region;
				}}
			>
				+
			</button>
			<input
				type="text"
				aria-label={`name of region ${region + 1}`}
				value={name}
				maxLength={LONGEST_NAME}
				onChange={({ currentTarget }) => {
					const text = currentTarget.value.trim() || name;
					repaint(store.ui, rename(division, region, text));
					currentTarget.value = text;
				}}
			/>
			<button
				type="button"
				class="nbx-link nbx-square"
				aria-label={`remove ${name}`}
				onClick={() => repaint(store.ui, remove(division, region))}
			>
				<Icon name="close" />
			</button>
		</li>
	);
}
