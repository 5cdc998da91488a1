import { useSignal } from "@preact/signals";
import { changed } from "../../model/history";
import type { Found as Item } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Icon } from "../controls/Icon";
import { compact } from "../controls/number";
import { reason } from "../controls/reason";
import { Thumbnail } from "../controls/Thumbnail";
import { CodeButton, FigureButton } from "../dialogs/Taken";
import { Value } from "../panel/EvidenceList";
import { Section } from "../panel/Section";
import { Curve } from "./Curve";
import { Way } from "./Way";

/** The changed pictures that were found, and all about the one that is looked at. */
export function Found({ store }: { store: Store }) {
	const { looking } = store.ui.editor;
	const items = changed(store.traits._history.value).map(({ found }) => found);
	const item = items.find(({ id }) => id === looking.value);
	if (items.length === 0) return null;
	return (
		<Section name="found">
			<div class="nbx-found" role="radiogroup" aria-label="found pictures">
				{items.map((one) => (
					<label key={one.id} class="nbx-tile" title={one.says}>
						<input
							type="radio"
							value={one.id}
							checked={one === item}
							onClick={() => {
								looking.value = one === item ? null : one.id;
							}}
						/>
						<span class="nbx-tile-picture">
							<Thumbnail picture={one.picture} />
						</span>
						<span class="nbx-tile-name">{one.title}</span>
					</label>
				))}
			</div>
			{item && <Detail key={item.id} store={store} item={item} />}
		</Section>
	);
}

interface Props {
	store: Store;
	item: Item;
}

function Detail({ store, item }: Props) {
	const { kind, says, facts, shares, fragility, way, iterates, maps } = item;
	const probe = kind === "probe";
	return (
		<>
			<p class="nbx-says">
				<b>{probe ? `${item.title}: ` : `To be ${item.title}: `}</b>
				{says}
			</p>
			<div class="nbx-pair">
				<Captioned picture={item.picture} words="changed" />
				<Captioned
					picture={item.change}
					words={`change × ${compact(item.amplified, 3)}, about grey`}
				/>
				{maps[0] && <Captioned picture={maps[0]} words="its map before" />}
				{maps[1] && <Captioned picture={maps[1]} words="and after" />}
			</div>
			<dl class="nbx-evidence">
				{facts.map((fact) => (
					<div key={fact.name} title={fact.help}>
						<dt>{fact.label}</dt>
						<dd>
							<Value row={fact} />
						</dd>
					</div>
				))}
				{shares.map(({ name, share }) => (
					<div key={name}>
						<dt>change in {name}</dt>
						<dd class="nbx-value">{(100 * share).toFixed(0)} %</dd>
					</div>
				))}
			</dl>
			<Way way={way} iterates={iterates} />
			{fragility && <Fragile fragility={fragility} />}
			<Acts store={store} item={item} />
		</>
	);
}

function Captioned({
	picture,
	words,
}: {
	picture: Item["picture"];
	words: string;
}) {
	return (
		<figure>
			<Thumbnail picture={picture} />
			<figcaption>{words}</figcaption>
		</figure>
	);
}

/** What is left of the prediction against epsilon. */
function Fragile({ fragility }: { fragility: NonNullable<Item["fragility"]> }) {
	const { epsilon, confidence, random, kept, flags } = fragility;
	const lost = epsilon[kept.findIndex((value) => value < 1)];
	return (
		<>
			<Curve
				label="probability of its class"
				lines={[confidence, random]}
				range={[0, 1]}
				ends={["ε 0", `ε ${compact(epsilon.at(-1) ?? 0, 3)}`]}
			/>
			<p class="nbx-note">
				{lost === undefined
					? "The prediction holds at every epsilon tried."
					: `The prediction is lost at epsilon ${compact(lost, 3)}.`}{" "}
				The soft line: whether it holds under random changes.
			</p>
			{flags.map((flag) => (
				<p class="nbx-trouble" key={flag}>
					{flag}
				</p>
			))}
		</>
	);
}

function Acts({ store, item }: Props) {
	const off = store.offlineReason.value;
	const trouble = useSignal("");
	const told = (why: string) => {
		trouble.value = why;
	};
	const explain = async () => {
		told("");
		try {
			await store.ask({ kind: "found", action: "explain", item: item.id });
			store.ui.tab.value = "explain";
		} catch (failure) {
			told(reason(failure));
		}
	};
	const forget = () =>
		store
			.ask({ kind: "history", action: "forget", item: item.id })
			.catch((failure) => told(reason(failure)));
	return (
		<>
			<div class="nbx-row">
				<button
					type="button"
					class="nbx-button nbx-small"
					disabled={!!off}
					title={off || "it becomes the picture that is explained"}
					onClick={explain}
				>
					Explain this picture
				</button>
				<FigureButton
					store={store}
					request={{ kind: "found", action: "figure", item: item.id }}
					onTrouble={told}
				/>
				{item.kind === "counterfactual" && (
					<FigureButton
						label="JSON"
						store={store}
						request={{ kind: "found", action: "json", item: item.id }}
						onTrouble={told}
					/>
				)}
				<Code store={store} item={item.id} />
				<button
					type="button"
					class="nbx-link nbx-square"
					aria-label={`forget ${item.title}`}
					disabled={!!off}
					onClick={forget}
				>
					<Icon name="close" />
				</button>
			</div>
			<p class="nbx-trouble" role="alert">
				{trouble.value}
			</p>
		</>
	);
}

/** The code of something found, or, where the id is empty, of the edit by hand. */
export function Code({ store, item }: { store: Store; item: string }) {
	return (
		<CodeButton
			store={store}
			request={{ kind: "found", action: "code", item }}
		/>
	);
}
