import type { Steps } from "../../model/undo";

interface Props {
	steps: Steps;
	/** True where nothing is drawn. */
	blank: boolean;
	/** A step back (0) or ahead (1). */
	onWalk: (side: 0 | 1) => void;
	onClear: () => void;
}

/** Beside what is painted by hand: back, ahead, and away with all of it. */
export function Undo({ steps: { made, at }, blank, onWalk, onClear }: Props) {
	return (
		<div class="nbx-undo">
			<button
				type="button"
				class="nbx-link nbx-small"
				disabled={at === 0}
				title="Ctrl/⌘ Z"
				onClick={() => onWalk(0)}
			>
				Undo
			</button>
			<button
				type="button"
				class="nbx-link nbx-small"
				disabled={at === made.length}
				title="Shift Ctrl/⌘ Z"
				onClick={() => onWalk(1)}
			>
				Redo
			</button>
			<button
				type="button"
				class="nbx-link nbx-small"
				disabled={blank}
				onClick={onClear}
			>
				Clear
			</button>
		</div>
	);
}
