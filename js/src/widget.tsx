import { render as mount } from "preact";
import { App } from "./components/App";
import type { WidgetModel } from "./model/anywidget";
import { connect } from "./model/bridge";
import { savedModel } from "./model/offline";
import styles from "./styles/index.css";

interface View {
	model: WidgetModel;
	el: HTMLElement;
}

/** Called by the host for each view of the model; returns what undoes it. */
function render({ model, el }: View): () => void {
	// JupyterLab looks for this on the element it can see, outside of our shadow root.
	el.dataset.lmSuppressShortcuts = "true";
	const { store, close } = connect(model);
	// The notebook's styles stop at a shadow root, and ours do not leak into the notebook.
	const root = el.shadowRoot ?? el.attachShadow({ mode: "open" });
	mount(
		<>
			<style>{styles}</style>
			<App store={store} host={el} />
		</>,
		root,
	);
	return () => {
		mount(null, root);
		close();
	};
}

/** Shows the traits of a saved page (bytes as base64), without a kernel. */
export function savedView(el: HTMLElement, state: Record<string, unknown>) {
	return render({ el, model: savedModel(state) });
}

export default { render };
