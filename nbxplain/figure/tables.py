"""Explanations of one table row side by side: a line a feature, a column a method or a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nbxplain.figure.style import Drawing, Style, origin

if TYPE_CHECKING:
    from nbxplain.results import Attribution

MOST = 15
"""Features that are listed: those that are strongest in any of the columns."""


def beside(attributions: Sequence[Attribution], style: Style) -> Drawing:
    """Numbers on their colours, each column relative to its own largest: units differ."""
    first = attributions[0]
    table = first.inputs.table
    assert table is not None
    values = np.stack([a.drawn()[0].double().numpy() for a in attributions], 1)
    shares = values / np.maximum(np.abs(values).max(0), 1e-30)
    order = np.argsort(-np.abs(shares).max(1), kind="stable")[:MOST]
    figure = style.figure(0, 14 + 5.0 * len(order) + 6 * style.caption)
    axis = figure.subplots()
    axis.imshow(shares[order], cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto", alpha=0.8)
    texts = zip(table.names, table.shown(first.inputs.tensor[0]), strict=True)
    named = [f"{name} = {text}" for name, text in texts]
    axis.set_yticks(range(len(order)), [named[i] for i in order], fontsize=style.text - 1)
    same = len({a.method.label for a in attributions}) == 1
    titles = [a.target[0] if same else a.method.label for a in attributions]
    axis.set_xticks(range(len(titles)), titles, fontsize=style.text)
    axis.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axis.spines[:].set_visible(False)
    for line, feature in enumerate(order):
        for column, value in enumerate(values[feature]):
            dark = abs(shares[feature, column]) > 0.6
            ink = "white" if dark else "black"
            place: dict[str, Any] = {"fontsize": style.text - 1.0, "ha": "center", "va": "center"}
            axis.text(column, line, f"{value:+.3g}", color=ink, **place)
    if style.caption:
        what = first.method.label if same else first.target[0]
        text = f"{what} · each column relative to its largest · {origin(first.provenance)}"
        figure.supxlabel(text, fontsize=5, color="#555555", wrap=True)
    return figure


__all__ = ["beside"]
