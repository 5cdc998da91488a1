/** Numbers as the panel writes them: few digits, no leading zero, so that columns stay narrow. */
export function compact(value: number, digits = 4): string {
	if (!Number.isFinite(value)) return "–";
	// Whole numbers are settings or counts: 16384 is not 16380.
	if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value);
	return String(Number(value.toPrecision(digits))).replace(/^(-?)0\./, "$1.");
}

/** The same with a typographic minus, for text that nobody edits. */
export function figure(value: number, digits = 3): string {
	return compact(value, digits).replace("-", "−");
}

/** Two digits, so that columns are aligned: .41, −.17, 1.00. */
export function fraction(value: number): string {
	if (Number.isNaN(value)) return "–";
	return value
		.toFixed(2)
		.replace(/^(-?)0/, "$1")
		.replace("-", "−");
}

/** Reads what people type, decimal comma and typographic minus included; null if it is no number. */
export function parse(text: string): number | null {
	const plain = text.trim().replace(",", ".").replace("−", "-");
	const value = Number(plain);
	return plain === "" || !Number.isFinite(value) ? null : value;
}

export function clamp(value: number, minimum: number, maximum: number): number {
	return Math.min(maximum, Math.max(minimum, value));
}

export interface Scale {
	minimum: number;
	maximum: number;
	step: number;
	logarithmic: boolean;
}

/** Rounds to the grid of steps without the tails that binary fractions leave (0.30000000000000004). */
export function snap(value: number, { minimum, maximum, step }: Scale): number {
	if (step <= 0) return clamp(value, minimum, maximum);
	const steps = Math.round((value - minimum) / step);
	return clamp(
		Number((minimum + steps * step).toPrecision(12)),
		minimum,
		maximum,
	);
}

/** A logarithmic track needs a positive start; a range that begins at zero starts at one step. */
function start(scale: Scale): number {
	return scale.minimum > 0 ? scale.minimum : scale.step || scale.maximum / 1000;
}

/** Where a value lies on the track, 0 to 1. */
export function position(value: number, scale: Scale): number {
	const { minimum, maximum, logarithmic } = scale;
	if (maximum <= minimum) return 0;
	if (!logarithmic) return clamp((value - minimum) / (maximum - minimum), 0, 1);
	const low = start(scale);
	return clamp(
		Math.log(Math.max(value, low) / low) / Math.log(maximum / low),
		0,
		1,
	);
}

/** The value at a place on the track: the inverse of `position`, snapped to the steps. */
export function valueAt(place: number, scale: Scale): number {
	const { minimum, maximum, logarithmic } = scale;
	if (!logarithmic) return snap(minimum + place * (maximum - minimum), scale);
	if (place <= 0) return minimum;
	const low = start(scale);
	return snap(low * (maximum / low) ** place, scale);
}
