import { useLayoutEffect, useRef } from "preact/hooks";
import type { SummaryInfo } from "../../model/protocol";
import { compact } from "../controls/number";
import { useWidth } from "../controls/width";
import { Section } from "../panel/Section";
import { prepare } from "../stage/draw";
import { signed } from "../stage/numbers";
import { drawDots } from "./dots";
import { Shades } from "./Summary";
import type { Columns } from "./values";

interface Props {
	info: SummaryInfo;
	columns: Columns;
	player: number;
}

const HEIGHT = 180;
const EDGE = 6;
const GUESSED_WIDTH = 388;

/** A feature's value against its share, in the colours of the feature it interacts with most. */
export function Dependence({ info, columns, player }: Props) {
	const box = useRef<HTMLDivElement>(null);
	const canvas = useRef<HTMLCanvasElement>(null);
	const width = useWidth(box, GUESSED_WIDTH);
	const phi = columns.phi[player] ?? [];
	const own = columns.features[player] ?? [];
	const partner = info.partners[player] ?? player;
	const low = Math.min(0, ...phi);
	const high = Math.max(0, ...phi);
	useLayoutEffect(() => {
		const draw =
			canvas.current && prepare(canvas.current, { width, height: HEIGHT });
		if (!draw) return;
		const x = (place: number) => EDGE + place * (width - 2 * EDGE);
		const y = (value: number) =>
			EDGE + ((high - value) / (high - low || 1)) * (HEIGHT - 2 * EDGE);
		draw.fillStyle = "rgb(128 128 128 / 50%)";
		draw.fillRect(0, y(0) - 0.5, width, 1);
		const shades = columns.features[partner] ?? [];
		drawDots(
			draw,
			phi.flatMap((value, i) => {
				const place = own[i];
				if (place === null || place === undefined) return [];
				return [{ x: x(place), y: y(value), shade: shades[i] ?? null }];
			}),
		);
	}, [columns, player, width]);
	const name = info.names[player] ?? "";
	const choices = info.choices[player] ?? [];
	const ends = choices.length
		? choices
		: [compact(info.minimum[player] ?? 0), compact(info.maximum[player] ?? 0)];
	return (
		<Section
			name={name}
			aside={partner !== player && <Shades name={info.names[partner]} />}
		>
			<div ref={box} class="nbx-dependence">
				<span class="nbx-figure">{signed(high)}</span>
				<canvas
					ref={canvas}
					role="img"
					aria-label={`shares of ${name} against its value, from ${ends[0]} to ${ends.at(-1)}`}
					style={{ width: `${width}px`, height: `${HEIGHT}px` }}
				/>
				<span class="nbx-figure">{signed(low)}</span>
			</div>
			<div class="nbx-curve-ends">
				{ends.map((end) => (
					<span key={end}>{end}</span>
				))}
			</div>
		</Section>
	);
}
