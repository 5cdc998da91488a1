import type { Store } from "../../model/store";

export function History(_props: { store: Store }) {
	return null;
}
