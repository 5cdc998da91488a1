import { useComputed, useSignal } from "@preact/signals";
import type { ExportRequest } from "../../model/protocol";
import { compared } from "../compare/compared";
import { Checkbox } from "../controls/Checkbox";
import { reason } from "../controls/reason";
import { Segmented } from "../controls/Segmented";
import { Slider } from "../controls/Slider";
import { useScene } from "../stage/scene";
import { composed, composedComparison } from "./composed";
import { Dialog } from "./Dialog";
import type { DialogProps } from "./Dialogs";
import { download } from "./download";
import { Earlier } from "./Earlier";

type Format = ExportRequest["format"];
type Choice = Omit<ExportRequest, "id" | "kind">;

const FORMATS: { value: Format; label: string; name: string }[] = [
	{ value: "png", label: "PNG", name: "a picture" },
	{ value: "svg", label: "SVG", name: "vectors, text as text" },
	{ value: "pdf", label: "PDF", name: "vectors for a paper" },
	{
		value: "html",
		label: "HTML",
		name: "one page, still to be looked through, no kernel",
	},
	{ value: "npz", label: "NPZ", name: "the raw values, with their provenance" },
	{
		value: "report.html",
		label: "report",
		name: "question, answer, evidence and limits, to be filed",
	},
	{
		value: "report.pdf",
		label: "report PDF",
		name: "question, answer, evidence and limits, on paper",
	},
];

const WIDTHS: { value: Choice["width"]; label: string; name: string }[] = [
	{ value: "single", label: "85 mm", name: "single column, 85 mm" },
	{ value: "double", label: "180 mm", name: "double column, 180 mm" },
	{ value: "slide", label: "slide", name: "a slide, 16:9" },
];

const SUBJECTS = [
	{ value: "result", label: "result" },
	{ value: "comparison", label: "comparison" },
] as const;

/** A page and raw values have no width in millimetres. */
const FIGURES = new Set<Format>(["png", "svg", "pdf"]);

const labelOf = (format: Format) =>
	FORMATS.find(({ value }) => value === format)?.label;

export function ExportDialog({ store, onClose }: DialogProps) {
	const shown = useComputed(() => compared(store));
	const choice = useSignal<Choice>({
		format: "png",
		comparison: shown.peek() !== null,
		width: "single",
		dpi: 300,
		caption: true,
		transparent: false,
	});
	const trouble = useSignal("");
	const busy = useSignal(false);
	const scene = useScene(store);
	const offline = store.offlineReason.value;
	const { format, comparison } = choice.value;
	const earlier = !offline && !comparison && store.ui.looking.value !== null;
	const change = (changes: Partial<Choice>) => {
		choice.value = { ...choice.value, ...changes };
	};
	const save = async () => {
		busy.value = true;
		trouble.value = "";
		try {
			if (offline) {
				const drawn =
					comparison && shown.value
						? composedComparison(store, shown.value, scene.picture)
						: composed(scene, store);
				download(await drawn, "nbxplain.png");
			} else {
				const { answer, buffers } = await store.ask({
					kind: "export",
					...choice.value,
				});
				const type = answer.mime ?? "application/octet-stream";
				const file = new Blob(buffers as BlobPart[], { type });
				download(file, answer.filename ?? `nbxplain.${format}`);
			}
			store.ui.announcement.value = "exported";
			onClose();
		} catch (failure) {
			trouble.value = reason(failure);
		}
		busy.value = false;
	};
	return (
		<Dialog
			title="Export"
			onClose={onClose}
			actions={
				<>
					<button type="button" class="nbx-link" onClick={onClose}>
						cancel
					</button>
					<button
						type="button"
						class="nbx-button nbx-primary"
						disabled={busy.value || earlier}
						onClick={save}
					>
						{busy.value ? "drawing…" : `Save ${labelOf(format)}`}
					</button>
				</>
			}
		>
			<div class="nbx-export">
				{earlier && <Earlier store={store} what="exported" />}
				{!offline && !comparison && <Warning store={store} />}
				{shown.value && (
					<Segmented
						label="what"
						value={comparison ? "comparison" : "result"}
						options={[...SUBJECTS]}
						onCommit={(what) => change(subject(what, format))}
					/>
				)}
				<Segmented
					label="format"
					value={format}
					options={FORMATS.map((option) => ({
						...option,
						disabled: offline
							? option.value !== "png"
							: comparison && !FIGURES.has(option.value),
					}))}
					onCommit={(next) => change({ format: next })}
				/>
				<p class="nbx-export-hint">
					{offline
						? "As it is on the screen. The other formats need a kernel."
						: FORMATS.find(({ value }) => value === format)?.name}
				</p>
				{!offline && FIGURES.has(format) && (
					<FigureFields choice={choice.value} change={change} />
				)}
				<p class="nbx-trouble" role="alert">
					{trouble.value}
				</p>
			</div>
		</Dialog>
	);
}

/** A comparison is a figure: neither a page nor values. */
function subject(
	what: (typeof SUBJECTS)[number]["value"],
	format: Format,
): Partial<Choice> {
	if (what === "result") return { comparison: false };
	return { comparison: true, format: FIGURES.has(format) ? format : "png" };
}

interface FigureProps {
	choice: Choice;
	change: (changes: Partial<Choice>) => void;
}

function FigureFields({ choice, change }: FigureProps) {
	return (
		<>
			<Segmented
				label="width"
				value={choice.width}
				options={WIDTHS}
				onCommit={(width) => change({ width })}
			/>
			{choice.format === "png" && (
				<Slider
					label="resolution"
					unit="dpi"
					value={choice.dpi}
					minimum={72}
					maximum={600}
					step={1}
					initial={300}
					onCommit={(dpi) => change({ dpi })}
				/>
			)}
			<div class="nbx-export-checks">
				<Checkbox
					label="caption"
					help="Method, target, model, seed and versions below the figure."
					checked={choice.caption}
					onCommit={(caption) => change({ caption })}
				/>
				<Checkbox
					label="transparent background"
					checked={choice.transparent}
					onCommit={(transparent) => change({ transparent })}
				/>
			</div>
		</>
	);
}

/** An unfinished result may be saved, but not unawares. */
function Warning({ store }: Pick<DialogProps, "store">) {
	const result = store.traits._result.value;
	const earlier = store.ui.looking.value !== null;
	const unfinished = !earlier && store.shown.value !== result;
	if (!result || (!unfinished && result.complete)) return null;
	const said = unfinished
		? "What is on the screen is not finished; the last result is saved."
		: `This is a partial result: ${result.done} of ${result.total}. The figure will say so.`;
	return (
		<p class="nbx-dialog-warning" role="status">
			{said}
		</p>
	);
}
