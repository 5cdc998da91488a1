import { signal } from "@preact/signals";
import { alternativesUi } from "./alternatives";
import { checkingUi } from "./checking";
import { conceptsUi } from "./concepts";
import { createEditor } from "./editor";
import type { Ui } from "./store";
import { NO_STEPS } from "./undo";

export function createUi(): Ui {
	return {
		tab: signal("explain"),
		zoom: signal(1),
		centre: signal(null),
		crosshair: signal(null),
		swipe: signal(0.5),
		alpha: signal(null),
		scrubbed: signal(null),
		head: signal(null),
		attended: signal(null),
		selection: signal({ kind: null, methods: null, targets: null }),
		sameUnits: signal(false),
		pointed: signal(null),
		removed: signal([]),
		fill: signal("baseline"),
		ablation: signal(null),
		edits: signal({}),
		editing: signal(null),
		alternatives: alternativesUi(),
		sorted: signal("size"),
		drawnAs: signal("waterfall"),
		against: signal(null),
		locked: signal(false),
		outlined: signal(null),
		painted: signal(null),
		tool: signal(null),
		adding: signal(null),
		paintedSteps: signal(NO_STEPS),
		painting: signal(false),
		pieces: signal(null),
		editor: createEditor(),
		altered: signal(null),
		concepts: conceptsUi(),
		checking: checkingUi(),
		sought: signal(null),
		limit: signal(null),
		open: signal(null),
		looking: signal(null),
		announcement: signal(""),
	};
}
