import type { Checked, Offer, Underway } from "../../model/protocol";
import type { Store } from "../../model/store";
import { SIGNS } from "../panel/EvidenceList";
import { about } from "./asking";
import { CascadeView } from "./CascadeView";
import { RemovedView } from "./RemovedView";
import { SpreadView } from "./SpreadView";

interface Props {
	store: Store;
	checked: Checked | undefined;
	offer: Offer | undefined;
	underway: Underway | undefined;
	ticked: boolean;
	onTick: () => void;
}

/** One check: what it would do, how far it is, what it found. */
export function Card({
	store,
	checked,
	offer,
	underway,
	ticked,
	onTick,
}: Props) {
	const { name, label } = checked ?? offer ?? { name: "", label: "" };
	const off = store.offlineReason.value || offer?.obstacle || undefined;
	const partial = checked && checked.done < checked.total;
	return (
		<section
			class="nbx-section nbx-checked"
			data-section={name}
			aria-label={label}
		>
			<div class="nbx-section-head">
				<h3>
					{offer ? (
						<label title={off}>
							<input
								type="checkbox"
								checked={ticked}
								disabled={!!off}
								onChange={onTick}
							/>
							{label}
						</label>
					) : (
						label
					)}
				</h3>
				<span class="nbx-soft nbx-checked-state">
					{stateOf(checked, offer, underway)}
				</span>
			</div>
			{checked && !partial && <Outcome checked={checked} />}
			{!partial && (
				<p class="nbx-checked-reading">{checked?.help ?? offer?.does}</p>
			)}
			{offer?.obstacle && (
				<p class="nbx-soft nbx-checked-reading">
					Not for this result: {offer.obstacle}.
				</p>
			)}
			{underway?.trouble && (
				<p class="nbx-failed" role="note">
					{underway.trouble}
				</p>
			)}
			{checked?.removed && <RemovedView removed={checked.removed} />}
			{checked?.cascade && (
				<CascadeView store={store} cascade={checked.cascade} />
			)}
			{checked?.spread && <SpreadView store={store} spread={checked.spread} />}
		</section>
	);
}

/** At the right of the title: how far it is, or how long it would take. */
function stateOf(
	checked: Checked | undefined,
	offer: Offer | undefined,
	underway: Underway | undefined,
): string {
	const far = checked ? `${checked.done} of ${checked.total}` : "";
	if (underway?.state === "running") return far || "running";
	if (underway?.state === "queued") return "queued";
	if (underway?.state === "failed") return "failed";
	if (checked) return checked.done < checked.total ? `stopped at ${far}` : "";
	if (!offer || offer.obstacle) return "";
	return about(offer.seconds);
}

const UNKNOWN = "cannot tell";

/** The number, and its verdict as a sign and a word. */
function Outcome({ checked: { value, verdict } }: { checked: Checked }) {
	const unknown = value === UNKNOWN;
	return (
		<p class="nbx-outcome">
			<b class="nbx-figure">{value}</b>
			{(verdict !== "plain" || unknown) && (
				<span class={`nbx-chip nbx-${verdict}`}>
					<span aria-hidden="true">{unknown ? "?" : SIGNS[verdict]}</span>
					{unknown ? "no verdict" : verdict}
				</span>
			)}
		</p>
	);
}
