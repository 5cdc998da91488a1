import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Gathered, Pile as Gathering } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Icon } from "../controls/Icon";
import { FileButton } from "./FileButton";
import { Strip } from "./Strip";
import { send, sendFiles } from "./sending";

interface Props {
	store: Store;
	into: Gathered;
	pile: Gathering;
	/** What the pictures are, for who cannot see them. */
	label: string;
	/** Beside the button for files. */
	children?: ComponentChildren;
}

/** The pictures of a pile, and the ways to bring more: dropped, or by a button. */
export function Pile({ store, into, pile, label, children }: Props) {
	const over = useSignal(false);
	const off = store.offlineReason.value;
	const take = (files: Iterable<File>) =>
		sendFiles(store, into, pile.name, files);
	// All of them, or one less to say how many more there are: in either case one row.
	const shown = pile.count > pile.shown ? pile.shown - 1 : pile.shown;
	return (
		// biome-ignore lint/a11y/useSemanticElements: a fieldset is no place for pictures
		<div
			class="nbx-pile"
			role="group"
			aria-label={label}
			data-over={over.value}
			onDragOver={(event) => {
				event.preventDefault();
				over.value = !off;
			}}
			onDragLeave={() => {
				over.value = false;
			}}
			onDrop={(event) => {
				event.preventDefault();
				event.stopPropagation();
				over.value = false;
				take([...(event.dataTransfer?.files ?? [])]);
			}}
		>
			<div class="nbx-squares">
				{pile.strip && (
					<Strip strip={pile.strip} places={[...Array(shown).keys()]}>
						{(square, index) => (
							<button
								key={index}
								type="button"
								class="nbx-square-button"
								aria-label={`take picture ${index + 1} out of ${label}`}
								title={off || "take it out"}
								disabled={!!off}
								onClick={() =>
									send(store, {
										kind: "concept_card",
										action: "take_out",
										into,
										concept: pile.name,
										index,
									})
								}
							>
								{square}
								<Icon name="close" />
							</button>
						)}
					</Strip>
				)}
				{pile.count > shown && (
					<span class="nbx-figure nbx-more">+{pile.count - shown}</span>
				)}
				<FileButton
					class="nbx-square-button nbx-square-add"
					label={`add pictures to ${label}`}
					help="choose files, or drop them here"
					off={off}
					onFiles={take}
				>
					+
				</FileButton>
				{children}
			</div>
		</div>
	);
}

/** How many there are and how many there should be, in words and by a tick. */
export function Counter({
	pile,
	extra = 0,
}: {
	pile: Gathering;
	extra?: number;
}) {
	const count = pile.count + extra;
	const state =
		count >= pile.enough ? "good" : count >= pile.fewest ? "weak" : "plain";
	const words =
		count >= pile.enough
			? "enough"
			: count >= pile.fewest
				? `${pile.enough} recommended`
				: `at least ${pile.fewest} needed`;
	return (
		<span class="nbx-counter" data-state={state}>
			<span class="nbx-figure">
				{count}
				{state === "good" ? "" : `/${pile.enough}`}
			</span>{" "}
			<span>
				{state === "good" && "✓ "}
				{words}
			</span>
		</span>
	);
}
