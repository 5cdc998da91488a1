// Generated from widget/protocol/ by `python -m tests.typescript`. Do not edit.

/** Bytes as hosts deliver them: Jupyter a DataView, a saved page a Uint8Array. */
export type Bytes = DataView | ArrayBuffer | Uint8Array<ArrayBuffer>;

export const VERSION = 1;

export interface Alternative {
	cells: Cell[];
	says: number;
	valid: boolean;
	margin: number;
	distance: number;
	changed: number;
}

export interface AlternativeRequest {
	id: string;
	kind: "alternative";
	action: "explain" | "code" | "figure" | "json";
	item: string;
	place: number;
}

export interface Alternatives {
	job: Job;
	error: Failure | null;
	asked: Asked;
	desired: string;
	unit: "probability" | "score";
	names: string[];
	rows: Alternative[];
	explained: number;
	diversity: number;
	search: string;
	notices: string[];
}

export interface AlternativesRequest {
	id: string;
	kind: "alternatives";
	asked: Asked;
}

export interface Asked {
	desired: number | number[];
	k: number;
	search: "auto" | "gradient" | "genetic" | "nearest";
	immutable: string[];
	monotone: Record<string, "increase" | "decrease">;
	ranges: Record<string, number[]>;
}

export interface Cell {
	value: number | string | null;
	shown: string;
	changed: "" | "acted" | "followed";
}

export type Search = "auto" | "gradient" | "genetic" | "nearest";

export interface BaselineInfo {
	kind: string;
	label: string;
	thumbnail: Picture | null;
	controls: Control[];
}

export interface Catalog {
	methods: MethodInfo[];
	layers: LayerInfo[];
	labels: string[];
	model: ModelInfo;
	edits: EditTools | null;
}

export interface Choice {
	index: number;
	label: string;
	score: number;
	probability: number | null;
}

export interface Control {
	name: string;
	label: string;
	help: string;
	type: "integer" | "number" | "boolean" | "choice";
	default: unknown;
	draft?: unknown;
	minimum?: number;
	maximum?: number;
	step?: number;
	logarithmic?: boolean;
	unit?: string;
	choices?: string[];
}

export interface EditTools {
	fills: FillInfo[];
	adjustments: Control[];
	search: Record<string, number>;
}

export interface FillInfo {
	kind: string;
	label: string;
	controls: Control[];
}

export interface LayerInfo {
	name: string;
	type: string;
	shape: number[];
	grid: number[] | null;
	suggested: boolean;
}

export interface MethodInfo {
	name: string;
	label: string;
	group: string;
	help: string;
	cost: number;
	needs_layer: boolean;
	needs_baseline: boolean;
	takes_regions: boolean;
	resumable: boolean;
	controls: Control[];
	unavailable: string | null;
}

export interface ModelInfo {
	name: string;
	device: string;
	precision: string;
	input: string;
}

export interface Prediction {
	top: Choice[];
	classes: number;
}

export interface Checks {
	job: Job;
	offers: Offer[];
	result: string | null;
	underway: Underway[];
}

export interface Offer {
	name: string;
	label: string;
	does: string;
	seconds: number;
	suggested: boolean;
	obstacle: string | null;
}

export interface Underway {
	name: string;
	label: string;
	state: "queued" | "running" | "done" | "stopped" | "failed";
	checked: Checked | null;
	trouble: string;
}

export interface Aligned {
	most: number[];
	least: number[];
	raised: number[];
	lowered: number[];
}

export interface ConceptCard {
	id: string;
	kind: "concept_card";
	action: "add" | "rename" | "remove" | "take_out";
	into: "concept" | "random" | "class";
	concept: string;
	name?: string;
	index?: number;
}

export interface ConceptControls {
	id: string;
	kind: "concept_controls";
	controls: "scrambled" | "noise";
	count: number;
}

export interface ConceptCrop {
	id: string;
	kind: "concept_crop";
	concept: string;
	box: number[];
}

export interface ConceptDiscover {
	id: string;
	kind: "concept_discover";
	way: "craft" | "ace";
	layer: string;
	count: number;
}

export interface ConceptKeep {
	id: string;
	kind: "concept_keep";
	discovered: string;
	name: string;
}

export interface ConceptMap {
	id: string;
	kind: "concept_map";
	concept: string;
	discovered: boolean;
	layer: string;
	show: "effect" | "presence";
}

export interface ConceptPictures {
	id: string;
	kind: "concept_pictures";
	into: "concept" | "random" | "class";
	concept: string;
	names: string[];
}

