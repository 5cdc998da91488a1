import { computed, type ReadonlySignal, signal } from "@preact/signals";

const PATIENCE = 1000;

/** Says whether anything has gone unanswered for a second. */
export interface Patience {
	waiting: ReadonlySignal<boolean>;
	/** A draft counts as answered by any sign of life, because its answer comes at its end. */
	expect(id: string, anySign: boolean): void;
	answered(id: string): void;
	signOfLife(): void;
	forget(): void;
}

export function patience(): Patience {
	const late = signal<ReadonlySet<string>>(new Set());
	const timers = new Map<string, ReturnType<typeof setTimeout>>();
	const satisfiedByAny = new Set<string>();

	function answered(id: string) {
		clearTimeout(timers.get(id));
		timers.delete(id);
		satisfiedByAny.delete(id);
		if (late.peek().has(id))
			late.value = new Set([...late.peek()].filter((other) => other !== id));
	}

	return {
		waiting: computed(() => late.value.size > 0),
		expect(id, anySign) {
			if (anySign) satisfiedByAny.add(id);
			const overdue = () => {
				late.value = new Set([...late.peek(), id]);
			};
			timers.set(id, setTimeout(overdue, PATIENCE));
		},
		answered,
		signOfLife() {
			for (const id of [...satisfiedByAny]) answered(id);
		},
		forget() {
			for (const id of [...timers.keys()]) answered(id);
		},
	};
}
