/** Three significant digits with their sign and a typographic minus: +0.0131, −4.2e-7. */
export function signed(value: number): string {
	if (value === 0) return "0";
	const digits = String(Number(Math.abs(value).toPrecision(3)));
	return (value < 0 ? "−" : "+") + digits;
}

export function plain(value: number): string {
	return signed(value).replace("+", "");
}

/** 98 -> 98th, 91 -> 91st. */
export function ordinal(value: number): string {
	const whole = Math.floor(value);
	const teen = whole % 100 > 10 && whole % 100 < 14;
	const ending = teen ? "th" : (["th", "st", "nd", "rd"][whole % 10] ?? "th");
	return `${whole}${ending}`;
}

/** The magnitude at a percentile, in words. */
export function percentileName(value: number): string {
	if (value >= 100) return "maximum";
	const whole = Number.isInteger(value) ? ordinal(value) : `${value}th`;
	return `${whole} percentile`;
}

export function percent(value: number): string {
	return `${Number(value.toFixed(1))} %`;
}