export interface Concepts {
	job: Job;
	failure: Failure | null;
	concepts: Pile[];
	random: Pile;
	pictures: Pile;
	of_class: string;
	explained: boolean;
	wanting: string[];
	target: string;
	layers: string[];
	tested: Tested[];
	faces: Picture | null;
	notices: string[];
	stale: string;
	steered: Steering[];
	discovery: Discovery | null;
}

export interface ConceptSteer {
	id: string;
	kind: "concept_steer";
	concept: string;
	layer: string;
}

export interface ConceptTest {
	id: string;
	kind: "concept_test";
	layers: string[];
	estimators: ("mean" | "ridge" | "logistic" | "pattern")[];
	permutations: number;
	relative: string[][];
}

export interface Discovered {
	name: string;
	importance: number;
	error: number;
	shown: number;
	strip: Picture | null;
	kept: string;
}

export interface Discovery {
	way: "craft" | "ace";
	layer: string;
	target: string;
	measure: string;
	explained: number | null;
	concepts: Discovered[];
}

export type Estimator = "mean" | "ridge" | "logistic" | "pattern";

export type Gathered = "concept" | "random" | "class";

export interface Null {
	low: number;
	high: number;
	counts: number[];
}

export interface Pile {
	name: string;
	count: number;
	fewest: number;
	enough: number;
	shown: number;
	strip: Picture | null;
}

export interface Steering {
	concept: string;
	layer: string;
	target: string;
	doses: number[];
	scores: number[];
	best: string[];
	turning: number | null;
	random: number[][];
	farther: number | null;
}

export interface Tested {
	concept: string;
	against: string;
	layer: string;
	estimator: "mean" | "ridge" | "logistic" | "pattern";
	score: number;
	spread: number[];
	magnitude: number;
	null: Null;
	p: number;
	q: number;
	accuracy: number;
	accuracy_p: number;
	literature_p: number;
	alpha: number;
	found: boolean;
	significant: boolean;
	verdict: string;
	aligned: Aligned | null;
}

export interface Grid {
	shape: number[];
	bits: 8 | 16;
	scale: number;
	data: Bytes;
}

export interface Picture {
	mime: string;
	data: Bytes;
	width: number;
	height: number;
}

export interface Runs {
	shape: number[];
	data: Bytes;
}

export interface ClonePicture {
	id: string;
	kind: "clone_picture";
	name: string;
}

export interface Edits {
	job: Job;
	task: "" | "find" | "probe";
	error: Failure | null;
	sketch: Sketch | null;
	walk: Walk | null;
	examples: number;
}

export interface FindRequest {
	id: string;
	kind: "find";
	desired: number;
	probability: number | null;
	shape: number[];
	inside: boolean;
	weights: Record<string, number>;
	count: number;
}

export interface Found {
	id: string;
	kind: "counterfactual" | "probe";
	title: string;
	reached: boolean;
	says: string;
	choices: Moved[];
	picture: Picture;
	change: Picture;
	amplified: number;
	facts: Evidence[];
	shares: Share[];
	iterates: Picture[];
	way: Way;
	maps: Picture[];
	fragility: Fragility | null;
}

export interface FoundRequest {
	id: string;
	kind: "found";
	action: "explain" | "code" | "figure" | "json";
	item: string;
}

export interface Fragility {
	epsilon: number[];
	confidence: number[];
	kept: number[];
	random: number[];
	flags: string[];
}

export interface Painted {
	target: string;
	before: number;
	after: number;
	choices: Moved[];
	picture: Picture;
}

export interface PaintRequest {
	id: string;
	kind: "paint";
	fills: Record<string, unknown>[];
	adjustments: Record<string, number>;
	shape: number[];
	settled: boolean;
	explain?: boolean;
}

export interface ProbeRequest {
	id: string;
	kind: "probe";
	attack: "fgsm" | "pgd" | "apgd" | "deep_fool";
	norm: "linf" | "l2";
	epsilon: number;
	toward: number | null;
	seeks: "change" | "smallest" | "curve";
}

export interface Share {
	name: string;
	share: number;
}

export interface Sketch {
	made: "page" | "python";
	serial: number;
	fills: Record<string, unknown>[];
	adjustments: Record<string, number>;
	labels: Runs;
}

export interface Walk {
	iterates: Picture[];
	way: Way;
	picture: Picture;
	choices: Moved[];
}

export interface Way {
	losses: number[];
	costs: number[];
	reached: number | null;
}

export interface Cascade {
	map: Grid;
	signed: boolean;
	stages: Forgetful[];
	changed: number;
	alike: number;
}

export interface Changes {
	kind: string;
	similarity: (number | null)[];
}

