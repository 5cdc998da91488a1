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
"""Pictures side by side, of the results and of the way there."""


def draw_pictures(result: PictureCounterfactuals, **options: Any) -> Drawing:
    """The original over the loss, each picture over its difference, and the way below."""
    style = Style(**options)
    shown = min(len(result), ACROSS - 1)
    columns = max(4, shown + 1)
    way = result.iterates[1:]
    lines = 2 + (-(-len(way) // columns))
    more = 10 + 5 * style.caption + 8 * bool(result.honesty)
    figure = style.figure(1.12 * lines / columns, more)
    axes = figure.subplots(lines, columns, squeeze=False)
    for axis in axes.ravel():
        axis.set_axis_off()
    start = _said(result.predicted, result.desired, result.before)
    _show(axes[0, 0], result.inputs.pictures[0], start, style.text)
    _curve(axes[1, 0], result, style.text)
    for number in range(shown):
        after = _said(result.after[number], result.desired, float(result.probability[number]))
        _show(axes[0, number + 1], result.pictures[number], after, style.text)
        gain = f"difference, {result.gain(number):.3g} x"
        _show(axes[1, number + 1], result.drawn(number), gain, style.text)
    for axis, iterate in zip(axes[2:].ravel(), way, strict=False):
        _show(axis, iterate.picture, f"step {iterate.step}", style.text - 1)
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


def _curve(axis: Axes, result: PictureCounterfactuals, text: int) -> None:
    """The class loss of each picture on its way, and the wished probability's."""
    axis.set_axis_on()
    if "class" in result.curve:
        axis.plot(result.curve["class"].numpy(), color=BLUE, linewidth=0.8)
    if result.search.probability is not None:
        from math import log

        axis.axhline(-log(result.search.probability), color=GREY, linewidth=0.5)
    axis.set_title("class loss, by step", loc="left", fontsize=text)
    axis.tick_params(labelsize=text - 2)
    axis.spines[["top", "right"]].set_visible(False)


__all__ = ["draw_pictures"]
