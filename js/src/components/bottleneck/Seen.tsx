import type { SeenConcept } from "../../model/protocol";

interface Props {
	concept: SeenConcept;
	/** Most worth asking for. */
	next: boolean;
	/** Why nothing can be corrected now. */
	off: string;
	onCorrect: (value: number | null) => void;
}

const ANSWERS = [
	{ label: "no", value: 0 },
	{ label: "yes", value: 1 },
];

/** A concept as the model sees it, and what it is corrected to. */
export function Seen({ concept, next, off, onCorrect }: Props) {
	const { name, probability, uncertainty, corrected } = concept;
	const value = corrected ?? probability;
	const opposite = probability < 0.5 ? 1 : 0;
	const does =
		corrected === null
			? `say that ${name} is ${opposite ? "there" : "not there"}`
			: `take the model's word for ${name} again`;
	return (
		<li class="nbx-seen" data-next={next} data-corrected={corrected !== null}>
			<button
				type="button"
				class="nbx-seen-columns"
				disabled={!!off}
				title={off || does}
				aria-label={`${name}, ${corrected === null ? "predicted" : "corrected to"} ${value.toFixed(2)}: ${does}`}
				onClick={() => onCorrect(corrected === null ? opposite : null)}
			>
				<span class="nbx-cut">
					{name}
					{next && <span class="nbx-seen-next">next</span>}
				</span>
				<span class="nbx-share">
					<span style={{ width: `${100 * value}%` }} />
					{corrected !== null && (
						<i style={{ left: `${100 * probability}%` }} />
					)}
				</span>
				<span class="nbx-figure">{value.toFixed(2)}</span>
				<span class="nbx-figure">
					{corrected === null ? uncertainty.toFixed(2) : "told"}
				</span>
			</button>
			<fieldset class="nbx-answers" aria-label={`is ${name} there?`}>
				{ANSWERS.map((answer) => (
					<button
						key={answer.label}
						type="button"
						aria-pressed={corrected === answer.value}
						disabled={!!off}
						title={off || undefined}
						onClick={() =>
							onCorrect(corrected === answer.value ? null : answer.value)
						}
					>
						{answer.label}
					</button>
				))}
			</fieldset>
		</li>
	);
}
