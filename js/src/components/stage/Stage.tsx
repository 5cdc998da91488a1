import { useEffect, useRef } from "preact/hooks";
import type { Store } from "../../model/store";
import { compared } from "../compare/compared";
import { Multiples } from "../compare/Multiples";
import { useWidth } from "../controls/width";
import { Single } from "./Single";
import { Toolbar } from "./Toolbar";

const GUESSED_WIDTH = 640;

/** The picture and the map on it; while results are compared, one picture for each of them. */
export function Stage({ store }: { store: Store }) {
	const column = useRef<HTMLDivElement>(null);
	const available = useWidth(column, GUESSED_WIDTH);
	const comparison = compared(store);
	useFreshView(store);
	return (
		<section class="nbx-stage" aria-label="stage">
			<Toolbar store={store} />
			<div ref={column} class="nbx-stage-column">
				{comparison ? (
					<Multiples
						store={store}
						available={available}
						comparison={comparison}
					/>
				) : (
					<Single store={store} available={available} />
				)}
			</div>
		</section>
	);
}

/** A scale set by hand is for one map, and a magnified place for one picture. */
function useFreshView({ traits, shown, ui }: Store) {
	const method = shown.value?.spec.method;
	const head = ui.head.value;
	const picture = traits._image.value;
	useEffect(() => {
		ui.limit.value = null;
	}, [method, head]);
	useEffect(() => {
		ui.zoom.value = 1;
		ui.centre.value = null;
	}, [picture]);
}
