import type { ComponentChildren } from "preact";
import type { Store } from "../../model/store";
import { MapLayer, MarkLayer, PictureLayer } from "./Layers";
import { Pane } from "./Pane";
import { RegionLayer } from "./Regions";
import { Swipe } from "./Swipe";
import type { Scene } from "./scene";
import type { Size } from "./viewport";

const BARE = "the picture that is explained";

export type Shows = "picture" | "overlay" | "swipe" | "map";

interface Props {
	store: Store;
	scene: Scene;
	pane: Size;
	shows: Shows;
	/** Between the map and the handles. */
	children?: ComponentChildren;
}

/** One pane: the picture, the map on it, and the mark under the pointer. */
export function Layered({ store, scene, pane, shows, children }: Props) {
	const common = { store, scene, pane };
	const result = scene.result.value;
	const map = shows === "picture" || result?.reason ? null : result;
	const words = (shows !== "picture" && scene.description.value) || BARE;
	const swiping = shows === "swipe" && map !== null;
	return (
		<Pane store={store} pane={pane}>
			{shows === "map" && map ? (
				<MapLayer
					{...common}
					raster={scene.opaque.value}
					opacity={1}
					label={words}
				/>
			) : (
				<PictureLayer {...common} label={words} />
			)}
			{map && shows !== "map" && (
				<MapLayer
					{...common}
					raster={scene.veil.value}
					opacity={store.traits.opacity.value}
					from={swiping ? store.ui.swipe.value : 0}
				/>
			)}
			<RegionLayer store={store} pane={pane} />
			{children}
			{swiping && <Swipe store={store} />}
			<MarkLayer {...common} />
		</Pane>
	);
}
