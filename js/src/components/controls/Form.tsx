import type { Control } from "../../model/protocol";
import { Checkbox } from "./Checkbox";
import { Select } from "./Select";
import { Slider } from "./Slider";

type Values = Record<string, unknown>;

interface Props {
	controls: Control[];
	values: Values;
	disabled?: boolean;
	/** All values with the one under the handle changed: enough for a draft. */
	onDrag: (values: Values) => void;
	onCommit: (values: Values) => void;
}

/** The form that a schema asks for: one row a parameter. */
export function Form({ controls, ...rest }: Props) {
	return (
		<>
			{controls.map((control) => (
				<Row key={control.name} control={control} {...rest} />
			))}
		</>
	);
}

type RowProps = Omit<Props, "controls"> & { control: Control };

function Row({ control, values, disabled, onDrag, onCommit }: RowProps) {
	const { name, label, help, type, unit } = control;
	const value = values[name] ?? control.default;
	const common = { label, help, disabled };
	const change = (next: unknown) => ({ ...values, [name]: next });
	if (type === "boolean")
		return (
			<Checkbox
				{...common}
				checked={Boolean(value)}
				onCommit={(next) => onCommit(change(next))}
			/>
		);
	if (type === "choice")
		return (
			<Select
				{...common}
				value={String(value)}
				initial={String(control.default)}
				options={(control.choices ?? []).map((choice) => ({
					value: choice,
					label: choice.replaceAll("_", " "),
				}))}
				onCommit={(next) => onCommit(change(next))}
			/>
		);
	return (
		<Slider
			{...common}
			{...bounds(control)}
			value={Number(value)}
			initial={Number(control.default)}
			unit={unit}
			onDrag={(next) => onDrag(change(next))}
			onCommit={(next) => onCommit(change(next))}
		/>
	);
}

/** A schema may leave an end open; a slider cannot, so it then spans four times the default. */
function bounds(control: Control) {
	const initial = Number(control.default) || 1;
	const whole = control.type === "integer";
	const minimum = control.minimum ?? Math.min(0, initial * 4);
	const maximum = control.maximum ?? Math.max(minimum + 1, initial * 4);
	return {
		minimum,
		maximum,
		step: control.step ?? (whole ? 1 : fineStep(maximum - minimum)),
		logarithmic: control.logarithmic ?? false,
	};
}

/** A power of ten with at least a hundred steps on the track. */
export function fineStep(span: number): number {
	return 10 ** Math.floor(Math.log10(span / 100));
}
