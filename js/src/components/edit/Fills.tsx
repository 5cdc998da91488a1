import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { settle, sketchLive, sketchOnce } from "../../model/editor";
import type { FillInfo } from "../../model/protocol";
import { areas, type Fill, type Sketch, withoutFill } from "../../model/sketch";
import type { Store } from "../../model/store";
import { Form } from "../controls/Form";
import { Icon } from "../controls/Icon";
import { PictureFile } from "../controls/PictureFile";
import { reason } from "../controls/reason";
import { Select } from "../controls/Select";
import { begun, COLOUR, fresh, sketchOf } from "./strokes";

const LIMIT = 10_000_000;
const NEXT = "inpaint";

/** What stands where it was painted: one fill or several, each on pixels of its own. */
export function Fills({ store }: { store: Store }) {
	const { editor } = store.ui;
	const sketch = editor.sketch.value ?? sketchOf(store);
	const at = Math.min(editor.layer.value, sketch.fills.length - 1);
	const fill = sketch.fills[at];
	const infos = store.traits._catalog.value.edits?.fills ?? [];
	const trouble = useSignal("");
	const file = useRef<HTMLInputElement>(null);
	const put = (next: Fill, over = true) => {
		const now = begun(store);
		const fills = now.fills.map((old, i) => (i === at ? next : old));
		(over ? sketchOnce : sketchLive)(editor, { ...now, fills });
	};
	const choose = (kind: string) => {
		trouble.value = "";
		if (kind === "image") file.current?.click();
		else put(fresh(kind));
	};
	const send = async (picture: File | undefined) => {
		if (!picture) return;
		try {
			if (picture.size > LIMIT) throw new Error("A picture may have 10 MB.");
			const { answer } = await store.ask(
				{ kind: "clone_picture", name: picture.name },
				[await picture.arrayBuffer()],
			);
			if (answer.fill) put(answer.fill as Fill);
		} catch (failure) {
			trouble.value = reason(failure);
		}
	};
	const info = infos.find(({ kind }) => kind === fill?.kind);
	return (
		<>
			{sketch.fills.length > 1 && (
				<Rows store={store} sketch={sketch} infos={infos} at={at} />
			)}
			<div class="nbx-with-button">
				<Select
					label="fill"
					help="What stands where it was painted."
					value={fill?.kind ?? ""}
					options={infos.map(({ kind, label }) => ({ value: kind, label }))}
					onCommit={choose}
				/>
				<button
					type="button"
					class="nbx-button nbx-small"
					title="paint with another fill as well"
					onClick={() => {
						const now = begun(store);
						const fills = [...now.fills, fresh(NEXT)];
						sketchOnce(editor, { ...now, fills });
						editor.layer.value = now.fills.length;
					}}
				>
					One more
				</button>
			</div>
			{fill?.kind === "colour" && (
				<Colour
					value={String(fill.value ?? COLOUR)}
					onDrag={(value) => put({ kind: "colour", value }, false)}
					onDone={() => settle(editor)}
				/>
			)}
			{fill && info && (
				<Form
					controls={info.controls}
					values={fill}
					onDrag={(values) => put({ ...values, kind: fill.kind }, false)}
					onCommit={(values) => put({ ...values, kind: fill.kind })}
				/>
			)}
			<PictureFile label="picture to clone from" input={file} onChoose={send} />
			<p class="nbx-trouble" role="alert">
				{trouble.value}
			</p>
		</>
	);
}

interface ColourProps {
	value: string;
	onDrag: (value: string) => void;
	onDone: () => void;
}

function Colour({ value, onDrag, onDone }: ColourProps) {
	return (
		<label class="nbx-field">
			<span class="nbx-field-label">colour</span>
			<input
				type="color"
				class="nbx-colour"
				value={value}
				onInput={(event) => onDrag(event.currentTarget.value)}
				onChange={onDone}
			/>
		</label>
	);
}

interface RowsProps {
	store: Store;
	sketch: Sketch;
	infos: FillInfo[];
	at: number;
}

/** The fills, with how much of the picture each has. */
function Rows({ store, sketch, infos, at }: RowsProps) {
	const { editor } = store.ui;
	const shares = areas(sketch);
	return (
		<ul class="nbx-regions" aria-label="fills">
			{sketch.fills.map(({ kind }, i) => {
				const name = infos.find((info) => info.kind === kind)?.label ?? kind;
				return (
					<li key={i}>
						<button
							type="button"
							class="nbx-link nbx-grow nbx-fill"
							aria-pressed={i === at}
							title="paint with this"
							onClick={() => {
								editor.layer.value = i;
							}}
						>
							<span class="nbx-cut nbx-grow">
								{i + 1} · {name}
							</span>
							<span class="nbx-figure">
								{(100 * (shares[i] ?? 0)).toFixed(1)} %
							</span>
						</button>
						<button
							type="button"
							class="nbx-link nbx-square"
							aria-label={`remove fill ${i + 1}, ${name}`}
							onClick={() => {
								sketchOnce(editor, withoutFill(begun(store), i));
								editor.layer.value = 0;
							}}
						>
							<Icon name="close" />
						</button>
					</li>
				);
			})}
		</ul>
	);
}
