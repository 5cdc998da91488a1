import { useSignal } from "@preact/signals";
import type { Concepts, Discovered, Discovery } from "../../model/protocol";
import type { Store } from "../../model/store";
import { figure } from "../controls/number";
import { Segmented } from "../controls/Segmented";
import { Slider } from "../controls/Slider";
import { Section } from "../panel/Section";
import { busy, Progress } from "./Progress";
import { Strip } from "./Strip";
import { send } from "./sending";
import { chosenLayers } from "./Testing";

const WAYS = [
	{ value: "craft", label: "CRAFT", name: "parts that make up activations" },
	{ value: "ace", label: "ACE", name: "clusters of segments, tested by TCAV" },
] as const;
const COUNT = 6;
const MOST = 12;
const LONGEST_NAME = 60;

/** Concepts that the network has by itself, to be named and tested. */
export function Discover({ store, known }: { store: Store; known: Concepts }) {
	const way = useSignal<"craft" | "ace">("craft");
	const count = useSignal(COUNT);
	const off = store.offlineReason.value;
	const [layer] = chosenLayers(store, known);
	const pictures = known.pictures.count + (known.explained ? 1 : 0);
	const few =
		pictures < known.pictures.fewest
			? `needs ${known.pictures.fewest} pictures of the class, better ${known.pictures.enough}`
			: "";
	const blocked = off || few || (layer ? "" : "choose a layer above");
	return (
		<Section name="discover">
			<Segmented
				label="way"
				value={way.value}
				options={[...WAYS]}
				disabled={!!off}
				onCommit={(next) => {
					way.value = next;
				}}
			/>
			<Slider
				label="concepts"
				help="how many are looked for, at most"
				minimum={2}
				maximum={MOST}
				step={1}
				initial={COUNT}
				value={count.value}
				disabled={!!off}
				onCommit={(next) => {
					count.value = next;
				}}
			/>
			<div class="nbx-choose">
				{busy(known.job) ? (
					<Progress store={store} job={known.job} />
				) : (
					<>
						<span class="nbx-soft nbx-grow">
							{few || `in the ${pictures} pictures of the class`}
						</span>
						<button
							type="button"
							class="nbx-button"
							disabled={!!blocked}
							title={blocked || `at ${layer}`}
							onClick={() =>
								send(store, {
									kind: "concept_discover",
									way: way.value,
									layer: layer ?? "",
									count: count.value,
								})
							}
						>
							Look for concepts
						</button>
					</>
				)}
			</div>
			{known.discovery && <Found store={store} discovery={known.discovery} />}
		</Section>
	);
}

function Found({ store, discovery }: { store: Store; discovery: Discovery }) {
	const { concepts, measure, target, layer, explained } = discovery;
	const most = Math.max(
		...concepts.map(({ importance }) => Math.abs(importance)),
	);
	const share =
		explained === null
			? ""
			: ` They account for ${Math.round(100 * explained)} % of the activations.`;
	return (
		<>
			<p class="nbx-note">
				<span>
					For {target} at <span class="nbx-mono">{layer}</span>: {measure}.
					{share}
				</span>
			</p>
			<ul class="nbx-cards">
				{concepts.map((one) => (
					<One
						key={one.name}
						store={store}
						one={one}
						layer={layer}
						share={most ? Math.abs(one.importance) / most : 0}
					/>
				))}
			</ul>
		</>
	);
}

interface OneProps {
	store: Store;
	one: Discovered;
	layer: string;
	/** Its importance, as a share of the largest. */
	share: number;
}

function One({ store, one, layer, share }: OneProps) {
	const off = store.offlineReason.value;
	const name = useSignal("");
	const keep = () => {
		if (name.value.trim())
			send(store, {
				kind: "concept_keep",
				discovered: one.name,
				name: name.value.trim(),
			});
	};
	return (
		<li class="nbx-card">
			<div class="nbx-card-head">
				<span class="nbx-cut nbx-grow">{one.kept || one.name}</span>
				<span class="nbx-importance" aria-hidden="true">
					<span style={{ width: `${100 * share}%` }} />
				</span>
				<span class="nbx-figure">
					{figure(one.importance, 2)} ± {figure(one.error, 1)}
				</span>
			</div>
			<div class="nbx-squares">
				{one.strip && (
					<Strip strip={one.strip} places={[...Array(one.shown).keys()]}>
						{(square, place) => <span key={place}>{square}</span>}
					</Strip>
				)}
			</div>
			<div class="nbx-row nbx-row-tight">
				<button
					type="button"
					class="nbx-button nbx-small"
					disabled={!!off}
					title={off || "where the layer sees it in the explained picture"}
					onClick={() =>
						send(store, {
							kind: "concept_map",
							concept: one.name,
							discovered: true,
							layer,
							show: "presence",
						})
					}
				>
					Show where it is
				</button>
				{one.kept ? (
					<span class="nbx-good">✓ kept as {one.kept}</span>
				) : (
					<>
						<input
							type="text"
							class="nbx-name-it"
							aria-label={`name for ${one.name}`}
							placeholder="what is it?"
							maxLength={LONGEST_NAME}
							disabled={!!off}
							value={name.value}
							onInput={({ currentTarget }) => {
								name.value = currentTarget.value;
							}}
							onKeyDown={(event) => {
								if (event.key === "Enter") keep();
							}}
						/>
						<button
							type="button"
							class="nbx-button nbx-small"
							disabled={!!off || !name.value.trim()}
							title={off || "make it one of the concepts, to be tested"}
							onClick={keep}
						>
							Keep
						</button>
					</>
				)}
			</div>
		</li>
	);
}
