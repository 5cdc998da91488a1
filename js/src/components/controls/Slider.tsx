import { useSignal } from "@preact/signals";
import { useId, useRef } from "preact/hooks";
import { type Described, Field } from "./Field";
import { NumberField } from "./NumberField";
import { compact, position, type Scale, valueAt } from "./number";

interface Props extends Described {
	value: number;
	minimum: number;
	maximum: number;
	step?: number;
	logarithmic?: boolean;
	unit?: string;
	initial?: number;
	/** While the handle moves. */
	onDrag?: (value: number) => void;
	/** On release, on a key, and from the number field. */
	onCommit: (value: number) => void;
}

/** The native range runs from 0 to TRACK on a logarithmic scale, which it does not know itself. */
const TRACK = 1000;

export function Slider(props: Props) {
	const { label, help, disabled, value, initial, unit, onDrag, onCommit } =
		props;
	const scale: Scale = {
		minimum: props.minimum,
		maximum: props.maximum,
		step: props.step ?? 0,
		logarithmic: props.logarithmic ?? false,
	};
	const dragged = useSignal<number | null>(null);
	const held = useRef(false);
	const id = useId();
	const now = dragged.value ?? value;
	const commit = (next: number) => {
		dragged.value = null;
		onCommit(next);
	};
	const changed = initial !== undefined && initial !== value;
	return (
		<Field
			label={label}
			help={help}
			helpId={`${id}-help`}
			control={id}
			disabled={disabled}
			onReset={changed ? () => commit(initial) : null}
			resetTo={changed ? `${compact(initial)}${unit ? ` ${unit}` : ""}` : ""}
		>
			<div class="nbx-slider">
				<Track
					id={id}
					scale={scale}
					value={now}
					initial={initial}
					unit={unit}
					describedBy={help ? `${id}-help` : undefined}
					disabled={disabled}
					onDrag={(next) => {
						dragged.value = next;
						// A key is released at once: what it asks for is final.
						if (held.current) onDrag?.(next);
					}}
					onHold={() => {
						held.current = true;
					}}
					onRelease={() => {
						held.current = false;
						// Let go where it was taken, the range reports no change: end the drag here.
						setTimeout(() => {
							if (dragged.peek() !== null) commit(dragged.peek() as number);
						});
					}}
					onCommit={commit}
				/>
				<NumberField
					label={`${label}, number`}
					value={now}
					unit={unit}
					scale={scale}
					disabled={disabled}
					onCommit={commit}
				/>
			</div>
		</Field>
	);
}

interface TrackProps {
	id: string;
	scale: Scale;
	value: number;
	initial?: number;
	unit?: string;
	describedBy?: string;
	disabled?: boolean;
	onDrag: (value: number) => void;
	onCommit: (value: number) => void;
	onHold: () => void;
	onRelease: () => void;
}

function Track(props: TrackProps) {
	const { id, scale, value, initial, unit, disabled, onDrag, onCommit } = props;
	const place = position(value, scale);
	const read = (event: Event) => {
		const raw = (event.currentTarget as HTMLInputElement).valueAsNumber;
		return scale.logarithmic ? valueAt(raw / TRACK, scale) : raw;
	};
	const range = scale.logarithmic
		? { min: 0, max: TRACK, step: 1, value: Math.round(place * TRACK) }
		: {
				min: scale.minimum,
				max: scale.maximum,
				step: scale.step || "any",
				value,
			};
	return (
		<div class="nbx-track" style={{ "--place": place }}>
			{initial !== undefined && (
				<span
					class="nbx-tick"
					style={{ "--place": position(initial, scale) }}
				/>
			)}
			<input
				{...range}
				id={id}
				type="range"
				disabled={disabled}
				aria-describedby={props.describedBy}
				aria-valuetext={`${compact(value)}${unit ? ` ${unit}` : ""}`}
				onPointerDown={props.onHold}
				onPointerUp={props.onRelease}
				onPointerCancel={props.onRelease}
				onInput={(event) => onDrag(read(event))}
				onChange={(event) => onCommit(read(event))}
			/>
		</div>
	);
}
