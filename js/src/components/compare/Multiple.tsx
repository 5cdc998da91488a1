import { useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { whole } from "../../model/checking";
import type { Comparison, Result } from "../../model/protocol";
import type { Store } from "../../model/store";
import { classOf } from "../header/target";
import { Value } from "../panel/EvidenceList";
import { Degenerate } from "../stage/Badges";
import { Layered } from "../stage/Layered";
import { signed } from "../stage/numbers";
import { painting } from "../stage/painting";
import { valueAt } from "../stage/Readout";
import type { Raster } from "../stage/raster";
import type { Scene } from "../stage/scene";
import type { Size } from "../stage/viewport";
import { comparisonStale } from "./compared";
import { compared, type Measures } from "./measured";
import { nameOf } from "./names";

interface Props {
	store: Store;
	/** Which result of the comparison. */
	at: number;
	kind: Comparison["kind"];
	picture: Raster | null;
	pane: Size;
	measures: Measures;
}

/** One of the compared maps, with its name above, and below the first of its evidence and its checks. */
export function Multiple(props: Props) {
	const { store, at, kind, pane } = props;
	const scene = useCompared(props);
	const result = scene.result.value;
	if (!result) return null;
	const view = store.traits.view.value;
	// Beside each other they stand anyway: what "side by side" adds is the map on its own.
	const shows = view === "side" ? "map" : view;
	const [first] = result.evidence;
	const known = [...(first ? [first] : []), ...result.checks.filter(whole)];
	return (
		<li class="nbx-multiple">
			<Name store={store} at={at} kind={kind} result={result} />
			<Layered store={store} scene={scene} pane={pane} shows={shows}>
				<Degenerate result={result} />
				{comparisonStale(store) && (
					<div class="nbx-badges">
						<span class="nbx-badge">stale</span>
					</div>
				)}
				<Reading store={store} scene={scene} />
			</Layered>
			{known.map((evidence) => (
				<p
					key={evidence.name}
					class="nbx-multiple-evidence"
					title={evidence.help || undefined}
				>
					<span class="nbx-cut">{evidence.label.toLowerCase()}</span>
					<Value row={evidence} />
				</p>
			))}
		</li>
	);
}

function useCompared({ store, at, picture, measures }: Props): Scene {
	const result = useComputed(
		() => store.traits._comparison.value?.results[at] ?? null,
	);
	const description = useComputed(() => result.value?.description ?? null);
	const painted = useMemo(
		() => painting(store, compared(measures, at)),
		[store, measures, at],
	);
	return { ...painted, result, description, picture };
}

interface NameProps {
	store: Store;
	at: number;
	kind: Comparison["kind"];
	result: Result;
}

/** A click makes this method or class the current one. */
function Name({ store, at, kind, result }: NameProps) {
	const { method, target } = result.spec;
	const name = nameOf(result, kind);
	const off = store.offlineReason.value;
	return (
		<button
			type="button"
			class="nbx-multiple-name"
			aria-pressed={isCurrent(store, kind, result)}
			disabled={!!off}
			title={off || `${name}: make it the current ${WHAT[kind]}`}
			onClick={() => store.set(kind === "methods" ? { method } : { target })}
		>
			<span class="nbx-figure">{at + 1}</span>
			<span class="nbx-cut">{name}</span>
		</button>
	);
}

const WHAT = { methods: "method", targets: "class" };

function isCurrent(
	{ traits }: Store,
	kind: Comparison["kind"],
	{ spec }: Result,
): boolean {
	if (kind === "methods") return spec.method === traits.method.value;
	const { labels } = traits._catalog.value;
	const prediction = traits._prediction.value;
	const index = (target: typeof spec.target) =>
		classOf(target, labels, prediction);
	return index(spec.target) === index(traits.target.value);
}

/** The value under the crosshair, wherever the pointer is. */
function Reading({ store, scene }: { store: Store; scene: Scene }) {
	const pixel = store.ui.crosshair.value;
	const map = scene.heatmap.value;
	if (!pixel || !map) return null;
	const value = valueAt(map, store.traits._image.value, pixel);
	return <span class="nbx-badge nbx-reading">{signed(value)}</span>;
}
