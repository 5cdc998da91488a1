import { useSignal } from "@preact/signals";
import { useId, useRef } from "preact/hooks";
import type { BaselineInfo } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Form } from "../controls/Form";
import { Icon } from "../controls/Icon";
import { PictureFile } from "../controls/PictureFile";
import { reason } from "../controls/reason";
import { Thumbnail } from "../controls/Thumbnail";
import { Section } from "./Section";

const LIMIT = 10_000_000;

export function Baseline({ store }: { store: Store }) {
	const trouble = useSignal("");
	const file = useRef<HTMLInputElement>(null);
	const group = useId();
	const baseline = store.traits.baseline.value;
	const tiles = store.traits._baselines.value;
	const current = tiles.find(({ kind }) => kind === baseline.kind);
	const off = !!store.offlineReason.value;
	const send = async (picture: File | undefined) => {
		if (!picture || off) return;
		trouble.value = await refused(store, picture);
	};
	const choose = (kind: string) => {
		trouble.value = "";
		if (kind === "image") file.current?.click();
		else store.set({ baseline: { kind } });
	};
	return (
		<Section name="baseline">
			<div
				class="nbx-baselines"
				role="radiogroup"
				aria-label="baseline"
				title={store.offlineReason.value || undefined}
				onPaste={(event) => send(pictureIn(event.clipboardData))}
				onDragOver={(event) => event.preventDefault()}
				onDrop={(event) => {
					event.preventDefault();
					event.stopPropagation();
					send(pictureIn(event.dataTransfer));
				}}
			>
				{tiles.map((tile) => (
					<Tile
						key={tile.kind}
						tile={tile}
						group={group}
						checked={tile === current}
						disabled={off}
						onChoose={() => choose(tile.kind)}
					/>
				))}
			</div>
			<PictureFile
				label="picture for the baseline"
				input={file}
				onChoose={send}
			/>
			<p class="nbx-trouble" role="alert">
				{trouble.value}
			</p>
			{current && (
				<Form
					controls={current.controls}
					values={baseline}
					disabled={off}
					onDrag={(values) => store.draft({ baseline: values })}
					onCommit={(values) => store.set({ baseline: values })}
				/>
			)}
		</Section>
	);
}

function pictureIn(data: DataTransfer | null): File | undefined {
	return [...(data?.files ?? [])].find(({ type }) => type.startsWith("image/"));
}

/** Sends the picture to Python; says in words why it was not taken, or nothing. */
async function refused(store: Store, picture: File): Promise<string> {
	if (picture.size > LIMIT)
		return `${picture.name} has ${(picture.size / 1e6).toFixed(1)} MB; a baseline picture may have 10 MB.`;
	try {
		await store.ask({ kind: "baseline_image", name: picture.name }, [
			await picture.arrayBuffer(),
		]);
		return "";
	} catch (failure) {
		return reason(failure);
	}
}

interface TileProps {
	tile: BaselineInfo;
	group: string;
	checked: boolean;
	disabled: boolean;
	onChoose: () => void;
}

/** The picture tile answers to a click, not to a change: it opens the file dialog every time. */
function Tile({ tile, group, checked, disabled, onChoose }: TileProps) {
	const { kind, label, thumbnail } = tile;
	const file = kind === "image";
	return (
		<label
			class="nbx-tile"
			title={file ? "choose, paste or drop a picture" : label}
		>
			<input
				type="radio"
				name={group}
				value={kind}
				checked={checked}
				disabled={disabled}
				onClick={file ? onChoose : undefined}
				onChange={file ? undefined : onChoose}
			/>
			<span class="nbx-tile-picture">
				{thumbnail ? <Thumbnail picture={thumbnail} /> : <Icon name="image" />}
			</span>
			<span class="nbx-tile-name">{label}</span>
		</label>
	);
}
