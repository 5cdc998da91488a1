import { type ComponentChildren, Fragment } from "preact";

export interface CheckRow {
	key: string;
	group?: string;
	/** Why the row cannot be ticked; empty when it can. */
	disabled?: string | null;
	content: ComponentChildren;
}

interface Props {
	label: string;
	rows: CheckRow[];
	checked: string[];
	/** No more than these can be ticked at once. */
	most: number;
	disabled: string;
	/** The ticked keys, in the order of the rows. */
	onCommit: (checked: string[]) => void;
}

/** Several of many: rows with boxes, in groups. */
export function CheckList(props: Props) {
	const { label, rows, checked, most, onCommit } = props;
	const full = checked.length >= most ? `at most ${most} at a time` : "";
	const toggle = (key: string) =>
		onCommit(
			rows
				.map((row) => row.key)
				.filter((each) => checked.includes(each) !== (each === key)),
		);
	return (
		<fieldset
			class="nbx-checklist"
			aria-label={label}
			// With no box to focus, the list itself must be scrolled by keys.
			tabIndex={props.disabled ? 0 : undefined}
		>
			{rows.map((row, at) => {
				const ticked = checked.includes(row.key);
				const reason =
					props.disabled || row.disabled || (ticked ? "" : full) || undefined;
				return (
					<Fragment key={row.key}>
						{row.group && row.group !== rows[at - 1]?.group && (
							<div class="nbx-list-group">{row.group}</div>
						)}
						<label class="nbx-option" title={reason}>
							<input
								type="checkbox"
								value={row.key}
								checked={ticked}
								disabled={!!reason}
								onChange={() => toggle(row.key)}
							/>
							{row.content}
						</label>
					</Fragment>
				);
			})}
		</fieldset>
	);
}
