import { toBytes } from "./decode";
import type { Answer, Bytes, Failure } from "./protocol";
import type { Ask } from "./store";

export type Answered = { answer: Answer; buffers: DataView[] };

interface Pending {
	resolve(answered: Answered): void;
	reject(failure: Failure): void;
}

export const unreachable = (hint: string): Failure => ({
	title: "The kernel cannot be reached",
	hint,
	details: "",
});

/** Requests on their way: numbers them and brings each answer to whoever asked. */
export function requests(
	send: (content: Ask & { id: string }, buffers?: ArrayBuffer[]) => void,
) {
	const pending = new Map<string, Pending>();
	// Every view of a model hears every answer, so ids differ between views.
	const view = Math.random().toString(36).slice(2, 8);
	let count = 0;

	return {
		ask(request: Ask, buffers?: ArrayBuffer[], sent?: (id: string) => void) {
			count += 1;
			const id = `${view}-${count}`;
			return new Promise<Answered>((resolve, reject) => {
				pending.set(id, { resolve, reject });
				sent?.(id);
				send({ ...request, id }, buffers);
			});
		},
		settle(answer: Answer, buffers: Bytes[]) {
			const waiting = pending.get(answer.id);
			pending.delete(answer.id);
			if (answer.ok) waiting?.resolve({ answer, buffers: buffers.map(toView) });
			else waiting?.reject(answer.error ?? unreachable(""));
		},
		rejectAll(failure: Failure) {
			for (const { reject } of pending.values()) reject(failure);
			pending.clear();
		},
	};
}

function toView(data: Bytes): DataView {
	const bytes = toBytes(data);
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
