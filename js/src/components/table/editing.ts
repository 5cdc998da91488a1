import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { drafts } from "../../model/drafts";
import type { EditRequest, TableInfo } from "../../model/protocol";
import type { Store } from "../../model/store";
import { reason } from "../controls/reason";

type Edits = EditRequest["values"];

/**
 * Asks what the model says of the edited row, one question at a time and the latest next. Returns
 * why there is no answer, if there is none.
 */
export function useEdits(store: Store, table: TableInfo): string {
	const { edits, editing, ablation } = store.ui;
	const trouble = useSignal("");
	const queue = useMemo(() => {
		const ask = async (values: Edits) => {
			try {
				const { answer } = await store.ask({
					kind: "edit",
					values,
					apply: false,
				});
				if (edits.peek() === values || changed(edits.peek()))
					ablation.value = answer.ablation ?? null;
			} catch (failure) {
				if (edits.peek() === values) trouble.value = reason(failure);
			}
		};
		return drafts(ask);
	}, [store]);
	useSignalEffect(() => {
		const values = edits.value;
		trouble.value = "";
		if (changed(values)) return queue.push(values);
		queue.drop();
		ablation.value = null;
	});
	// Another row has other values.
	useEffect(
		() => () => {
			edits.value = {};
			editing.value = null;
			ablation.value = null;
		},
		[table],
	);
	return trouble.value;
}

export function changed(edits: Edits): boolean {
	return Object.keys(edits).length > 0;
}
