"""What an attack changed, as a figure: pictures beside each other, features as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from nbxplain.figure import Drawing, Style

if TYPE_CHECKING:
    from nbxplain.adversarial.result import Adversarial

ROW = 5.0
"""Millimetres of a feature."""


def draw(result: Adversarial, row: int, style: Style) -> Drawing:
    """The variants of a row and their changes."""
    drawn = _bars if result.probe.inputs.is_table else _pictures
    figure = drawn(result, row, style)
    if style.caption:
        text = f"{result.attack} ({result.norm}): a probe of fragility, not an explanation"
        figure.supxlabel(" · ".join([text, *result.notices]), fontsize=5, color="#555555")
    return figure


def _pictures(result: Adversarial, row: int, style: Style) -> Drawing:
    """The input and its variants; below them the changes, amplified as it says there."""
    columns = len(result.epsilon) + 1
    figure = style.figure(2 / columns * 1.15, 6 * style.caption)
    axes = figure.subplots(2, columns, squeeze=False)
    clean = result.probe.clean[row]
    title = f"{result.probe.names[int(result.probe.truth[row])]}\nas it is"
    _show(axes[0, 0], clean, title, style.text)
    axes[1, 0].set_axis_off()
    for column, pixels in enumerate(result.pixels[row]):
        change = pixels - clean
        gain = 0.5 / max(float(change.abs().max()), 1e-12)
        _show(axes[0, column + 1], pixels, _title(result, row, column), style.text)
        _show(axes[1, column + 1], 0.5 + gain * change, f"change, {gain:.0f} x", style.text)
    return figure


def _bars(result: Adversarial, row: int, style: Style) -> Drawing:
    """How much each variant changed each feature, in the model's units."""
    table = result.probe.inputs.table
    clean = result.probe.clean[row].flatten()
    names = list(table.names) if table else [str(number) for number in range(len(clean))]
    figure = style.figure(0, 18 + ROW * len(names) + 6 * style.caption)
    axes = figure.subplots(1, len(result.epsilon), squeeze=False, sharex=True, sharey=True)[0]
    for column, (axis, values) in enumerate(zip(axes, result.pixels[row], strict=True)):
        change = (values.flatten() - clean).cpu().double().numpy()
        axis.barh(range(len(names)), change, color="#2961c4", height=0.7)
        axis.axvline(0, color="#888888", linewidth=0.5)
        axis.set_title(_title(result, row, column), loc="left", fontsize=style.text)
        axis.tick_params(labelsize=style.text - 1)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    axes[0].set_xlabel("change", fontsize=style.text)
    return figure


def _title(result: Adversarial, row: int, column: int) -> str:
    says = result.probe.names[int(result.after[row, column])]
    return f"{says}\nsize {float(result.sizes[row, column]):.3g}"


def _show(axis: Any, pixels: Tensor, title: str, text: int) -> None:
    picture = pixels.clamp(0, 1).cpu().double().numpy()
    picture = picture.mean(0) if picture.shape[0] not in (3,) else np.moveaxis(picture, 0, 2)
    axis.imshow(picture, cmap="gray", vmin=0, vmax=1)
    axis.set_title(title, loc="left", fontsize=text)
    axis.set_axis_off()


__all__ = ["draw"]
