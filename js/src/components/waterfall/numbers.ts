import { signed } from "../stage/numbers";
import type { Row } from "./rows";

const MOST_DECIMALS = 5;

/** Writes values with as many decimals as the largest needs for three digits, so that they align. */
export function figures(ends: number[], rows: Row[]) {
	const largest = Math.max(
		...ends.map(Math.abs),
		...rows.map(({ value }) => Math.abs(value)),
	);
	const decimals = Math.max(0, 2 - Math.floor(Math.log10(largest || 1)));
	return (value: number, sign = true): string => {
		if (decimals > MOST_DECIMALS)
			return sign ? signed(value) : signed(value).replace("+", "");
		const digits = Math.abs(value).toFixed(decimals);
		const nothing = Number(digits) === 0;
		const before = value < 0 && !nothing ? "−" : sign && !nothing ? "+" : "";
		return before + digits;
	};
}

/** 16384 -> 16 384, with spaces that do not break. */
export function thousands(count: number): string {
	return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}
