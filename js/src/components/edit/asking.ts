import { batch, effect, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo } from "preact/hooks";
import { drafts } from "../../model/drafts";
import { type Altered, renew, sketchOnce } from "../../model/editor";
import type { Painted } from "../../model/protocol";
import type { Answered } from "../../model/requests";
import { decodeRuns, encodeRuns } from "../../model/runs";
import { changesNothing, type Fill, type Sketch } from "../../model/sketch";
import type { Store } from "../../model/store";
import { reason } from "../controls/reason";
import { defaultsOf, sketchOf } from "./strokes";

interface Asked {
	sketch: Sketch;
	settled: boolean;
	epoch: number;
}

export interface Asking {
	/** Why the model has not answered; empty where it has or will. */
	trouble: string;
	/** What it said last; null while nothing is edited. */
	painted: Painted | null;
	/** True while what it said is of an earlier sketch. */
	behind: boolean;
}

/**
 * Asks what the model says of the sketch while it is painted: one question at a time, the latest
 * next. Undoing makes the answers that are on their way wrong: they are dropped.
 */
export function useAsking(store: Store): Asking {
	const { editor } = store.ui;
	const trouble = useSignal("");
	const painted = useSignal<{ answer: Painted; of: Sketch } | null>(null);
	const queue = useMemo(() => {
		const ask = async ({ sketch, settled, epoch }: Asked) => {
			const current = () => editor.epoch.peek() === epoch;
			try {
				const answered = await store.ask(requestOf(sketch, settled), [
					encodeRuns(sketch.map),
				]);
				const answer = answerOf(answered);
				if (current() && answer && !nothing(store, editor.sketch.peek()))
					painted.value = { answer, of: sketch };
			} catch (failure) {
				if (editor.sketch.peek() === sketch) trouble.value = reason(failure);
			}
		};
		return drafts(ask);
	}, [store]);
	const follow = () => {
		const sketch = editor.sketch.value;
		// Another target has another score.
		store.traits.target.value;
		trouble.value = "";
		const idle = nothing(store, sketch);
		if (idle) painted.value = null;
		if (!sketch || !store.online.value) return queue.drop();
		if (idle && editor.steps.peek().made.length === 0 && !editor.began.value)
			return queue.drop();
		const settled = editor.began.value === null;
		queue.push({ sketch, settled, epoch: editor.epoch.value });
	};
	// A signal effect of a component would wait for the next frame.
	useEffect(() => effect(follow), [store]);
	usePythons(store);
	const { answer, of } = painted.value ?? { answer: null, of: null };
	return {
		trouble: trouble.value,
		painted: answer,
		behind: of !== editor.sketch.value,
	};
}

export function nothing(store: Store, sketch: Sketch | null): boolean {
	return !sketch || changesNothing(sketch, defaultsOf(store));
}

export function requestOf(
	{ map, fills, adjustments }: Sketch,
	settled: boolean,
) {
	const shape = [map.height, map.width];
	return { kind: "paint", fills, adjustments, shape, settled } as const;
}

export function answerOf({ answer, buffers }: Answered): Painted | null {
	const { painted } = answer;
	const [data] = buffers;
	if (!painted || !data) return null;
	return { ...painted, picture: { ...painted.picture, data } };
}

/** An edit made in Python takes the place of the sketch; a page's own is only missed by others. */
function usePythons({ traits, ui }: Store) {
	const { editor } = ui;
	const seen = useMemo(() => ({ serial: 0 }), []);
	const picture = traits._image.value;
	useEffect(() => () => renew(editor), [picture]);
	useSignalEffect(() => {
		const told = traits._edits.value?.sketch;
		if (!told || told.serial === seen.serial) return;
		seen.serial = told.serial;
		const missed = editor.sketch.peek() === null;
		if (told.made === "page" && !missed) return;
		const [rows = 0, columns = 0] = told.labels.shape;
		const map = decodeRuns(told.labels.data, columns, rows);
		if (!map) return;
		const now = sketchOf({ traits, ui });
		const { adjustments } = told;
		const fills = told.fills.length > 0 ? (told.fills as Fill[]) : now.fills;
		batch(() => {
			const same = map.labels.length === now.map.labels.length;
			if (missed || !same) renew(editor);
			editor.sketch.value ??= { ...now, map };
			editor.epoch.value++;
			editor.layer.value = 0;
			sketchOnce(editor, { map, fills, adjustments });
		});
	});
}

/** Puts what is looked at on the stage while the tab is open. */
export function useStage(store: Store, altered: Altered | null) {
	const { ui } = store;
	// Before this frame is painted: after it, the bars would come a frame late.
	useLayoutEffect(() => {
		ui.altered.value = altered;
	}, [altered]);
	useEffect(
		() => () => {
			ui.altered.value = null;
		},
		[],
	);
}
