import type { Alternatives } from "../../model/protocol";

const ROWS = 5;
const COLUMNS = 4;

/** A search of rows as small as a stamp: the row as it was, those found, changed cells marked. */
export function RowsGlyph({ rows: { rows } }: { rows: Alternatives }) {
	const shown = rows.slice(0, ROWS);
	const count = rows[0]?.cells.length ?? 0;
	const changes = (column: number) =>
		rows.some(({ cells }) => cells[column]?.changed);
	const columns = Array.from({ length: count }, (_, column) => column)
		.sort((a, b) => Number(changes(b)) - Number(changes(a)))
		.slice(0, COLUMNS)
		.sort((a, b) => a - b);
	return (
		<svg class="nbx-rows-glyph" viewBox="0 0 56 56" aria-hidden="true">
			{shown.map((row, y) =>
				columns.map((column, x) => (
					<rect
						key={`${y} ${column}`}
						x={6 + (x * 45) / columns.length}
						y={6 + 9 * y}
						width={45 / columns.length - 2}
						height={7}
						rx={1}
						data-changed={row.cells[column]?.changed !== ""}
					/>
				)),
			)}
		</svg>
	);
}
