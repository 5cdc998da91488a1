import type { Store } from "../../model/store";

export function Panel(_props: { store: Store }) {
	return null;
}
