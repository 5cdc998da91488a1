"""Figures of bottlenecks: interventions, intervention curves, leakage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbxplain.evaluation.check import ACCENT, BAND, FAINT, tidy
from nbxplain.evidence import Verdict
from nbxplain.figure import Drawing, Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nbxplain.concepts.bottleneck.curve import InterventionCurve
    from nbxplain.concepts.bottleneck.intervention import Intervention
    from nbxplain.concepts.bottleneck.leakage import Leakage

COLOURS = (ACCENT, "#c2571a", "#2f855a", "#805ad5", "#666666")
LIGHTS: dict[Verdict, str] = {
    "good": "#2f855a", "weak": "#b7791f", "poor": "#c53030", "plain": FAINT,
}  # fmt: skip
ROW = 6.0
"""Millimetres of a bar."""


def draw_curves(curves: Mapping[str, InterventionCurve], **options: Any) -> Drawing:
    """Intervention curves side by side: orders of one model, or models. Options as in Style."""
    style = Style(**options)
    figure = lines(curves, style)
    if style.caption:
        inputs = next(iter(curves.values())).right.shape[2]
        text = f"bands: 95 % (Wilson), {inputs} inputs"
        figure.supxlabel(text, fontsize=style.text - 1, color="#555555")
    return figure


def lines(curves: Mapping[str, InterventionCurve], style: Style) -> Drawing:
    """The curves without a caption."""
    figure = style.figure(0.42, 8 * style.caption)
    axis = figure.subplots()
    for number, (name, curve) in enumerate(curves.items()):
        _line(axis, curve, COLOURS[number % len(COLOURS)], name)
    axis.legend(fontsize=style.text - 1, frameon=False)
    _finish(axis, style, max(len(curve.accuracy) for curve in curves.values()))
    return figure


def draw_leakage(result: Leakage, style: Style) -> Drawing:
    """The curve in random order in the colour of the verdict, and the ends of its largest fall."""
    figure = style.figure(0.42, 8 * style.caption)
    axis = figure.subplots()
    light = LIGHTS[result.verdict]
    _line(axis, result.curve, light, "")
    if result.verdict in ("weak", "poor"):
        places = result.steps
        heights = [result.curve.accuracy[place] for place in places]
        axis.plot(places, heights, color=light, linestyle="", marker="o", markersize=6)
    _finish(axis, style, len(result.curve.accuracy))
    return figure


def _line(axis: Axes, curve: InterventionCurve, colour: str, name: str) -> None:
    places = range(len(curve.accuracy))
    axis.fill_between(places, *curve.band, color=colour, alpha=0.15, linewidth=0)
    axis.plot(places, curve.accuracy, color=colour, marker="o", markersize=3, label=name)


def _finish(axis: Axes, style: Style, steps: int) -> None:
    axis.set_ylim(0, 1.03)
    axis.set_xticks(range(0, steps, 1 + steps // 15))
    tidy(axis, style, "", "concepts corrected", "accuracy of the class")


def draw_intervention(result: Intervention, row: int, **options: Any) -> Drawing:
    """Left the concepts, corrected ones in colour; right the classes before and after."""
    style = Style(**options)
    before, after = result.before, result.after
    tallest = max(len(before.concepts), len(before.classes))
    figure = style.figure(0, 20 + ROW * tallest + 6 * style.caption)
    left, right = figure.subplots(1, 2)
    said = after.corrections(row)
    colours = [ACCENT if name in said else BAND for name in before.concepts]
    places = range(len(before.concepts))
    left.barh(places, after.values[row].tolist(), color=colours, height=0.7)
    left.plot(before.probabilities[row].tolist(), places, "|", color="#30343a", markersize=7)
    told = [place for place in places if before.concepts[place] in said]
    ends = after.values[row, told].tolist()
    left.plot(ends, told, "o", color=ACCENT, markersize=5, clip_on=False)  # absent has no bar
    left.set_yticks(places, before.concepts)
    tidy(left, style, "Concepts: as said (|), corrected in blue", "probability")
    for state, colour, shift, name in (
        (before, BAND, -0.2, "before"), (after, ACCENT, 0.2, "after"),
    ):  # fmt: skip
        heights = [place + shift for place in range(len(before.classes))]
        shares = state.class_probabilities[row].tolist()
        right.barh(heights, shares, color=colour, height=0.38, label=name)
    right.set_yticks(range(len(before.classes)), before.classes)
    right.legend(fontsize=style.text - 1, frameon=False)
    tidy(right, style, "Classes", "probability")
    for axis in (left, right):
        axis.invert_yaxis()
        axis.set_xlim(0, 1)
    if style.caption:
        figure.supxlabel(result.reading(row), fontsize=style.text - 1, color="#555555", wrap=True)
    return figure
