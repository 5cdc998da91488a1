import base from "./base.css";
import compare from "./compare.css";
import controls from "./controls.css";
import dialogs from "./dialogs.css";
import header from "./header.css";
import heads from "./heads.css";
import history from "./history.css";
import panel from "./panel.css";
import stage from "./stage.css";

export const styles = [
	base,
	controls,
	header,
	stage,
	panel,
	compare,
	heads,
	history,
	dialogs,
].join("\n");
