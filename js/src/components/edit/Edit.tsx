import { useEffect, useMemo, useRef } from "preact/hooks";
import { type Altered, sketchLive, sketchOnce, walk } from "../../model/editor";
import { changed } from "../../model/history";
import type { Painted } from "../../model/protocol";
import { encodeRuns } from "../../model/runs";
import { blankSketch } from "../../model/sketch";
import type { Store } from "../../model/store";
import { Form } from "../controls/Form";
import { figure } from "../controls/number";
import { Segmented } from "../controls/Segmented";
import { Undo } from "../controls/Undo";
import { Section } from "../panel/Section";
import { type Asking, nothing, requestOf, useAsking, useStage } from "./asking";
import { Fills } from "./Fills";
import { Find } from "./Find";
import { Fold } from "./Fold";
import { Code, Found as FoundList } from "./Found";
import { Probe } from "./Probe";
import { begun, sketchOf } from "./strokes";
import { Tools } from "./Tools";

/** What if the picture were another one: painted by hand, and what the model then says. */
export function Edit({ store }: { store: Store }) {
	const off = store.offlineReason.value;
	const asking = useAsking(store);
	const altered = useAltered(store, asking.painted);
	useStage(store, altered);
	useEffect(() => {
		store.ui.editor.tool.value ??= "brush";
	}, []);
	if (off)
		return (
			<>
				<Section name="edit">
					<p class="nbx-note">{off}</p>
				</Section>
				<FoundList store={store} />
			</>
		);
	return (
		<>
			<Section name="paint" aside={<Steps store={store} />}>
				<Tools store={store} />
				<Fills store={store} />
			</Section>
			<Adjust store={store} />
			<Says store={store} asking={asking} />
			<Find store={store} />
			<Probe store={store} />
			<FoundList store={store} />
		</>
	);
}

function Steps({ store }: { store: Store }) {
	const { editor } = store.ui;
	const { steps, sketch } = editor;
	const clear = () => {
		const now = sketch.peek();
		if (now)
			sketchOnce(editor, {
				...blankSketch(store.traits._image.peek(), { kind: "blur" }),
				fills: now.fills,
			});
	};
	return (
		<Undo
			steps={steps.value}
			blank={nothing(store, sketch.value)}
			onWalk={(side) => walk(editor, side)}
			onClear={clear}
		/>
	);
}

function Adjust({ store }: { store: Store }) {
	const controls = store.traits._catalog.value.edits?.adjustments ?? [];
	const { editor } = store.ui;
	const { adjustments } = editor.sketch.value ?? sketchOf(store);
	const values = (next: Record<string, unknown>) => ({
		...begun(store),
		adjustments: next as Record<string, number>,
	});
	return (
		<Fold name="adjust" remark="brightness, contrast, rotation, patch, JPEG">
			<Form
				controls={controls}
				values={adjustments}
				onDrag={(next) => sketchLive(editor, values(next))}
				onCommit={(next) => sketchOnce(editor, values(next))}
			/>
		</Fold>
	);
}

/** The answer to the edit, and what can be done with the edited picture. */
function Says({ store, asking }: { store: Store; asking: Asking }) {
	const { painted, trouble, behind } = asking;
	const { original } = store.ui.editor;
	if (trouble)
		return (
			<Section name="edited">
				<p class="nbx-trouble" role="alert">
					{trouble}
				</p>
			</Section>
		);
	if (!painted)
		return (
			<Section name="edited">
				<p class="nbx-note">
					Paint on the picture, or adjust it: the predictions move with it.
				</p>
			</Section>
		);
	const { target, before, after } = painted;
	return (
		<Section name="edited" dim={behind}>
			<dl class="nbx-evidence" aria-live="polite">
				<div>
					<dt>score of {target}</dt>
					<dd class="nbx-value">{`${figure(before)} → ${figure(after)}`}</dd>
				</div>
			</dl>
			<Segmented
				label="stage shows"
				value={original.value ? "original" : "edited"}
				options={[
					{ value: "edited", label: "edited" },
					{ value: "original", label: "original" },
				]}
				onCommit={(next) => {
					original.value = next === "original";
				}}
			/>
			<div class="nbx-row">
				<button
					type="button"
					class="nbx-button"
					title="the edited picture becomes the one that is explained"
					onClick={() => explain(store, "explain")}
				>
					Explain this picture
				</button>
				<button
					type="button"
					class="nbx-button"
					onClick={() => explain(store, "waterfall")}
				>
					Waterfall
				</button>
				<Code key={String(painted.after)} store={store} item="" />
			</div>
		</Section>
	);
}

function explain(store: Store, tab: string) {
	const { map, ...sketch } = begun(store);
	const request = { ...requestOf({ map, ...sketch }, true), explain: true };
	store
		.ask(request, [encodeRuns(map)])
		.then(() => {
			store.ui.tab.value = tab;
		})
		.catch(() => undefined);
}

/** What the stage shows: what is looked at, with the predictions it gets, or the original. */
function useAltered(store: Store, painted: Painted | null): Altered | null {
	const { original, looking } = store.ui.editor;
	const edits = store.traits._edits.value;
	const found =
		changed(store.traits._history.value).find(({ id }) => id === looking.value)
			?.found ?? null;
	const walk = store.online.value ? (edits?.walk ?? null) : null;
	const picture = store.traits._image.value;
	const back = original.value;
	useNewest(store);
	return useMemo(() => {
		const shown = walk ?? found ?? painted;
		if (!shown) return null;
		if (back) return { picture, choices: [], words: "original" };
		const words = walk ? "searching" : (found?.title ?? "edited");
		return { picture: shown.picture, choices: shown.choices, words };
	}, [painted, found, walk, back, picture]);
}

/** What has just been found is looked at, of several the first. */
function useNewest({ traits, ui }: Store) {
	const items = traits._history.value;
	const known = useRef(items);
	useEffect(() => {
		const old = new Set(known.current.map(({ id }) => id));
		const first = changed(items).find(({ id }) => !old.has(id));
		known.current = items;
		if (!first) return;
		ui.editor.looking.value = first.id;
		ui.announcement.value = first.found.says;
	}, [items]);
}
