import type { Concepts as Known } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Bottleneck } from "../bottleneck/Bottleneck";
import { OfClass, Random } from "./Against";
import { Cards } from "./Cards";
import { Discover } from "./Discover";
import { Scores } from "./Scores";
import { destination, sendFiles } from "./sending";
import { Testing } from "./Testing";

/** Concepts are built of pictures, tested, and looked for in what is explained. */
export function Concepts({ store }: { store: Store }) {
	const known = store.traits._concepts.value;
	if (!known)
		return <p class="nbx-note nbx-empty">There is nothing to test here.</p>;
	return <Builder store={store} known={known} />;
}

function Builder({ store, known }: { store: Store; known: Known }) {
	const { trouble, into } = store.ui.concepts;
	const bring = (files: FileList | undefined, event: Event) => {
		if (!files?.length) return;
		event.preventDefault();
		event.stopPropagation();
		const concept = destination(store, known);
		into.value = concept;
		sendFiles(store, "concept", concept, files);
	};
	return (
		// biome-ignore lint/a11y/noStaticElementInteractions: what is pasted or dropped has a button beside it
		<div
			class="nbx-concepts"
			onPaste={(event) => bring(event.clipboardData?.files, event)}
			onDragOver={(event) => event.preventDefault()}
			onDrop={(event) => bring(event.dataTransfer?.files, event)}
		>
			<Bottleneck store={store} />
			<p class="nbx-trouble nbx-concepts-trouble" role="alert">
				{trouble.value}
			</p>
			{known.failure && (
				<div class="nbx-failed nbx-concepts-failed" role="alert">
					<b>{known.failure.title}</b>
					<p>{known.failure.hint}</p>
				</div>
			)}
			<Cards store={store} known={known} />
			<Random store={store} known={known} />
			<OfClass store={store} known={known} />
			<Testing store={store} known={known} />
			<Scores store={store} known={known} />
			<Discover store={store} known={known} />
		</div>
	);
}
