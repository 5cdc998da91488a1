import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { drafts } from "../../model/drafts";
import type { AblateRequest, Ablation } from "../../model/protocol";
import type { Answered } from "../../model/requests";
import type { Store } from "../../model/store";
import { reason } from "../controls/reason";

type Asked = Omit<AblateRequest, "id" | "kind">;

/**
 * Asks what the model says without the removed players, one question at a time and the latest
 * next. Returns why there is no answer, if there is none.
 */
export function useAblation(store: Store, result: string): string {
	const { removed, fill, ablation } = store.ui;
	const trouble = useSignal("");
	const queue = useMemo(() => {
		const ask = async (asked: Asked) => {
			const current = () => removed.peek() === asked.players;
			try {
				const answered = await store.ask({ kind: "ablate", ...asked });
				if (current()) ablation.value = answerOf(answered);
			} catch (failure) {
				if (current()) trouble.value = reason(failure);
			}
		};
		return drafts(ask);
	}, [store]);
	useSignalEffect(() => {
		const asked = { result, players: removed.value, fill: fill.value };
		trouble.value = "";
		if (asked.players.length > 0) return queue.push(asked);
		queue.drop();
		ablation.value = null;
	});
	// Players of another result are others, and elsewhere than here nobody could put them back.
	useEffect(
		() => () => {
			removed.value = [];
			ablation.value = null;
		},
		[result],
	);
	return trouble.value;
}

function answerOf({ answer, buffers }: Answered): Ablation | null {
	const { ablation = null } = answer;
	const [data] = buffers;
	if (!ablation?.picture || !data) return ablation;
	return { ...ablation, picture: { ...ablation.picture, data } };
}
