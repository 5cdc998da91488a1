import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

export interface Row {
	key: string;
	/** What the filter looks into. */
	text: string;
	group?: string;
	/** Why the row cannot be chosen; empty when it can. */
	disabled?: string | null;
	content: ComponentChildren;
	/** Said at the foot of the list while the row is active. */
	detail?: string;
}

interface Props {
	label: string;
	placeholder: string;
	selected: string | null;
	/** The rows to show before anything is typed, if fewer than all. */
	first?: Row[];
	rows: Row[];
	onChoose: (key: string) => void;
}

/** More rows than this help nobody and cost the browser time. */
const MOST = 50;

function matches(rows: Row[], query: string): Row[] {
	const words = query.toLowerCase().split(/\s+/).filter(Boolean);
	return rows.filter(({ text }) => {
		const lower = text.toLowerCase();
		return words.every((word) => lower.includes(word));
	});
}

/** A text field that filters a listbox: the combobox pattern, list always open. */
export function FilterList(props: Props) {
	const { label, placeholder, selected, first, rows, onChoose } = props;
	const id = useId();
	const query = useSignal("");
	const find = (words: string) =>
		words.trim() ? matches(rows, words) : (first ?? rows);
	const found = find(query.value);
	const shown = found.slice(0, MOST);
	const active = useSignal(selected ?? shown[0]?.key ?? null);
	const index = shown.findIndex(({ key }) => key === active.value);
	const list = useRef<HTMLDivElement>(null);
	const input = useRef<HTMLInputElement>(null);
	useEffect(() => input.current?.focus(), []);
	useEffect(() => {
		list.current
			?.querySelector('[data-active="true"]')
			?.scrollIntoView?.({ block: "nearest" });
	});

	const choose = (row: Row | undefined) => {
		if (row && !row.disabled) onChoose(row.key);
	};
	const move = (to: number) => {
		const last = shown.length - 1;
		active.value = shown[Math.min(last, Math.max(0, to))]?.key ?? null;
	};
	const onKeyDown = (event: KeyboardEvent) => {
		const steps: Record<string, () => void> = {
			ArrowDown: () => move(index + 1),
			ArrowUp: () => move(index - 1),
			PageDown: () => move(index + 8),
			PageUp: () => move(index - 8),
			Home: () => move(0),
			End: () => move(shown.length - 1),
			Enter: () => choose(shown[index]),
		};
		const step = steps[event.key];
		if (!step) return;
		event.preventDefault();
		step();
	};
	const onInput = (event: InputEvent) => {
		query.value = (event.currentTarget as HTMLInputElement).value;
		const best = find(query.value);
		active.value = (best.find((row) => !row.disabled) ?? best[0])?.key ?? null;
	};
	const current = shown[index];
	return (
		<div class="nbx-filter">
			<input
				ref={input}
				type="text"
				role="combobox"
				class="nbx-filter-input"
				aria-label={label}
				aria-expanded="true"
				aria-autocomplete="list"
				aria-controls={`${id}-list`}
				aria-activedescendant={current ? `${id}-${index}` : undefined}
				autocomplete="off"
				spellcheck={false}
				placeholder={placeholder}
				onInput={onInput}
				onKeyDown={onKeyDown}
			/>
			<div
				ref={list}
				id={`${id}-list`}
				class="nbx-list"
				role="listbox"
				aria-label={label}
			>
				{shown.map((row, at) => (
					<Item
						key={row.key}
						id={`${id}-${at}`}
						row={row}
						heading={row.group !== shown[at - 1]?.group ? row.group : undefined}
						active={at === index}
						selected={row.key === selected}
						onChoose={() => choose(row)}
					/>
				))}
			</div>
			<p class="nbx-filter-foot" aria-live="polite">
				{footnote(found.length, shown.length, current)}
			</p>
		</div>
	);
}

function footnote(found: number, shown: number, current: Row | undefined) {
	if (found === 0) return "nothing matches";
	const detail = current?.disabled || current?.detail || "";
	return found > shown ? `${shown} of ${found} shown: type to narrow` : detail;
}

interface ItemProps {
	id: string;
	row: Row;
	heading?: string;
	active: boolean;
	selected: boolean;
	onChoose: () => void;
}

function Item({ id, row, heading, active, selected, onChoose }: ItemProps) {
	return (
		<>
			{heading && (
				<div class="nbx-list-group" role="presentation">
					{heading}
				</div>
			)}
			{/* biome-ignore lint/a11y/useFocusableInteractive: the text field keeps the focus and names the active option */}
			{/* biome-ignore lint/a11y/useKeyWithClickEvents: the text field hears the keys */}
			<div
				id={id}
				role="option"
				class="nbx-option"
				data-active={active}
				aria-selected={selected}
				aria-disabled={row.disabled ? "true" : undefined}
				title={row.disabled ?? undefined}
				onPointerDown={(event) => event.preventDefault()}
				onClick={onChoose}
			>
				{row.content}
			</div>
		</>
	);
}
