import type { Altered } from "../../model/editor";
import type { Store } from "../../model/store";

export type { Altered };

/** What is looked at in the place of the explained picture: edited, or without some players. */
export function alteredOf({ ui }: Pick<Store, "ui">): Altered | null {
	const { ablation, altered } = ui;
	if (altered.value || !ablation.value) return altered.value;
	const { picture, choices } = ablation.value;
	return { picture, choices, words: "" };
}
