"""Counterfactual rows as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbxplain.figure import Drawing, Style

if TYPE_CHECKING:
    from nbxplain.counterfactuals.result import Counterfactuals

ROW = 5.5
"""Millimetres of a line."""
MARK = "#e3ebf8"


def draw_table(result: Counterfactuals, query: int = 0, **options: Any) -> Drawing:
    """Features that change somewhere down, the row and its counterfactuals across."""
    style = Style(**options)
    changes = result.changes(query)
    names = [n for n in result.table.names if any(n in changed for changed in changes)]
    shown = [result.table.shown(row) for row in (result.original[query], *result.rows[query])]
    at = {name: place for place, name in enumerate(result.table.names)}
    cells = [[values[at[name]] for values in shown] for name in names]
    facts = [["", *(f"{d:.3g}" for d in result.distance[query].tolist())]]
    facts += [["", *("yes" if v else "no" for v in result.valid[query].tolist())]]
    heads = ["as it is", *(f"{number + 1}" for number in range(len(changes)))]
    figure = style.figure(0, ROW * (len(names) + 5) + 6 * style.caption)
    axis = figure.subplots()
    axis.set_axis_off()
    axis.set_title(f"To be {result.desired}", loc="left", fontsize=style.text)
    table = axis.table(
        [*cells, *facts], rowLabels=[*names, "distance", "reached"], colLabels=heads,
        loc="center", cellLoc="right", edges="horizontal",
    )  # fmt: skip
    table.auto_set_font_size(False)
    table.set_fontsize(style.text)
    for (line, column), cell in table.get_celld().items():
        cell.set_linewidth(0.3)
        changed = 0 < line <= len(names) and column > 0 and names[line - 1] in changes[column - 1]
        if changed:
            cell.set_text_props(weight="bold")
            cell.set_facecolor(MARK)
            cell.set_fill(True)
    if style.caption:
        figure.supxlabel(" · ".join([result.search, *result.notices]), fontsize=5, color="#555555")
    return figure
