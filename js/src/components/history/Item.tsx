import { useEffect, useRef } from "preact/hooks";
import type { HistoryItem } from "../../model/protocol";
import { Icon } from "../controls/Icon";
import { Thumbnail } from "../controls/Thumbnail";
import type { Raster } from "../stage/raster";
import { Miniature } from "./Miniature";
import { RowsGlyph } from "./RowsGlyph";

interface Props {
	item: HistoryItem;
	picture: Raster | null;
	colormap: string;
	selected: boolean;
	/** The one item that Tab stops at. */
	reachable: boolean;
	renaming: boolean;
	onLook: () => void;
	onRename: () => void;
	onNamed: (name: string | null) => void;
	onKeyDown: (event: KeyboardEvent) => void;
}

export function Item(props: Props) {
	const { item, picture, colormap, selected, reachable, renaming } = props;
	return (
		<div class="nbx-item">
			<div
				role="option"
				class="nbx-item-picture"
				tabIndex={reachable ? 0 : -1}
				aria-selected={selected}
				aria-label={`${nameOf(item)}${item.pinned ? ", pinned" : ""}`}
				title={nameOf(item)}
				onClick={props.onLook}
				onDblClick={props.onRename}
				onKeyDown={props.onKeyDown}
			>
				{item.result && (
					<Miniature
						picture={picture}
						result={item.result}
						colormap={colormap}
					/>
				)}
				{item.found && <Thumbnail picture={item.found.picture} />}
				{item.rows && <RowsGlyph rows={item.rows} />}
				{item.pinned && (
					<span class="nbx-pinned">
						<Icon name="pin" />
					</span>
				)}
			</div>
			{renaming ? (
				<NameField name={item.name} onNamed={props.onNamed} />
			) : (
				<span class="nbx-item-name" aria-hidden="true">
					{item.name}
				</span>
			)}
		</div>
	);
}

/** The name, and what it is the name of. */
function nameOf({ name, result, found }: HistoryItem): string {
	if (result) return `${name}, for ${result.target}`;
	return found?.kind === "probe" ? `probe ${name}` : `counterfactual ${name}`;
}

interface NameProps {
	name: string;
	onNamed: (name: string | null) => void;
}

/** Enter and leaving keep the name, Escape does not. */
function NameField({ name, onNamed }: NameProps) {
	const field = useRef<HTMLInputElement>(null);
	const over = useRef(false);
	useEffect(() => field.current?.select(), []);
	const end = (result: string | null) => {
		if (over.current) return;
		over.current = true;
		onNamed(result);
	};
	return (
		<input
			ref={field}
			class="nbx-item-field"
			type="text"
			aria-label="name"
			defaultValue={name}
			maxLength={60}
			onBlur={(event) => end(event.currentTarget.value.trim())}
			onKeyDown={(event) => {
				event.stopPropagation();
				if (event.key === "Enter") end(event.currentTarget.value.trim());
				if (event.key === "Escape") end(null);
			}}
		/>
	);
}
