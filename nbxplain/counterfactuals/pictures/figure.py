"""Counterfactual pictures as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbxplain.figure import Drawing, Style
from nbxplain.figure.style import origin

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL import Image

    from nbxplain.counterfactuals.pictures.result import PictureCounterfactuals

BLUE, GREY = "#2961c4", "#8a8f98"
ACROSS = 6
"""Pictures side by side, the original among them."""


def draw_pictures(result: PictureCounterfactuals, **options: Any) -> Drawing:
    """The original, the pictures and their differences, the loss, and a strip of the way."""
    style = Style(**options)
    shown = min(len(result), ACROSS - 1)
    rows, columns = (1, 4) if shown == 1 else (2, shown + 1)
    way = result.iterates
    heights = [rows * 1.25 / columns, 1.25 / max(8, len(way))]
    figure = style.figure(sum(heights), 4 * style.caption * (1 + shown))
    above, below = figure.subfigures(2, 1, height_ratios=heights, squeeze=False)[:, 0]
    axes = above.subplots(rows, columns, squeeze=False)
    start = _said(result.predicted, result.desired, result.before)
    _show(axes[0, 0], result.inputs.pictures[0], start, style.text)
    _curve(axes[-1, -1 if shown == 1 else 0], result, style.text)
    for number, picture in enumerate(result.pictures[:shown]):
        after = _said(result.after[number], result.desired, float(result.probability[number]))
        _show(axes[0, number + 1], picture, after, style.text)
        gain = f"difference, {result.gain(number):.3g} x\n"
        place = axes[0, 2] if shown == 1 else axes[1, number + 1]
        _show(place, result.drawn(number), gain, style.text)
    for axis, iterate in zip(below.subplots(1, len(way), squeeze=False)[0], way, strict=True):
        _show(axis, iterate.picture, f"step {iterate.step}", style.text - 2)
    if style.caption:
        notes = [one.verdict for one in result.honesty[:shown]]
        state = "" if result.complete else f"PARTIAL: {result.done} of {result.total} · "
        text = "\n".join([*notes, state + origin(result.provenance)])
        figure.supxlabel(text, fontsize=5, color="#555555", wrap=True)
    return figure


def _said(winner: str, desired: str, probability: float) -> str:
    """Who wins, and the probability of the desired class below it."""
    return winner if probability != probability else f"{winner}\n{desired} {probability:.2g}"


def _show(axis: Axes, picture: Image.Image, title: str, text: int) -> None:
    axis.imshow(picture)
    axis.set_title(title, loc="left", fontsize=text)
    axis.set_axis_off()


def _curve(axis: Axes, result: PictureCounterfactuals, text: int) -> None:
    """The class loss of each picture on its way, and the wished probability's."""
    axis.set_box_aspect(0.9)
    if "class" in result.curve:
        axis.plot(result.curve["class"].numpy(), color=BLUE, linewidth=0.8)
    if result.search.probability is not None:
        from math import log

        axis.axhline(-log(result.search.probability), color=GREY, linewidth=0.5)
    axis.set_title("class loss by step\n", loc="left", fontsize=text)
    axis.tick_params(labelsize=text - 2)
    axis.spines[["top", "right"]].set_visible(False)


__all__ = ["draw_pictures"]
