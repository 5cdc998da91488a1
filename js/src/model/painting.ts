import { batch } from "@preact/signals";
import type { Division } from "./painted";
import type { Ui } from "./store";
import { NO_STEPS, type Steps, stepped, walked } from "./undo";

type Painting = Pick<Ui, "painted" | "paintedSteps" | "adding">;

/** Regions that no step led to. */
export function startWith(ui: Painting, division: Division) {
	become(ui, division, NO_STEPS, null);
}

/** The painted regions become others, as one step that can be undone. */
export function repaint(ui: Painting, next: Division) {
	const before = ui.painted.peek();
	const steps = before && stepped(ui.paintedSteps.peek(), before, next);
	if (!steps) return;
	// Where a region is gone, the numbers of those behind it have changed.
	const fewer = next.names.length < before.names.length;
	become(ui, next, steps, fewer ? null : ui.adding.peek());
}

/** A step back (0) or ahead (1). */
export function walkPainted(ui: Painting, side: 0 | 1) {
	const now = ui.painted.peek();
	const there = now && walked(ui.paintedSteps.peek(), now, side);
	if (there) become(ui, there.drawn, there.steps, null);
}

function become(
	ui: Painting,
	division: Division,
	steps: Steps,
	adding: number | null,
) {
	batch(() => {
		ui.painted.value = division;
		ui.paintedSteps.value = steps;
		ui.adding.value = adding;
	});
}
