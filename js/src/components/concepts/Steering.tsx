import { useSignal } from "@preact/signals";
import type { Concepts, Steering as Curve, Tested } from "../../model/protocol";
import type { Store } from "../../model/store";
import { figure } from "../controls/number";
import { Slider } from "../controls/Slider";
import { busy } from "./Progress";
import { send } from "./sending";

const STEP = 0.25;

interface Props {
	store: Store;
	known: Concepts;
	tested: Tested;
}

/** More or less of a concept inside the network, and what the model then says of the picture. */
export function Steering({ store, known, tested }: Props) {
	const { concept, layer } = tested;
	const off = store.offlineReason.value;
	const curve = known.steered.find(
		(each) => each.concept === concept && each.layer === layer,
	);
	if (curve) return <Doses curve={curve} />;
	const running = busy(known.job) ? "wait for what is running" : "";
	return (
		<div class="nbx-row">
			<button
				type="button"
				class="nbx-button nbx-small"
				disabled={!!(off || running)}
				title={
					off ||
					running ||
					"moves the picture along the concept inside the network"
				}
				onClick={() => send(store, { kind: "concept_steer", concept, layer })}
			>
				More or less of it
			</button>
		</div>
	);
}

function Doses({ curve }: { curve: Curve }) {
	const { doses, scores, best, turning, target, concept, random } = curve;
	const dose = useSignal(0);
	const [first = -1] = doses;
	const last = doses.at(-1) ?? 1;
	const at = nearest(doses, dose.value);
	const span = last - first || 1;
	const every = [...scores, ...random.flat()];
	const [low, high] = [Math.min(...every), Math.max(...every)];
	const x = (value: number) => (100 * (value - first)) / span;
	const y = (value: number) => 96 - (92 * (value - low)) / (high - low || 1);
	const line = doses.map((each, i) => `${x(each)} ${y(scores[i] ?? 0)}`);
	return (
		<div class="nbx-steering">
			<div class="nbx-curve-plot">
				<svg
					viewBox="0 0 100 100"
					preserveAspectRatio="none"
					aria-hidden="true"
				>
					<line class="nbx-hairline" x1={x(0)} x2={x(0)} y1="0" y2="100" />
					{random.map((ends, end) =>
						ends.map((score, i) => (
							<line
								key={`${end} ${i}`}
								class="nbx-steering-random"
								x1={end ? 97 : 0}
								x2={end ? 100 : 3}
								y1={y(score)}
								y2={y(score)}
							/>
						)),
					)}
					<path class="nbx-curve-line" d={`M${line.join("L")}`} />
				</svg>
				<span
					class="nbx-steering-dot"
					style={{
						left: `${x(doses[at] ?? 0)}%`,
						top: `${y(scores[at] ?? 0)}%`,
					}}
				/>
			</div>
			<Slider
				label="dose"
				help={`1 adds what lies between random pictures and ${concept}, −1 takes it away`}
				minimum={first}
				maximum={last}
				step={STEP}
				initial={0}
				value={dose.value}
				onDrag={(next) => {
					dose.value = next;
				}}
				onCommit={(next) => {
					dose.value = next;
				}}
			/>
			<p class="nbx-note" aria-live="polite">
				<span>
					{target} {figure(scores[at] ?? 0)}
				</span>
				{best[at] && <span>predicted: {best[at]}</span>}
			</p>
			{curve.farther !== null && (
				<p class="nbx-note">
					It moves the score farther than {curve.farther} of {random[0]?.length}{" "}
					random directions as long, whose ends are grey.
				</p>
			)}
			<p class="nbx-note">
				{turning === null
					? "No dose here changes the predicted class."
					: `Another class is predicted from a dose of ${figure(turning)}.`}{" "}
				Far doses leave what the network has ever seen.
			</p>
		</div>
	);
}

function nearest(values: number[], wanted: number): number {
	let best = 0;
	values.forEach((value, i) => {
		const nearer =
			Math.abs(value - wanted) < Math.abs((values[best] ?? 0) - wanted);
		if (nearer) best = i;
	});
	return best;
}
