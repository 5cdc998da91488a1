import { figure } from "../controls/number";
import type { Row } from "./rows";

/** A row in pixels. The bar runs from `from` to `to`; the rest lies on the row itself. */
export interface Drawn {
	top: number;
	height: number;
	/** The name, wrapped. */
	lines: string[];
	figure: string;
	from: number;
	to: number;
	bar: { top: number; height: number };
	/** The name once more, where it is drawn in the bar. */
	within: string;
	whisker: [number, number] | null;
	/** How far down the line to the next bar goes. */
	link: number | null;
}

interface Props {
	row: Row;
	drawn: Drawn;
	width: number;
	tabIndex: number;
	pointed: boolean;
	removed: boolean;
	/** Why it cannot be pressed; empty where it can. */
	blocked: string;
	onPoint: (on: boolean) => void;
	onPress: () => void;
	onKeyDown: (event: KeyboardEvent) => void;
}

const LINE = 15;

/** A player: its name, its bar with a whisker, its number. A button, as a whole. */
export function Bar(props: Props) {
	const { row, drawn, width, tabIndex, pointed, removed, blocked } = props;
	const { top, height, lines, from, to, bar, whisker, link } = drawn;
	const middle = top + height / 2;
	const first = middle + 4 - ((lines.length - 1) * LINE) / 2;
	return (
		// biome-ignore lint/a11y/useSemanticElements: HTML has no place within a drawing
		<g
			class="nbx-player"
			role="button"
			tabIndex={tabIndex}
			aria-label={said(row)}
			aria-pressed={row.folded ? undefined : removed}
			aria-expanded={row.folded ? false : undefined}
			aria-disabled={!!blocked}
			data-sign={row.value < 0 ? "negative" : "positive"}
			data-pointed={pointed}
			onPointerEnter={() => props.onPoint(true)}
			onPointerLeave={() => props.onPoint(false)}
			onFocus={() => props.onPoint(true)}
			onBlur={() => props.onPoint(false)}
			onClick={() => blocked || props.onPress()}
			onKeyDown={props.onKeyDown}
		>
			<title>{blocked || hint(row, removed)}</title>
			<rect
				class="nbx-player-row"
				x={-6}
				y={top}
				width={width + 12}
				height={height}
				rx={4}
			/>
			<text class="nbx-player-name">
				{lines.map((line, i) => (
					<tspan key={`${i} ${line}`} x={0} y={first + i * LINE}>
						{line}
					</tspan>
				))}
			</text>
			{link !== null && (
				<path
					class="nbx-hairline"
					d={`M${to},${bar.top + bar.height}V${link}`}
				/>
			)}
			<rect
				class="nbx-player-bar"
				x={Math.min(from, to)}
				y={bar.top}
				width={Math.max(1, Math.abs(to - from))}
				height={bar.height}
				rx={2}
			/>
			{drawn.within && (
				<text
					class="nbx-player-within"
					x={(from + to) / 2}
					y={bar.top + bar.height / 2 + 4}
					text-anchor="middle"
				>
					{drawn.within}
				</text>
			)}
			{whisker && (
				<path
					class="nbx-whisker"
					d={`M${whisker[0]},${middle}H${whisker[1]}`}
				/>
			)}
			<text
				class="nbx-player-figure"
				x={width}
				y={middle + 4}
				text-anchor="end"
			>
				{drawn.figure}
			</text>
		</g>
	);
}

function said({ name, value, error, folded }: Row): string {
	const spread = error === null ? "" : `, standard error ${figure(error, 2)}`;
	return `${name}: ${figure(value)}${spread}${folded ? ", open them" : ""}`;
}

function hint({ name, error, folded }: Row, removed: boolean): string {
	if (folded) return `show the ${name}`;
	const spread = error === null ? "" : ` (± ${figure(error, 2)})`;
	return `${name}${spread}: ${removed ? "put it back" : "take it away"}`;
}
