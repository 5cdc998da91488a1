import type { ComponentType } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import type { Traits } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Bottleneck } from "../bottleneck/Bottleneck";
import { Check } from "../check/Check";
import { Compare } from "../compare/Compare";
import { Concepts } from "../concepts/Concepts";
import { Alternatives } from "../counterfactual/Alternatives";
import { Edit } from "../edit/Edit";
import { Summary } from "../summary/Summary";
import { Waterfall } from "../waterfall/Waterfall";
import { Explain } from "./Explain";

interface Tab {
	name: string;
	label: string;
	content: ComponentType<{ store: Store }>;
	/** Only for pictures: a table row has its own in the place of the stage. */
	picture?: boolean;
	/** Only for rows of tables. */
	row?: boolean;
	/** Only where this trait is set. */
	needs?: keyof Traits;
}

/** A later tab joins by one more line here. */
const TABS: [Tab, ...Tab[]] = [
	{ name: "explain", label: "Explain", content: Explain },
	{ name: "compare", label: "Compare", content: Compare },
	{ name: "waterfall", label: "Waterfall", content: Waterfall, picture: true },
	{ name: "edit", label: "Edit", content: Edit, picture: true },
	{ name: "edit", label: "Edit", content: Alternatives, row: true },
	{ name: "concepts", label: "Concepts", content: Concepts, picture: true },
	{
		name: "concepts",
		label: "Concepts",
		content: Bottleneck,
		row: true,
		needs: "_bottleneck",
	},
	{ name: "check", label: "Check", content: Check },
];

function tabsOf({ traits }: Store): Tab[] {
	const other = traits._table.value ? "picture" : "row";
	return TABS.filter(
		(tab) => !tab[other] && (!tab.needs || traits[tab.needs].value),
	);
}

export function Panel({ store }: { store: Store }) {
	const id = useId();
	const tabs = tabsOf(store);
	const current =
		tabs.find(({ name }) => name === store.ui.tab.value) ?? TABS[0];
	const Content = current.content;
	const panel = useRef<HTMLDivElement>(null);
	const { sought } = store.ui;
	useEffect(() => {
		if (!sought.value) return;
		const name = CSS.escape(sought.value);
		const section = panel.current?.querySelector<HTMLElement>(
			`[data-section="${name}"]`,
		);
		section?.setAttribute("tabindex", "-1");
		section?.focus({ preventScroll: true });
		section?.scrollIntoView({ block: "nearest" });
		sought.value = null;
	}, [sought.value, current]);
	return (
		<div ref={panel} class="nbx-panel">
			<TabRow store={store} id={id} tabs={tabs} current={current} />
			<div
				class="nbx-tabpanel"
				role="tabpanel"
				id={`${id}-panel`}
				aria-labelledby={`${id}-${current.name}`}
			>
				<Content store={store} />
			</div>
		</div>
	);
}

/** One panel without the explorer around it: a figure that can be looked through. */
export function Alone({ store, name }: { store: Store; name: string }) {
	const Content = name === "summary" ? Summary : Waterfall;
	return (
		<div class="nbx-panel">
			<Content store={store} />
		</div>
	);
}

interface TabRowProps {
	store: Store;
	id: string;
	tabs: Tab[];
	current: Tab;
}

function TabRow({ store, id, tabs, current }: TabRowProps) {
	const row = useRef<HTMLDivElement>(null);
	const select = (index: number) => {
		const at = (index + tabs.length) % tabs.length;
		store.ui.tab.value = tabs[at]?.name ?? current.name;
		row.current?.querySelectorAll<HTMLElement>('[role="tab"]')[at]?.focus();
	};
	const onKeyDown = (event: KeyboardEvent) => {
		const index = tabs.indexOf(current);
		const to = {
			ArrowRight: index + 1,
			ArrowLeft: index - 1,
			Home: 0,
			End: tabs.length - 1,
		}[event.key];
		if (to === undefined) return;
		event.preventDefault();
		event.stopPropagation();
		select(to);
	};
	return (
		<div ref={row} class="nbx-tabs" role="tablist" aria-label="panels">
			{tabs.map((tab, index) => (
				<button
					key={tab.name}
					type="button"
					role="tab"
					id={`${id}-${tab.name}`}
					aria-controls={tab === current ? `${id}-panel` : undefined}
					aria-selected={tab === current}
					tabIndex={tab === current ? 0 : -1}
					onClick={() => select(index)}
					onKeyDown={onKeyDown}
				>
					{tab.label}
				</button>
			))}
		</div>
	);
}