export interface Checked {
	name: string;
	label: string;
	value: string;
	verdict: "good" | "weak" | "poor" | "plain";
	help: string;
	done: number;
	total: number;
	removed: Removed | null;
	cascade: Cascade | null;
	spread: Spread | null;
}

export interface Evidence {
	name: string;
	label: string;
	value: string;
	verdict: "good" | "weak" | "poor" | "plain";
	help: string;
}

export interface Forgetful {
	title: string;
	map: Grid | null;
	similarity: number | null;
}

export interface Removed {
	moved: "taken away" | "put back";
	unit: string;
	fill: string;
	share: number[];
	score: (number | null)[];
	orders: number;
	mean: number[];
	low: number[];
	high: number[];
}

export interface Spread {
	map: Grid;
	signed: boolean;
	spread: Grid;
	changes: Changes[];
	stable: number;
	unstable: number;
}

export type Verdict = "good" | "weak" | "poor" | "plain";

export interface Bottleneck {
	concepts: SeenConcept[];
	choices: Moved[];
	next: string | null;
	reading: string;
	failure: Failure | null;
}

export interface InterveneRequest {
	id: string;
	kind: "intervene";
	corrections: Record<string, number | null>;
}

export interface SeenConcept {
	name: string;
	probability: number;
	uncertainty: number;
	corrected: number | null;
}

export interface Failure {
	title: string;
	hint: string;
	details: string;
}

export interface Job {
	id: number;
	state: "idle" | "queued" | "running" | "cancelling" | "done" | "cancelled" | "error";
	phase: "draft" | "final";
	note: string;
	done: number;
	total: number;
	seconds: number;
	eta: number | null;
	resumable: boolean;
}

export type Phase = "draft" | "final";

export type State =
	| "idle"
	| "queued"
	| "running"
	| "cancelling"
	| "done"
	| "cancelled"
	| "error";

export interface AblateRequest {
	id: string;
	kind: "ablate";
	result: string;
	players: number[];
	fill: "baseline" | "blur" | "mean" | "noise" | "black" | "white";
}

export interface Ack {
	kind: "ack";
	seq: number;
}

export interface Answer {
	id: string;
	kind: "answer";
	ok: boolean;
	error: Failure | null;
	protocol?: number;
	code?: string;
	filename?: string;
	mime?: string;
	maps?: Grid;
	alpha?: number[];
	ablation?: Ablation;
	labels?: Runs;
	names?: string[];
	painted?: Painted;
	fill?: Record<string, unknown>;
}

export interface AttentionRequest {
	id: string;
	kind: "attention";
	result: string;
	layer: number;
	head: number;
}

export interface BaselineImage {
	id: string;
	kind: "baseline_image";
	name: string;
}

export interface CheckRequest {
	id: string;
	kind: "check";
	result: string;
	checks: string[];
}

export interface CodeRequest {
	id: string;
	kind: "code";
}

export interface CompareRequest {
	id: string;
	kind: "compare";
	methods: string[];
	targets: number[];
}

export interface DraftRequest {
	id: string;
	kind: "draft";
	spec: Spec;
}

export interface EditRequest {
	id: string;
	kind: "edit";
	values: Record<string, number | string | null>;
	apply: boolean;
}

export interface ExportRequest {
	id: string;
	kind: "export";
	format: "png" | "svg" | "pdf" | "html" | "npz" | "report.html" | "report.pdf";
	width: "single" | "double" | "slide";
	dpi: number;
	comparison: boolean;
	caption: boolean;
	transparent: boolean;
}

export interface Frame {
	kind: "frame";
	seq: number;
	result: Result;
}

export interface HeadsRequest {
	id: string;
	kind: "heads";
	result: string;
}

export interface Hello {
	id: string;
	kind: "hello";
}

export interface HistoryRequest {
	id: string;
	kind: "history";
	action: "pin" | "unpin" | "rename" | "restore" | "forget";
	item: string;
	name?: string;
}

export type Message = Frame | Answer;

export interface PaintedRegions {
	id: string;
	kind: "painted_regions";
	names: string[];
}

export interface PathRequest {
	id: string;
	kind: "path";
	result: string;
}

export interface RegionsRequest {
	id: string;
	kind: "regions";
	regions: Record<string, unknown>;
	segments: number;
}

