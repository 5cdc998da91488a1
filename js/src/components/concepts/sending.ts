import type { Concepts, Gathered } from "../../model/protocol";
import type { Ask, Store } from "../../model/store";
import { reason } from "../controls/reason";
import { busy } from "../panel/Progress";

const LARGEST = 10_000_000;
/** Bytes of one message: servers close the line on much larger ones. */
const PARCEL = 4_000_000;

/** Sends a request of the panel; what is refused is said there. */
export async function send(
	store: Store,
	request: Ask,
	buffers: ArrayBuffer[] = [],
): Promise<boolean> {
	const { trouble } = store.ui.concepts;
	trouble.value = "";
	try {
		await store.ask(request, buffers);
		return true;
	} catch (failure) {
		trouble.value = reason(failure);
		return false;
	}
}

/** Sends picture files, a few at a time; those that are refused are named, the others taken. */
export async function sendFiles(
	store: Store,
	into: Gathered,
	concept: string,
	files: Iterable<File>,
): Promise<void> {
	if (store.offlineReason.value) return;
	const { trouble } = store.ui.concepts;
	const refused: string[] = [];
	for (const parcel of parcels(files, refused)) {
		const names = parcel.map(({ name }) => name);
		const data = await Promise.all(parcel.map((file) => file.arrayBuffer()));
		const request = { kind: "concept_pictures", into, concept, names } as const;
		if (!(await send(store, request, data))) refused.push(trouble.value);
	}
	trouble.value = refused.join(" ");
}

function parcels(files: Iterable<File>, refused: string[]): File[][] {
	const found: File[][] = [];
	let room = 0;
	for (const file of files) {
		if (file.size > LARGEST) {
			const size = (file.size / 1e6).toFixed(1);
			refused.push(`${file.name} has ${size} MB; a picture may have 10 MB.`);
			continue;
		}
		if (found.length === 0 || file.size > room) {
			found.push([]);
			room = PARCEL;
		}
		found.at(-1)?.push(file);
		room -= file.size;
	}
	return found;
}

/** True while concepts are tested, steered or looked for. */
export const testing = ({ traits, online }: Store): boolean =>
	online.value && !!traits._concepts.value && busy(traits._concepts.value.job);

export function stopTesting(store: Store) {
	store.ask({ kind: "stop", panel: "concepts" }).catch(() => undefined);
}

/** Where crops and pasted pictures go: the chosen concept, the last one, or a new one. */
export function destination({ ui }: Store, known: Concepts): string {
	const names = known.concepts.map(({ name }) => name);
	const chosen = ui.concepts.into.value;
	if (chosen !== null && names.includes(chosen)) return chosen;
	return names.at(-1) ?? unused(names);
}

export function unused(names: string[]): string {
	let number = names.length + 1;
	while (names.includes(`concept ${number}`)) number++;
	return `concept ${number}`;
}
