import type {
	AblateRequest,
	Ablation,
	Grid,
	Picture,
	Players,
} from "../src/model/protocol";
import { decodeRuns, encodeRuns, type LabelMap } from "../src/model/runs";
import { bitmap, grid, prediction, SIZE, shade } from "./fixtures";

const NAMES = [
	"left eye",
	"forehead stripes",
	"right eye",
	"nose",
	"left ear",
	"background, right",
	"whiskers",
];
const VALUES = [2.31, 1.72, 1.44, 0.92, 0.77, -0.58, 0.41];

/** Regions around points: each pixel belongs to the nearest. */
export function regions(count: number): LabelMap {
	const centre = (i: number) => ({
		x: SIZE * ((0.35 + i * 0.618) % 1),
		y: SIZE * ((i + 0.5) / count),
	});
	const labels = Uint16Array.from({ length: SIZE * SIZE }, (_, at) => {
		const x = at % SIZE;
		const y = Math.floor(at / SIZE);
		const far = Array.from({ length: count }, (_, i) =>
			Math.hypot(x - centre(i).x, y - centre(i).y),
		);
		return far.indexOf(Math.min(...far));
	});
	return { width: SIZE, height: SIZE, labels };
}

/** `count` players; the first are named, the others ever smaller. */
export function players(count = 14, more: Partial<Players> = {}): Players {
	const values = Array.from(
		{ length: count },
		(_, i) => VALUES[i] ?? (i % 3 ? 0.24 : -0.19) / (i - 5),
	);
	const base = 0.42;
	return {
		names: Array.from({ length: count }, (_, i) => NAMES[i] ?? `region ${i}`),
		values,
		errors: values.map((value) => 0.03 + Math.abs(value) / 12),
		shown: [],
		labels: { shape: [SIZE, SIZE], data: encodeRuns(regions(count)) },
		base,
		score: values.reduce((sum, value) => sum + value, base),
		unit: "score",
		evaluations: 16384,
		...more,
	};
}

/** What the model says without some of `players(count)`: the drops add, but for pairs. */
export function ablation(
	{ players: removed }: Pick<AblateRequest, "players">,
	{ values, score }: Players = players(),
): Ablation {
	const singles = removed.map((player) => values[player] ?? 0);
	const interaction = removed.length > 1 ? 0.38 : null;
	const drop = singles.reduce((sum, one) => sum + one, interaction ?? 0);
	const fade = Math.exp(-drop / 2);
	return {
		players: removed,
		before: score,
		after: score - drop,
		choices: prediction.top.slice(0, 3).map((choice, i) => ({
			index: choice.index,
			label: choice.label,
			before: choice.probability ?? 0,
			after: Math.min(0.9, (choice.probability ?? 0) * (i ? 2 - fade : fade)),
		})),
		singles,
		interaction,
		picture: without(removed, values.length),
	};
}

/** The picture with these regions in grey. */
function without(removed: number[], count: number): Picture {
	const { labels } = regions(count);
	return bitmap(SIZE, SIZE, (x, y) =>
		removed.includes(labels[y * SIZE + x] ?? -1)
			? [128, 128, 128]
			: shade(x, y),
	);
}

/** The values at the players' places. */
export function painted({ values, labels }: Players): Grid {
	const map = labels && decodeRuns(labels.data, SIZE, SIZE);
	return grid(SIZE, SIZE, (x, y) => {
		const at = Math.floor(y * SIZE) * SIZE + Math.floor(x * SIZE);
		return values[map?.labels[at] ?? 0] ?? 0;
	});
}

/** What is known of the values after a share of the work: they waver still. */
export function early(whole: Players, share: number): Players {
	const waver = (i: number) => (1 - share) * Math.sin(7 * i + 20 * share);
	const values = whole.values.map((value, i) => value + 0.4 * waver(i));
	const errors = values.map(() => 0.05 + 0.3 * (1 - share));
	return { ...whole, values, errors };
}
