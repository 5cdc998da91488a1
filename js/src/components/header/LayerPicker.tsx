import type { LayerInfo } from "../../model/protocol";
import type { Store } from "../../model/store";
import { FilterList, type Row } from "../controls/FilterList";
import { Picker } from "./Picker";

export function LayerPicker({ store }: { store: Store }) {
	const { methods, layers } = store.traits._catalog.value;
	const method = methods.find(({ name }) => name === store.traits.method.value);
	const suggested = layers.find((layer) => layer.suggested)?.name ?? null;
	const layer = store.traits.layer.value ?? suggested;
	if (!method?.needs_layer)
		return (
			<Picker
				store={store}
				name="layer"
				caption="layer"
				value="not needed"
				disabled={`${method?.label ?? "This method"} needs no layer`}
			>
				{() => null}
			</Picker>
		);
	return (
		<Picker
			store={store}
			name="layer"
			caption="layer"
			value={layer ?? "none"}
			disabled={store.offlineReason.value}
		>
			{(close) => (
				<FilterList
					label="layer"
					placeholder={`Find among ${layers.length} layers`}
					selected={layer}
					rows={layers.map(row)}
					onChoose={(name) => {
						store.set({ layer: name });
						close();
					}}
				/>
			)}
		</Picker>
	);
}

function row(layer: LayerInfo): Row {
	const { name, type, shape, grid, suggested } = layer;
	return {
		key: name,
		text: `${name} ${type} ${shape.join("×")}`,
		detail: grid ? `drawn as ${grid.join(" × ")} cells` : type,
		content: (
			<>
				<span class="nbx-two-lines nbx-grow">
					<span class="nbx-cut nbx-mono">{name}</span>
					<small class="nbx-cut">{type}</small>
				</span>
				{suggested && <span class="nbx-mark nbx-mark-good">suggested</span>}
				<span class="nbx-figure">{shape.join("×")}</span>
			</>
		),
	};
}
