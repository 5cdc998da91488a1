import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Players } from "../../model/protocol";
import type { DrawnAs } from "../../model/store";
import { useWidth } from "../controls/width";
import { Bar, type Drawn } from "./Bar";
import { scaleOf, spans } from "./geometry";
import { figures } from "./numbers";
import type { Row } from "./rows";
import { measureIn, wrap } from "./text";

const GUESSED_WIDTH = 388;
const LINE = 15;
const ROW = 26;
/** The lines above and below the rows, and the band of a force plot. */
const HEAD = 24;
const BAND = 64;
const FIGURE = 6.8;
const GAP = 10;

interface Props {
	players: Players;
	rows: Row[];
	drawnAs: DrawnAs;
	pointed: number[] | null;
	removed: number[];
	/** Why nothing can be taken away; empty where it can. */
	blocked: string;
	onPoint: (row: Row | null) => void;
	onPress: (row: Row) => void;
}

/** From E[f] to f(x): one row a player, all reachable with the arrow keys. */
export function Chart(props: Props) {
	const { players, rows, drawnAs, pointed, removed, blocked } = props;
	const box = useRef<HTMLDivElement>(null);
	const reachable = useSignal(0);
	const width = useWidth(box, GUESSED_WIDTH);
	const chart = layout(props, width, box.current);
	const last = rows.length - 1;
	const focus = (at: number) => {
		reachable.value = Math.min(last, Math.max(0, at));
		buttons(box.current)[reachable.value]?.focus();
	};
	const opened = useRef<number | null>(null);
	// The row that was opened is gone: the focus stays at its place.
	useEffect(() => {
		if (opened.current !== null) focus(opened.current);
		opened.current = null;
	});
	const onKeyDown = (event: KeyboardEvent, at: number) => {
		const acts: Record<string, () => void> = {
			ArrowDown: () => focus(at + 1),
			ArrowUp: () => focus(at - 1),
			Home: () => focus(0),
			End: () => focus(last),
			Enter: () => press(at),
			" ": () => press(at),
		};
		const act = acts[event.key];
		if (!act) return;
		event.preventDefault();
		event.stopPropagation();
		act();
	};
	const press = (at: number) => {
		const row = rows[at];
		if (!row) return;
		if (row.folded) opened.current = at;
		props.onPress(row);
	};
	const at = Math.min(reachable.value, last);
	return (
		<div ref={box} class="nbx-waterfall" data-drawn={drawnAs}>
			{/* biome-ignore lint/a11y/useSemanticElements: a drawing of buttons is no set of fields */}
			<svg
				width={width}
				height={chart.height}
				role="group"
				aria-label={`from E[f] = ${chart.base} to f(x) = ${chart.score}`}
			>
				<Ends {...chart} drawnAs={drawnAs} width={width} />
				{rows.map((row, i) => (
					<Bar
						key={row.players.join()}
						row={row}
						drawn={chart.rows[i] as Drawn}
						width={width}
						tabIndex={i === at ? 0 : -1}
						pointed={!!pointed && row.players.some((p) => pointed.includes(p))}
						removed={row.players.every((p) => removed.includes(p))}
						blocked={row.folded ? "" : blocked}
						onPoint={(on) => {
							if (on) reachable.value = i;
							props.onPoint(on ? row : null);
						}}
						onPress={() => press(i)}
						onKeyDown={(event) => onKeyDown(event, i)}
					/>
				))}
			</svg>
			<span class="nbx-hidden">{`${players.names.length} players`}</span>
		</div>
	);
}

function buttons(box: HTMLElement | null) {
	return [...(box?.querySelectorAll<SVGGElement>("[role=button]") ?? [])];
}

/** Where everything is drawn, in pixels. */
function layout(props: Props, width: number, element: HTMLElement | null) {
	const { players, rows, drawnAs } = props;
	const force = drawnAs === "force";
	const measure = measureIn(element);
	const text = figures([players.base, players.score], rows);
	const longest = Math.max(...rows.map(({ value }) => text(value).length));
	const right = width - FIGURE * longest - GAP;
	const widest = Math.max(...rows.map((row) => measure(label(row))));
	const room = Math.min(widest, force ? right - GAP : 0.36 * width) + 1;
	const bars = spans(rows, players.base, drawnAs);
	const marks = drawnAs === "bars" ? [] : [players.base, players.score];
	const x = force
		? scaleOf(rows.map(exact), bars, marks, 1, width - 1)
		: scaleOf(rows, bars, marks, room + GAP, right - 4);
	let top = force ? BAND + HEAD : drawnAs === "bars" ? 0 : HEAD;
	const drawn = rows.map((row, i): Drawn => {
		const { from, to } = bars[i] as (typeof bars)[number];
		const lines = wrap(label(row), room, measure);
		const height = Math.max(ROW, lines.length * LINE + ROW - LINE);
		const middle = top + height / 2;
		const wide = Math.abs(x(to) - x(from));
		const error = force ? null : row.error;
		const next: Drawn = {
			top,
			height,
			lines,
			figure: text(row.value),
			from: x(from),
			to: x(to),
			bar: force
				? { top: HEAD + 4, height: 24 }
				: { top: middle - 7.5, height: 15 },
			within: force && measure(row.name) + 12 < wide ? row.name : "",
			whisker: error === null ? null : [x(to - error), x(to + error)],
			link: null,
		};
		top += height;
		return next;
	});
	if (drawnAs === "waterfall")
		drawn.forEach((row, i) => {
			row.link = drawn[i + 1]?.bar.top ?? top + 4;
		});
	return {
		rows: drawn,
		first: drawn[0]?.bar.top ?? 0,
		base: text(players.base, false),
		score: text(players.score, false),
		start: x(drawnAs === "bars" ? 0 : players.base),
		end: x(players.score),
		bottom: top,
		height: top + (drawnAs === "waterfall" ? HEAD : 4),
	};
}

/** As it is drawn: what can be opened has a mark. */
const label = ({ name, folded }: Row) => (folded ? `${name} ▸` : name);

const exact = (row: Row): Row => ({ ...row, error: null });

type EndsProps = ReturnType<typeof layout> & {
	drawnAs: DrawnAs;
	width: number;
};

/** What is expected of any input, and what is said of this one. */
function Ends(props: EndsProps) {
	const { drawnAs, base, score, start, end, width, bottom, first } = props;
	if (drawnAs === "bars")
		return <path class="nbx-hairline" d={`M${start},0V${bottom}`} />;
	if (drawnAs === "force") {
		const anchor = (at: number) =>
			at < 0.25 * width ? "start" : at > 0.75 * width ? "end" : "middle";
		return (
			<>
				<text
					class="nbx-end nbx-final"
					x={end}
					y={14}
					text-anchor={anchor(end)}
				>
					f(x) = {score}
				</text>
				<path
					class="nbx-hairline"
					d={`M${end},${HEAD - 4}v8M${start},${HEAD + 28}v8`}
				/>
				<text
					class="nbx-end"
					x={start}
					y={HEAD + 50}
					text-anchor={anchor(start)}
				>
					E[f] = {base}
				</text>
			</>
		);
	}
	return (
		<>
			<text class="nbx-end" x={width} y={15} text-anchor="end">
				E[f] = {base}
			</text>
			<path class="nbx-hairline" d={`M${start},${HEAD - 8}V${first}`} />
			<text
				class="nbx-end nbx-final"
				x={width}
				y={bottom + 18}
				text-anchor="end"
			>
				f(x) = {score}
			</text>
		</>
	);
}
