import { useRef } from "preact/hooks";
import { VERSION } from "../model/protocol";
import type { Store } from "../model/store";
import { Announcer } from "./Announcer";
import { Dialogs } from "./dialogs/Dialogs";
import { Banners } from "./header/Banners";
import { Header } from "./header/Header";
import { History } from "./history/History";
import { onKey } from "./keyboard";
import { Alone, Panel } from "./panel/Panel";
import { Stage } from "./stage/Stage";
import { TableRow } from "./table/TableRow";
import { useScheme } from "./theme";

interface Props {
	store: Store;
	/** The host's element: its surroundings decide between light and dark. */
	host: HTMLElement;
}

export function App({ store, host }: Props) {
	const root = useRef<HTMLDivElement>(null);
	const scheme = useScheme(host);
	const version = store.traits._protocol.value;
	const alone = store.traits._alone.value;
	return (
		// biome-ignore lint/a11y/useSemanticElements: not a set of form fields
		<div
			ref={root}
			class="nbxplain"
			data-scheme={scheme}
			data-lm-suppress-shortcuts="true"
			role="group"
			aria-label="nbxplain explorer"
			// biome-ignore lint/a11y/noNoninteractiveTabindex: the widget takes the focus to hear its keys
			tabIndex={0}
			onKeyDown={(event) => {
				onKey(store, event);
				// What is typed here is not meant for the notebook.
				event.stopPropagation();
			}}
		>
			{version !== VERSION ? (
				<Mismatch version={version} />
			) : alone ? (
				<div class="nbx-shell nbx-alone">
					<Alone store={store} name={alone} />
				</div>
			) : (
				<div class="nbx-shell">
					<Header store={store} />
					<Banners store={store} />
					{store.traits._table.value ? (
						<TableRow store={store} table={store.traits._table.value} />
					) : (
						<Stage store={store} />
					)}
					<Panel store={store} />
					<History store={store} />
					<Dialogs store={store} />
				</div>
			)}
			<Announcer store={store} />
		</div>
	);
}

function Mismatch({ version }: { version: number }) {
	return (
		<div class="nbx-mismatch" role="alert">
			<p>
				<b>This page and the kernel run different versions of nbxplain</b>{" "}
				(protocol {VERSION} here, {version} in Python).
			</p>
			<p>
				Run <code>pip install -U nbxplain</code>, restart the kernel and reload
				the page.
			</p>
		</div>
	);
}
