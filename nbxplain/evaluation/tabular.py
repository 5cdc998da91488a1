"""Rows of results that print as aligned text and show as a table in notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any


class Table(list[dict[str, Any]]):
    """Dicts with the same keys, one a row; `pandas.DataFrame(table)` takes it as it is."""

    def _cells(self) -> list[list[str]]:
        head = list(self[0]) if self else []
        return [head, *([text(value) for value in row.values()] for row in self)]

    def __repr__(self) -> str:
        cells = self._cells()
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells)
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        head, *rows = self._cells()

        def line(cells: Sequence[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in cells) + "</tr>"

        body = "".join(line(row, "td") for row in rows)
        return f"<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table>"


def text(value: Any) -> str:
    """A cell: numbers with three digits, what is not known as a dash."""
    if isinstance(value, float):
        return "–" if value != value else f"{value:.3g}"
    return str(value)


__all__ = ["Table"]
