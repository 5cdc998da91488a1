import type { Store } from "../../model/store";
import { EvidenceLine } from "../check/EvidenceLine";
import { alteredOf } from "./altered";
import { Badges } from "./Badges";
import { Cropper } from "./Cropper";
import { Layered } from "./Layered";
import { Legend } from "./Legend";
import { Painter } from "./Painter";
import { Predictions } from "./Predictions";
import { Readout } from "./Readout";
import { useRaster } from "./raster";
import { Sketcher } from "./Sketcher";
import { useScene } from "./scene";
import { paneSize } from "./viewport";

const GAP = 12;

interface Props {
	store: Store;
	/** The width that there is. */
	available: number;
}

/** The one result that is shown, large, and everything that is read off it. */
export function Single({ store, available }: Props) {
	const scene = useScene(store);
	const view = store.traits.view.value;
	const whole = view === "side" ? "map" : view;
	// What is taken away must be seen to be gone: the map would lie over it.
	const edited = store.ui.altered.value !== null;
	const before = useRaster(edited ? store.traits._image.value : null);
	const bare = (view !== "side" || edited) && alteredOf(store)?.picture;
	const panes = view === "side" ? 2 : 1;
	const room = (available - GAP * (panes - 1)) / panes;
	const pane = paneSize(store.traits._image.value, room);
	const width = pane.width * panes + GAP * (panes - 1);
	const stale = store.outdated.value ? " nbx-stale" : "";
	const common = { store, scene, pane };
	return (
		<>
			<div class={`nbx-panes${stale}`} style={{ width: `${width}px` }}>
				{view === "side" && (
					<Layered
						{...common}
						scene={edited ? { ...scene, picture: before } : scene}
						shows="picture"
					/>
				)}
				<Layered {...common} shows={bare ? "picture" : whole}>
					<Badges store={store} />
					<Painter store={store} pane={pane} />
					<Cropper store={store} pane={pane} />
					<Sketcher store={store} pane={pane} />
				</Layered>
			</div>
			<div class="nbx-below" style={{ "--pane": `${width}px` }}>
				<Readout store={store} scene={scene} />
				<Legend store={store} scene={scene} />
				<EvidenceLine store={store} room={available} />
				<Predictions store={store} />
			</div>
		</>
	);
}
