import { useId } from "preact/hooks";
import { evidenceOf } from "../../model/checking";
import type { Evidence, Result, Verdict } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Section } from "./Section";

interface Props {
	store: Store;
	result: Result;
}

export function EvidenceList({ store, result }: Props) {
	const evidence = evidenceOf(store, result);
	if (evidence.length === 0) return null;
	return (
		<Section name="evidence">
			<dl class="nbx-evidence">
				{evidence.map((row) => (
					<div key={row.name} title={row.help}>
						<dt>{row.label.toLowerCase()}</dt>
						<dd>
							<Value row={row} />
						</dd>
					</div>
				))}
			</dl>
		</Section>
	);
}

/** The verdict as a sign and, for those who cannot see it, as a word. */
export const SIGNS: Record<Verdict, string> = {
	good: "✓",
	weak: "~",
	poor: "✕",
	plain: "",
};

export function Value({ row }: { row: Evidence }) {
	const id = useId();
	const { value, verdict, help } = row;
	return (
		<span
			class={`nbx-value nbx-${verdict}`}
			title={help || undefined}
			aria-describedby={help ? id : undefined}
		>
			{value}
			{verdict !== "plain" && (
				<>
					<span class="nbx-verdict" aria-hidden="true">
						{SIGNS[verdict]}
					</span>
					<span class="nbx-hidden">, {verdict}</span>
				</>
			)}
			{help && (
				<span id={id} hidden>
					{help}
				</span>
			)}
		</span>
	);
}
