import type { Store } from "../../model/store";

export function Dialogs(_props: { store: Store }) {
	return null;
}
