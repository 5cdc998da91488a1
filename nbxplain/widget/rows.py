"""A row of a table as the page sees it, and what the page makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from nbxplain.core.errors import InputError, near
from nbxplain.core.inputs import Inputs
from nbxplain.core.tables import Table
from nbxplain.widget.protocol import Feature, TableInfo


def table_info(inputs: Inputs) -> TableInfo | None:
    """The explained row; None for pictures."""
    table = inputs.table
    if table is None:
        return None
    row, shown = plain(table, inputs.tensor[0]), table.shown(inputs.tensor[0])
    features: list[Feature] = []
    for name, value, text in zip(table.names, row, shown, strict=True):
        low, high, integer = table.spans.get(name, (None, None, False))
        choices = [str(known) for known in table.categories.get(name, ())]
        features.append(
            {
                "name": name,
                "value": value,
                "shown": text,
                "minimum": low,
                "maximum": high,
                "integer": integer,
                "choices": choices or None,
            }
        )
    return {"features": features}


def plain(table: Table, encoded: Tensor) -> list[Any]:
    """The values of one encoded row (F,) as the page names them: categories by their text."""
    return [
        str(value) if name in table.categories and value is not None else value
        for name, value in table.row(encoded).items()
    ]


def edited(inputs: Inputs, values: Mapping[str, Any]) -> dict[str, Any]:
    """The row with some values as the page names them: categories by their text.

    Raises InputError for names that are no features and texts that are no categories.
    """
    assert inputs.table is not None
    table = inputs.table
    row = table.row(inputs.tensor[0])
    for name, value in values.items():
        if name not in row:
            raise InputError(
                f"There is no feature {name!r}.", near(name, row) or "Reload the page."
            )
        if name in table.categories and value is not None:
            by_text = {str(known): known for known in table.categories[name]}
            value = by_text.get(str(value), value)
        row[name] = value
    return row


__all__ = ["edited", "plain", "table_info"]
