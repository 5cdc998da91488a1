import { fraction } from "../controls/number";
import { Section } from "../panel/Section";

interface Props {
	name: string;
	help: string;
	labels: string[];
	values: number[][];
}

/** How much each agrees with each. The columns carry the numbers of the rows. */
export function Matrix({ name, help, labels, values }: Props) {
	return (
		<Section name={name}>
			<table class="nbx-matrix" aria-label={name} title={help}>
				<thead>
					<tr>
						<td />
						{labels.map((label, column) => (
							<th
								key={`${column} ${label}`}
								scope="col"
								class="nbx-figure"
								aria-label={label}
								title={label}
							>
								{column + 1}
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{labels.map((label, row) => (
						<tr key={`${row} ${label}`}>
							<th scope="row" title={label}>
								<span class="nbx-figure">{row + 1}</span> {label}
							</th>
							{labels.map((other, column) => (
								<Cell
									key={`${column} ${other}`}
									value={values[row]?.[column]}
								/>
							))}
						</tr>
					))}
				</tbody>
			</table>
		</Section>
	);
}

function Cell({ value = Number.NaN }: { value?: number }) {
	const strength = Math.max(0, value) || 0;
	return (
		<td class="nbx-figure" style={{ "--strength": strength }}>
			{fraction(value)}
		</td>
	);
}
