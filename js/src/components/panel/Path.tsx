import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Control, Curve, Evidence, Result } from "../../model/protocol";
import type { Store } from "../../model/store";
import { figure } from "../controls/number";
import { reason } from "../controls/reason";
import { Slider } from "../controls/Slider";
import { cumulativeMap, gap } from "./alongPath";
import { CurveView } from "./CurveView";
import { Value } from "./EvidenceList";
import { Section } from "./Section";

interface Props {
	store: Store;
	result: Result;
	curve: Curve;
	/** Belongs to the result before the one that is being computed. */
	outdated: boolean;
}

export function Path({ store, result, curve, outdated }: Props) {
	const { alpha } = store.ui;
	/** Where the scrubber was left; hovering only looks past it. */
	const kept = useRef<number | null>(null);
	const trouble = useScrubbedMap(store, result);
	const scrub = (to: number, keep: boolean) => {
		if (keep) kept.current = to;
		alpha.value = to;
	};
	const whole = () => {
		kept.current = null;
		alpha.value = null;
	};
	return (
		<Section
			name="path"
			dim={outdated}
			aside={
				<button
					type="button"
					class="nbx-link nbx-small"
					disabled={alpha.value === null}
					onClick={whole}
				>
					whole path
				</button>
			}
		>
			<CurveView
				curve={curve}
				alpha={alpha.value}
				onScrub={scrub}
				onLeave={() => {
					alpha.value = kept.current;
				}}
				onWhole={whole}
			/>
			<Slider
				label="α"
				help="How far along the path from the baseline to the picture."
				value={alpha.value ?? 1}
				minimum={0}
				maximum={1}
				step={0.01}
				onDrag={(to) => scrub(to, true)}
				onCommit={(to) => scrub(to, true)}
			/>
			{trouble && <p class="nbx-note">{trouble}</p>}
			<Gap store={store} result={result} curve={curve} />
		</Section>
	);
}

/**
 * Draws the attribution up to `ui.alpha` on the stage, and the whole again on the way out.
 * Returns why the stage does not follow, if it does not.
 */
function useScrubbedMap(store: Store, result: Result): string {
	const trouble = useSignal("");
	const { alpha, scrubbed } = store.ui;
	useSignalEffect(() => {
		const at = alpha.value;
		if (at === null || !result.curve?.has_maps) {
			scrubbed.value = null;
			return;
		}
		store
			.path(result.id)
			.then((path) => {
				if (alpha.peek() !== at) return;
				scrubbed.value = cumulativeMap(path.alpha, path.maps, at);
			})
			.catch((failure) => {
				scrubbed.value = null;
				trouble.value = reason(failure);
			});
	});
	useEffect(
		() => () => {
			alpha.value = null;
			scrubbed.value = null;
		},
		[alpha, scrubbed],
	);
	return trouble.value;
}

/** The threshold of the verdict belongs to Python: it is read from the evidence, not kept twice. */
function Gap({ store, result, curve }: Omit<Props, "outdated">) {
	const known = result.evidence.find(({ name }) => name === "completeness_gap");
	const row: Evidence = known ?? {
		name: "completeness_gap",
		label: "completeness gap",
		value: figure(gap(curve)),
		verdict: "plain",
		help: "Sum of the attribution less the difference of the scores.",
	};
	const steps = stepsOf(store, result);
	const most = steps?.maximum ?? Number.POSITIVE_INFINITY;
	const params = store.traits.params.value;
	const now = Number(steps ? (params[steps.name] ?? steps.default) : 0);
	return (
		<div class="nbx-gap">
			<span class="nbx-soft">gap</span>
			<Value row={row} />
			{steps && (
				<button
					type="button"
					class="nbx-button nbx-small"
					disabled={now >= most || !!store.offlineReason.value}
					title={store.offlineReason.value || undefined}
					onClick={() =>
						store.set({
							params: { ...params, [steps.name]: Math.min(2 * now, most) },
						})
					}
				>
					double the steps
				</button>
			)}
		</div>
	);
}

/** Only while the controls belong to the method that is looked at. */
function stepsOf(store: Store, result: Result): Control | undefined {
	const name = store.traits.method.value;
	if (name !== result.spec.method) return undefined;
	const { methods } = store.traits._catalog.value;
	return methods
		.find((method) => method.name === name)
		?.controls.find((control) => /steps$/.test(control.name));
}
