import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Store } from "../../model/store";
import { Badges } from "./Badges";
import { MapLayer, MarkLayer, PictureLayer } from "./Layers";
import { Legend } from "./Legend";
import { Pane } from "./Pane";
import { Predictions } from "./Predictions";
import { Readout } from "./Readout";
import { Swipe } from "./Swipe";
import { type Scene, useScene } from "./scene";
import { Toolbar } from "./Toolbar";
import { paneSize, type Size } from "./viewport";

const GAP = 12;
const GUESSED_WIDTH = 640;

/** The picture, the map on it, and everything that is read off them. */
export function Stage({ store }: { store: Store }) {
	const column = useRef<HTMLDivElement>(null);
	const available = useWidth(column);
	const scene = useScene(store);
	const side = store.traits.view.value === "side";
	const panes = side ? 2 : 1;
	const room = (available - GAP * (panes - 1)) / panes;
	const pane = paneSize(store.traits._image.value, room);
	const width = pane.width * panes + GAP * (panes - 1);
	const stale = store.outdated.value ? " nbx-stale" : "";
	return (
		<section class="nbx-stage" aria-label="stage">
			<Toolbar store={store} />
			<div ref={column} class="nbx-stage-column">
				<div class={`nbx-panes${stale}`} style={{ width: `${width}px` }}>
					<Panes store={store} scene={scene} pane={pane} />
				</div>
				<div class="nbx-below" style={{ "--pane": `${width}px` }}>
					<Readout store={store} scene={scene} />
					<Legend store={store} scene={scene} />
					<Predictions store={store} />
				</div>
			</div>
		</section>
	);
}

function Panes(props: { store: Store; scene: Scene; pane: Size }) {
	const { store, scene, pane } = props;
	const view = store.traits.view.value;
	const opacity = store.traits.opacity.value;
	const known = store.shown.value?.reason ? null : store.shown.value;
	const stack = (content: ComponentChildren) => (
		<Pane store={store} pane={pane}>
			{content}
			<MarkLayer {...props} />
		</Pane>
	);
	const badges = <Badges store={store} />;
	const bare = "the picture that is explained";
	const label =
		view === "side" ? bare : (store.shown.value?.description ?? bare);
	const picture = <PictureLayer {...props} label={label} />;
	const opaque = known && (
		<MapLayer
			{...props}
			raster={scene.opaque.value}
			opacity={1}
			label={known.description}
		/>
	);
	if (view === "map" && known)
		return stack(
			<>
				{opaque}
				{badges}
			</>,
		);
	if (view === "side")
		return (
			<>
				{stack(picture)}
				{stack(
					<>
						{opaque}
						{badges}
					</>,
				)}
			</>
		);
	const swiping = view === "swipe" && known;
	return stack(
		<>
			{picture}
			{known && (
				<MapLayer
					{...props}
					raster={scene.veil.value}
					opacity={opacity}
					from={swiping ? store.ui.swipe.value : 0}
				/>
			)}
			{badges}
			{swiping && <Swipe store={store} />}
		</>,
	);
}

function useWidth(ref: { current: HTMLElement | null }): number {
	const [width, setWidth] = useState(GUESSED_WIDTH);
	useLayoutEffect(() => {
		const element = ref.current;
		if (!element) return;
		const measure = () => setWidth(element.clientWidth || GUESSED_WIDTH);
		measure();
		const observer = new ResizeObserver(measure);
		observer.observe(element);
		return () => observer.disconnect();
	}, [ref]);
	return width;
}
