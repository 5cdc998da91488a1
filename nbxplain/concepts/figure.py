"""Figures of concept scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbxplain.figure import Drawing, Style

if TYPE_CHECKING:
    from nbxplain.concepts.result import TCAV

STRONG, WEAK, CHANCE = "#2961c4", "#b5bac2", "#8a8f98"
ROW = 7.0
"""Millimetres of a row."""


def draw_scores(result: TCAV, **options: Any) -> Drawing:
    """A bar for each concept and layer: the signed magnitude, with the middle 95 % of what sets
    without the concept give behind it. Grey bars are not significant; they say why."""
    style = Style(**options)
    count = len(result.scores)
    figure = style.figure(0, 16 + ROW * count + 6 * style.caption)
    axis = figure.subplots()
    for place, score in enumerate(result.scores):
        low, high = score.null.quantile(0.025), score.null.quantile(0.975)
        axis.barh(place, float(high - low), left=float(low), height=0.85, color="#eceef1")
        color = STRONG if score.significant else WEAK
        axis.barh(place, score.magnitude, height=0.4, color=color)
        said = f"TCAV {score.score:.2f}, q {score.q:.2g}" if score.significant else "not shown: "
        if not score.significant:
            said += (
                "not found at this layer"
                if not score.found
                else f"no more than chance, q {score.q:.2g}"
            )
        axis.annotate(
            said, (1.01, place), xycoords=("axes fraction", "data"), va="center",
            fontsize=style.text - 1, color="#30343a" if score.significant else CHANCE,
        )  # fmt: skip
    names = [f"{s.concept}  ·  {s.layer}" for s in result.scores]
    axis.set_yticks(range(count), names, fontsize=style.text)
    axis.invert_yaxis()
    axis.axvline(0, color=CHANCE, linewidth=0.5)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(labelsize=style.text - 1, length=0)
    axis.set_title(f"What moves {result.target}", loc="left", fontsize=style.text)
    axis.set_xlabel("change of the logit along the concept", fontsize=style.text - 1)
    if style.caption:
        text = "grey band: 95 % of sets without the concept · q: permutation test, corrected"
        figure.supxlabel(text, fontsize=5, color="#555555")
    return figure
