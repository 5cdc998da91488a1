import type {
	Edits,
	Found,
	HistoryItem,
	Painted,
	PaintRequest,
} from "../src/model/protocol";
import { decodeRuns } from "../src/model/runs";
import { bitmap, prediction, SIZE, shade } from "./fixtures";

/** What the model says of an edited picture: the more is painted, the less of a cat it is. */
export function painted(
	{ shape, adjustments }: Pick<PaintRequest, "shape" | "adjustments">,
	data: ArrayBuffer,
): Painted {
	const [rows = 1, columns = 1] = shape;
	const map = decodeRuns(data, columns, rows);
	const labels = map?.labels ?? new Uint16Array();
	const share = labels.filter((label) => label > 0).length / labels.length;
	const light = 255 * (adjustments.brightness ?? 0);
	const fade = Math.exp(-6 * share);
	return {
		target: "Egyptian Mau",
		before: 7.42,
		after: 7.42 * fade,
		choices: [
			...prediction.top.map(({ index, label, probability }) => ({
				index,
				label,
				before: probability ?? 0,
				after: (probability ?? 0) * fade,
			})),
			{ index: 967, label: "espresso", before: 0.001, after: 0.8 * (1 - fade) },
		],
		picture: bitmap(SIZE, SIZE, (x, y) => {
			const row = Math.floor((y * rows) / SIZE);
			const column = Math.floor((x * columns) / SIZE);
			if (labels[row * columns + column]) return [128, 128, 128];
			const [r, g, b] = shade(x, y);
			return [r + light, g + light, b + light];
		}),
	};
}

const shaded = (shift: number) =>
	bitmap(SIZE, SIZE, (x, y) => {
		const [r, g, b] = shade(x, y);
		return [r - shift, g, b + shift / 2];
	});

/** A picture that was found. */
export function found(id: string, more: Partial<Found> = {}): Found {
	return {
		id,
		kind: "counterfactual",
		title: "espresso",
		reached: true,
		says: "The model says espresso, probability 0.0002 → 0.93. Survives JPEG at quality 75 and shifts by one pixel; 12% of its energy is in waves under 8 pixels.",
		choices: [
			{ index: 285, label: "Egyptian Mau", before: 0.38, after: 0.01 },
			{ index: 967, label: "espresso", before: 0, after: 0.93 },
		],
		picture: shaded(60),
		change: bitmap(SIZE, SIZE, (x, y) => [
			128 + 60 * Math.sin(x / 9),
			128,
			128 - 60 * Math.sin(y / 7),
		]),
		amplified: 5.3,
		facts: [
			{
				name: "validity",
				label: "validity",
				value: "yes",
				verdict: "good",
				help: "",
			},
			{
				name: "jpeg",
				label: "survives JPEG at quality 75",
				value: "yes",
				verdict: "good",
				help: "",
			},
		],
		shares: [
			{ name: "centre, 6 % of the picture", share: 0.31 },
			{ name: "upper left 2, 14 % of the picture", share: 0.22 },
		],
		iterates: [0, 15, 30, 45, 60].map(shaded),
		way: {
			losses: Array.from({ length: 60 }, (_, i) => 9 * Math.exp(-i / 12) + 0.2),
			costs: Array.from({ length: 60 }, (_, i) =>
				i < 37 ? 15 * i : 555 - 13 * (i - 37),
			),
			reached: 38,
		},
		maps: [],
		fragility: null,
		...more,
	};
}

/** A probe with its curve. */
export const probed = (id: string) =>
	found(id, {
		kind: "probe",
		title: "PGD",
		says: "Egyptian Mau becomes lynx. A probe of fragility, not an explanation.",
		shares: [],
		iterates: [],
		way: { losses: [], costs: [], reached: null },
		maps: [shaded(0), shaded(30)],
		fragility: {
			epsilon: [0, 0.01, 0.02, 0.03, 0.06, 0.12],
			confidence: [0.38, 0.2, 0.06, 0.01, 0, 0],
			kept: [1, 1, 0, 0, 0, 0],
			random: [1, 1, 1, 1, 1, 1],
			flags: [],
		},
	});

/** What was found, as it stands in the history. */
export const remembered = (...all: Found[]): HistoryItem[] =>
	all.map((one) => ({
		id: one.id,
		name: one.kind === "probe" ? one.title : `→ ${one.title}`,
		pinned: false,
		found: one,
	}));

/** What the panel was told, with nothing under way. */
export function edits(more: Partial<Edits> = {}): Edits {
	return {
		job: {
			id: 1,
			state: "done",
			phase: "final",
			note: "",
			done: 60,
			total: 60,
			seconds: 9,
			eta: null,
			resumable: false,
		},
		task: "",
		error: null,
		sketch: null,
		walk: null,
		examples: 0,
		...more,
	};
}
