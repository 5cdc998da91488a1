import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { HistoryItem, HistoryRequest } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Icon } from "../controls/Icon";
import { lastPinned, takenOff, toggleDifference } from "../stage/pinned";
import { useRaster } from "../stage/raster";
import { Actions } from "./Actions";
import { Item } from "./Item";
import { lookAt, lookAway, selectedIn } from "./selected";

/** Earlier results, to look at again or to go back to; at the right, what the model is. */
export function History({ store }: { store: Store }) {
	const items = store.traits._history.value;
	const { name, precision, input } = store.traits._catalog.value.model;
	return (
		<div class="nbx-history">
			{items.length > 0 && <Strip store={store} items={items} />}
			<p class="nbx-model">
				{[name, precision, input].filter(Boolean).join(" · ")}
			</p>
		</div>
	);
}

interface StripProps {
	store: Store;
	items: HistoryItem[];
}

function Strip({ store, items }: StripProps) {
	const { announcement } = store.ui;
	const renaming = useSignal<string | null>(null);
	const list = useRef<HTMLDivElement>(null);
	const newest = store.traits._result.value?.id;
	const picture = useRaster(store.traits._image.value);
	const current = selectedIn(store);
	const index = current ? items.indexOf(current) : -1;

	const act = (
		item: HistoryItem,
		action: HistoryRequest["action"],
		name?: string,
	) => {
		const request = { kind: "history" as const, action, item: item.id };
		store.ask(name === undefined ? request : { ...request, name }).catch(() => {
			announcement.value = `${item.name}: ${action} failed`;
		});
		if (action === "restore" || action === "forget") lookAway(store);
	};
	const focus = (at: number) => {
		list.current
			?.querySelectorAll<HTMLElement>('[role="option"]')
			[Math.min(items.length - 1, Math.max(0, at))]?.focus();
	};
	const onKeyDown = (event: KeyboardEvent, item: HistoryItem, at: number) => {
		const keys: Record<string, () => void> = {
			ArrowRight: () => focus(at + 1),
			ArrowLeft: () => focus(at - 1),
			Home: () => focus(0),
			End: () => focus(items.length - 1),
			Enter: () => lookAt(store, item),
			" ": () => lookAt(store, item),
			F2: () => {
				renaming.value = item.id;
			},
			Delete: () => act(item, "forget"),
		};
		const key = keys[event.key];
		if (!key || (event.target as HTMLElement).tagName === "INPUT") return;
		event.preventDefault();
		event.stopPropagation();
		key();
	};

	return (
		<>
			<div
				ref={list}
				class="nbx-strip"
				role="listbox"
				aria-label="history"
				aria-orientation="horizontal"
			>
				{items.map((item, at) => (
					<Item
						key={item.id}
						item={item}
						picture={picture}
						colormap={store.traits.colormap.value}
						selected={at === index}
						reachable={at === Math.max(0, index)}
						renaming={renaming.value === item.id}
						onLook={() => lookAt(store, item)}
						onRename={() => {
							renaming.value = item.id;
						}}
						onNamed={(name) => {
							renaming.value = null;
							if (name && name !== item.name) act(item, "rename", name);
							focus(at);
						}}
						onKeyDown={(event) => onKeyDown(event, item, at)}
					/>
				))}
			</div>
			{current?.result && <Together store={store} />}
			{current && !store.offlineReason.value && (
				<Actions
					item={current}
					earlier={!!current.result && current.id !== newest}
					onAct={(action) => act(current, action)}
					onRename={() => {
						renaming.value = current.id;
					}}
				/>
			)}
		</>
	);
}

/** How the result that is shown is seen together with the pinned ones. */
function Together({ store }: { store: Store }) {
	const { against, locked } = store.ui;
	const other = takenOff(store) ?? lastPinned(store);
	if (!other) return null;
	return (
		<fieldset class="nbx-history-actions" aria-label="with pinned results">
			<button
				type="button"
				class="nbx-link nbx-small"
				aria-pressed={against.value === other.id}
				title={`what is shown less ${other.name} (D)`}
				onClick={() => toggleDifference(store)}
			>
				difference
			</button>
			<button
				type="button"
				class="nbx-link nbx-small"
				aria-pressed={locked.value}
				title="one scale for all pinned results"
				onClick={() => {
					locked.value = !locked.value;
				}}
			>
				<Icon name="lock" /> same scale
			</button>
		</fieldset>
	);
}
