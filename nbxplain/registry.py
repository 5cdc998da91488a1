"""The registry of methods as a table for people."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from nbxplain.methods.base import registered


class Row(NamedTuple):
    """One method."""

    name: str
    group: str
    needs: str
    parameters: str
    about: str


class Table(list[Row]):
    """Rows of methods that print as aligned text and show as an HTML table in notebooks."""

    def __repr__(self) -> str:
        widths = [max(len(row[i]) for row in [Row(*Row._fields), *self]) for i in range(3)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
            + "  "
            + row.parameters
            for row in [Row(*Row._fields), *self]
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in Row._fields)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def table() -> Table:
    """Every registered method, in order of the families."""
    return Table(
        Row(
            method.name,
            method.group,
            " and ".join(
                need
                for need, wanted in (
                    ("layer", method.needs_layer),
                    ("baseline", method.needs_baseline()),
                    ("trees", method.needs_trees),
                    ("concept", method.needs_concept),
                )
                if wanted
            ),
            ", ".join(f"{k}={v.default!r}" for k, v in method.model_fields.items()),
            (method.__doc__ or "").strip().split("\n")[0],
        )
        for method in registered()
    )
