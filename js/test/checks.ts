import type { Checked, Checks, Offer } from "../src/model/protocol";
import { grid, landscape } from "./fixtures";

const small = (more: number) =>
	grid(7, 7, (x, y) => landscape(x, y, false) + more * Math.sin(9 * x + 7 * y));

const steps = Array.from({ length: 33 }, (_, i) => i / 32);
const fall = (rate: number) =>
	steps.map((share) => 0.38 * Math.exp(-rate * share));

export const deletion: Checked = {
	name: "deletion",
	label: "Deletion",
	value: "+8.2 σ against random",
	verdict: "good",
	help: "Grad-CAM beats a random order: area 0.06 against 0.16, +8.2 sigma (threshold 2)",
	done: 343,
	total: 343,
	removed: {
		moved: "taken away",
		unit: "probability",
		fill: "black",
		share: steps,
		score: fall(7),
		orders: 10,
		mean: fall(2),
		low: fall(2.6),
		high: fall(1.5),
	},
	cascade: null,
	spread: null,
};

export const insertion: Checked = {
	...deletion,
	name: "insertion",
	label: "Insertion",
	value: "cannot tell",
	verdict: "plain",
	help: "cannot tell: every order gives the same area",
	removed: {
		...(deletion.removed as NonNullable<Checked["removed"]>),
		moved: "put back",
		fill: "blur",
		score: steps.map(() => 0.2),
		mean: steps.map(() => 0.2),
		low: steps.map(() => 0.2),
		high: steps.map(() => 0.2),
	},
};

export const sanity: Checked = {
	name: "sanity",
	label: "Sanity",
	value: "hardly changes",
	verdict: "poor",
	help: "Grad-CAM hardly changes with the weights: rank correlation 0.61 (rank correlation of magnitudes 0.62, SSIM 0.41, HOG cannot tell) (changes up to 0.3, hardly from 0.5)",
	done: 4,
	total: 4,
	removed: null,
	cascade: {
		map: small(0),
		signed: false,
		stages: [
			{ title: "top layer", map: small(0.1), similarity: 0.92 },
			{ title: "top 5", map: small(0.4), similarity: 0.61 },
			{ title: "top 28", map: small(0.9), similarity: 0.3 },
			{ title: "all layers", map: null, similarity: null },
		],
		changed: 0.3,
		alike: 0.5,
	},
	spread: null,
};

export const stability: Checked = {
	name: "stability",
	label: "Stability",
	value: "ρ 0.74",
	verdict: "weak",
	help: "Grad-CAM is fairly stable: rank correlation with itself under noise 0.94, JPEG 0.74, 7 variants (stable from 0.8, not under 0.5)",
	done: 7,
	total: 7,
	removed: null,
	cascade: null,
	spread: {
		map: small(0),
		signed: false,
		spread: small(0.3),
		changes: [
			{ kind: "noise", similarity: [0.93, 0.95, 0.96, 0.92] },
			{ kind: "JPEG", similarity: [0.81, 0.74, 0.67] },
		],
		stable: 0.8,
		unstable: 0.5,
	},
};

export const found = [sanity, stability, deletion, insertion];

const offer = (
	name: string,
	label: string,
	more: Partial<Offer> = {},
): Offer => ({
	name,
	label,
	does: `What ${label.toLowerCase()} does, in a sentence of about this length: the map must stand it.`,
	seconds: 4.2,
	suggested: true,
	obstacle: null,
	...more,
});

export const offers: Offer[] = [
	offer("sanity", "Sanity", { seconds: 0.4 }),
	offer("stability", "Stability", { seconds: 0.8 }),
	offer("deletion", "Deletion"),
	offer("insertion", "Insertion", { seconds: 1200, suggested: false }),
];

/** What the trait says before anything was checked. */
export function checks(more: Partial<Checks> = {}): Checks {
	return {
		job: {
			id: 0,
			state: "idle",
			phase: "final",
			note: "",
			done: 0,
			total: 0,
			seconds: 0,
			eta: null,
			resumable: false,
		},
		offers,
		result: null,
		underway: [],
		...more,
	};
}

/** In the middle of the third of four. */
export function halfway(result: string): Checks {
	const { job } = checks();
	const half = steps.map((_, i) =>
		i < 12 || i === 32 ? 0.3 - 0.008 * i : null,
	);
	return checks({
		job: {
			...job,
			state: "running",
			done: 180,
			total: 701,
			seconds: 3.4,
			eta: 9.8,
		},
		result,
		underway: [
			{
				name: "sanity",
				label: "Sanity",
				state: "done",
				checked: sanity,
				trouble: "",
			},
			{
				name: "stability",
				label: "Stability",
				state: "failed",
				checked: null,
				trouble:
					"A single picture does not fit in memory. Use a smaller picture.",
			},
			{
				name: "deletion",
				label: "Deletion",
				state: "running",
				checked: {
					...deletion,
					value: "cannot tell",
					verdict: "plain",
					help: "120 of 343 evaluations",
					done: 120,
					removed: {
						...(deletion.removed as NonNullable<Checked["removed"]>),
						score: half,
						orders: 0,
						mean: [],
						low: [],
						high: [],
					},
				},
				trouble: "",
			},
			{
				name: "insertion",
				label: "Insertion",
				state: "queued",
				checked: null,
				trouble: "",
			},
		],
	});
}