export type Request =
	| Hello
	| DraftRequest
	| RunRequest
	| StopRequest
	| ResumeRequest
	| PathRequest
	| HeadsRequest
	| AttentionRequest
	| CompareRequest
	| AblateRequest
	| EditRequest
	| CheckRequest
	| CodeRequest
	| ExportRequest
	| HistoryRequest
	| BaselineImage
	| RegionsRequest
	| PaintedRegions
	| PaintRequest
	| ClonePicture
	| FindRequest
	| ProbeRequest
	| AlternativesRequest
	| AlternativeRequest
	| FoundRequest
	| ConceptPictures
	| ConceptCrop
	| ConceptCard
	| ConceptControls
	| ConceptTest
	| ConceptMap
	| ConceptSteer
	| ConceptDiscover
	| ConceptKeep
	| InterveneRequest
	| Ack;

export interface ResumeRequest {
	id: string;
	kind: "resume";
}

export interface RunRequest {
	id: string;
	kind: "run";
}

export interface StopRequest {
	id: string;
	kind: "stop";
	panel?: "checks" | "edits" | "concepts" | "alternatives";
}

export interface Comparison {
	kind: "methods" | "targets";
	results: Result[];
	rank: number[][];
	overlap: number[][];
	failures: Failure[];
}

export interface Contrast {
	index: number;
	against: number;
}

export interface Curve {
	alpha: number[];
	score: number[];
	accumulated: number[];
	baseline: Picture;
	has_maps: boolean;
}

export interface Heads {
	layers: number;
	heads: number;
	grid: number[];
	maps?: Grid;
}

export interface HistoryItem {
	id: string;
	name: string;
	pinned: boolean;
	result?: Result;
	found?: Found;
	rows?: Alternatives;
}

export interface Players {
	names: string[];
	values: number[];
	errors: number[] | null;
	shown: string[];
	labels: Runs | null;
	base: number;
	score: number;
	unit: string;
	evaluations: number;
}

export interface Result {
	id: string;
	phase: "draft" | "final";
	spec: Spec;
	title: string;
	subtitle: string;
	target: string;
	map: Grid;
	signed: boolean;
	done: number;
	total: number;
	error: number | null;
	seconds: number;
	complete: boolean;
	reason: string | null;
	evidence: Evidence[];
	checks: Checked[];
	curve: Curve | null;
	heads: Heads | null;
	players: Players | null;
	description: string;
	provenance: Record<string, unknown>;
}

export interface Spec {
	method: string;
	params: Record<string, unknown>;
	baseline: Record<string, unknown>;
	regions: Record<string, unknown>;
	target: number | Contrast | string;
	layer: string | null;
}

export interface Ablation {
	players: number[];
	before: number;
	after: number;
	choices: Moved[];
	singles: number[];
	interaction: number | null;
	picture: Picture | null;
}

export interface Feature {
	name: string;
	value: number | string | null;
	shown: string;
	minimum: number | null;
	maximum: number | null;
	integer: boolean;
	choices: string[] | null;
}

export type Fill = "baseline" | "blur" | "mean" | "noise" | "black" | "white";

export interface Moved {
	index: number;
	label: string;
	before: number;
	after: number;
}

export interface SummaryInfo {
	title: string;
	target: string;
	unit: string;
	rows: number;
	names: string[];
	mean: number[];
	errors: number[];
	values: Grid;
	features: Grid | null;
	minimum: number[];
	maximum: number[];
	choices: string[][];
	partners: number[];
	map: Grid | null;
	picture: Picture | null;
}

export interface TableInfo {
	features: Feature[];
}

export type Alone = "" | "waterfall" | "summary";

export type Sign = "both" | "positive" | "negative" | "absolute";

export interface Traits {
	method: string;
	target: number | Contrast | string;
	layer: string | null;
	params: Record<string, unknown>;
	baseline: Record<string, unknown>;
	regions: Record<string, unknown>;
	opacity: number;
	colormap: string;
	clip: number;
	sign: "both" | "positive" | "negative" | "absolute";
	threshold: number;
	view: "overlay" | "side" | "swipe" | "map";
	native: boolean;
	shortcuts: boolean;
	_protocol: number;
	_catalog: Catalog;
	_image: Picture;
	_baselines: BaselineInfo[];
	_prediction: Prediction | null;
	_result: Result | null;
	_history: HistoryItem[];
	_comparison: Comparison | null;
	_comparison_stale: boolean;
	_job: Job;
	_error: Failure | null;
	_notices: string[];
	_stale: boolean;
	_table: TableInfo | null;
	_alone: "" | "waterfall" | "summary";
	_summary: SummaryInfo | null;
	_concepts: Concepts | null;
	_bottleneck: Bottleneck | null;
	_edits: Edits | null;
	_alternatives: Alternatives | null;
	_checks: Checks | null;
}

export type View = "overlay" | "side" | "swipe" | "map";
