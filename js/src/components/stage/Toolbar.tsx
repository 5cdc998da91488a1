import { useId } from "preact/hooks";
import type { View } from "../../model/protocol";
import type { Store } from "../../model/store";
import { zoomTo } from "./zoom";

export const VIEWS: { value: View; label: string }[] = [
	{ value: "overlay", label: "Overlay" },
	{ value: "side", label: "Side by side" },
	{ value: "swipe", label: "Swipe" },
	{ value: "map", label: "Map" },
];

export function Toolbar({ store }: { store: Store }) {
	return (
		<div class="nbx-toolbar">
			<Views store={store} />
			<Zoom store={store} />
		</div>
	);
}

function Views({ store }: { store: Store }) {
	const group = useId();
	return (
		<div class="nbx-segmented nbx-views" role="radiogroup" aria-label="view">
			{VIEWS.map(({ value, label }) => (
				<label key={value}>
					<input
						type="radio"
						name={group}
						value={value}
						checked={store.traits.view.value === value}
						onChange={() => store.set({ view: value })}
					/>
					<span>{label}</span>
				</label>
			))}
		</div>
	);
}

function Zoom({ store }: { store: Store }) {
	const zoom = store.ui.zoom.value;
	const step = (factor: number) => () => zoomTo(store, zoom * factor);
	return (
		<fieldset class="nbx-zoom" aria-label="zoom">
			<button
				type="button"
				class="nbx-link nbx-square"
				aria-label="zoom out"
				disabled={zoom <= 1}
				onClick={step(1 / 2)}
			>
				−
			</button>
			<button
				type="button"
				class="nbx-link nbx-small nbx-zoom-fit"
				title="back to the whole picture"
				onClick={() => zoomTo(store, 1)}
			>
				{Math.round(zoom * 100)} %{zoom === 1 && <span> · fit</span>}
			</button>
			<button
				type="button"
				class="nbx-link nbx-square"
				aria-label="zoom in"
				disabled={zoom >= 64}
				onClick={step(2)}
			>
				+
			</button>
		</fieldset>
	);
}
