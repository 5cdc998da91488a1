"""Maps over pictures: input, map and overlay, or overlays side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nbxplain.core.errors import InputError
from nbxplain.figure.style import Drawing, Look, Style, caption, origin
from nbxplain.figure.tables import beside

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nbxplain.results import Attribution


def grid(attributions: Sequence[Attribution], *, columns: int = 3, **options: Any) -> Drawing:
    """Overlays side by side, with the first line of evidence under each; options as in Style.

    Each map is relative to its own clip percentile, for methods have different units. Explanations
    of a table row become columns of numbers. Raises InputError when there is none.
    """
    if not attributions:
        raise InputError("There is nothing to compare.", "Every method failed; see .failures.")
    style = Style(**options)
    if attributions[0].inputs.is_table:
        return beside(attributions, style)
    columns = min(columns, len(attributions))
    rows = -(-len(attributions) // columns)
    figure = style.figure(rows / columns * 1.18, 6 * style.caption)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes[len(attributions) :]:
        axis.set_axis_off()
    same = len({a.method.label for a in attributions}) == 1
    for axis, a in zip(axes, attributions, strict=False):
        _overlay(axis, np.asarray(a.inputs.pictures[0]), style.look(a), style)
        _plain(axis, a.target[0] if same else a.method.label, style.text)
        findings = a.findings()
        axis.set_xlabel(f"{findings[0].label}: {findings[0].value}", fontsize=style.text - 2)
    if style.caption:
        first = attributions[0]
        what = first.method.label if same else first.target[0]
        scale = f"each map relative to its own percentile {style.clip:g}"
        text = f"{what} · {scale} · {origin(first.provenance)}"
        figure.supxlabel(text, fontsize=5, color="#555555")
    return figure


def _overlay(axis: Axes, pixels: Any, seen: Look, style: Style) -> None:
    image = style.image(seen, pixels)
    axis.imshow(pixels, extent=image["extent"])
    axis.imshow(seen.values, alpha=style.opacity * seen.alpha, **image)


def maps(attribution: Attribution, row: int | None, **options: Any) -> Drawing:
    """Input, map and overlay of one row side by side; of several rows the overlays."""
    style = Style(**options)
    if row is None and len(attribution.values) > 1:
        return grid([attribution.row(i) for i in range(len(attribution.values))], **options)
    row = row or 0
    seen = style.look(attribution, row)
    figure = style.figure(0.42)
    axes = figure.subplots(1, 3)
    pixels = np.asarray(attribution.inputs.pictures[row])
    image = style.image(seen, pixels)
    axes[0].imshow(pixels, extent=image["extent"])
    mappable = axes[1].imshow(seen.values, **image)
    _overlay(axes[2], pixels, seen, style)
    titles = (_says(attribution, row), attribution.method.label, "overlay")
    for axis, title in zip(axes, titles, strict=True):
        _plain(axis, title, style.text)
    bar = figure.colorbar(mappable, ax=axes[1:], shrink=0.8, pad=0.02)
    label = f"ends at percentile {style.clip:g}, largest {np.abs(seen.values).max():.2g}"
    bar.set_label(label, fontsize=style.text)
    bar.ax.tick_params(labelsize=style.text - 1)
    bar.outline.set_linewidth(0.3)
    if style.caption:
        text = caption(attribution, row)
        figure.supxlabel(text, fontsize=5, color="#555555", wrap=True)
    return figure


def _says(attribution: Attribution, row: int) -> str:
    best = attribution.prediction.top(1, min(row, len(attribution.prediction.scores) - 1))
    if not best:
        return "input"
    share = best[0].probability
    return best[0].label if share is None else f"{best[0].label} {share:.2f}"


def _plain(axis: Axes, title: str, size: int) -> None:
    axis.set_title(title, loc="left", wrap=True, fontsize=size)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_linewidth(0.3)
