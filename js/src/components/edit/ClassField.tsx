import { useId, useRef } from "preact/hooks";
import type { Store } from "../../model/store";
import { Field } from "../controls/Field";
import { Icon } from "../controls/Icon";
import { Popover } from "../controls/Popover";
import { ClassList } from "../header/ClassList";
import { labelOf } from "../header/target";

interface Props {
	store: Store;
	/** Under which `ui.open` opens it. */
	name: string;
	label: string;
	help: string;
	value: number | null;
	/** Said where no class is chosen; with `clears` one can be given up again. */
	nothing: string;
	clears?: boolean;
	onChoose: (index: number | null) => void;
}

/** A class, found among all of them; not the one that is predicted. */
export function ClassField(props: Props) {
	const { store, name, label, help, value, nothing, clears, onChoose } = props;
	const button = useRef<HTMLButtonElement>(null);
	const id = useId();
	const { open } = store.ui;
	const prediction = store.traits._prediction.value;
	const { labels } = store.traits._catalog.value;
	const now = prediction?.top[0]?.index;
	const said = value === null ? nothing : labelOf(value, labels, prediction);
	const close = () => {
		if (open.value === name) open.value = null;
	};
	return (
		<Field label={label} help={help} helpId={`${id}-help`} control={id}>
			<div class="nbx-class">
				<button
					ref={button}
					id={id}
					type="button"
					class="nbx-button nbx-grow"
					aria-haspopup="dialog"
					aria-expanded={open.value === name}
					aria-describedby={`${id}-help`}
					aria-label={`${label}: ${said}`}
					onClick={() => {
						open.value = open.value === name ? null : name;
					}}
				>
					<span class="nbx-cut nbx-grow">{said}</span>
					<Icon name="chevron" />
				</button>
				{clears && value !== null && (
					<button
						type="button"
						class="nbx-link nbx-square"
						aria-label={`no ${label}`}
						onClick={() => onChoose(null)}
					>
						<Icon name="close" />
					</button>
				)}
			</div>
			{open.value === name && (
				<Popover label={label} anchor={button} onClose={close}>
					<ClassList
						store={store}
						label={label}
						selected={value}
						taken={(index) => (index === now ? "already predicted" : null)}
						onChoose={(index) => {
							onChoose(index);
							close();
						}}
					/>
				</Popover>
			)}
		</Field>
	);
}
