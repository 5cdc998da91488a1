"""Figures of concepts: their scores, their doses, and those that were discovered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nbxplain.figure import Drawing, Style, look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL import Image
    from torch import Tensor

    from nbxplain.concepts.found import Discovery
    from nbxplain.concepts.result import TCAV
    from nbxplain.concepts.steering import Steering

STRONG, WEAK, CHANCE = "#2961c4", "#b5bac2", "#8a8f98"
ROW = 7.0
"""Millimetres of a row."""
ROWS, CROPS, MAPS = 8, 5, 3
"""Concepts that a figure of a discovery shows, and crops and pictures of each."""


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


def draw_steering(result: Steering, **options: Any) -> Drawing:
    """The target's score against dose, a line for each input; a dot where another class is
    predicted from there on; in grey the ends of random directions."""
    style = Style(**options)
    figure = style.figure(0.45, 6 * style.caption)
    axis = figure.subplots()
    doses = result.doses.numpy()
    for row, scores in enumerate(result.scores.numpy()):
        axis.plot(
            doses, scores, color=STRONG, linewidth=1, alpha=1 if len(result.scores) == 1 else 0.5
        )
        turn = result.turning(row)
        if turn is not None:
            place = doses.tolist().index(turn[0])
            axis.plot(doses[place], scores[place], "o", color=STRONG, markersize=3)
            # On the side that the curve leaves free.
            falls = scores[min(place + 1, len(scores) - 1)] < scores[place]
            axis.annotate(
                turn[1], (doses[place], scores[place]), xytext=(4, 4 if falls else -9),
                textcoords="offset points", fontsize=style.text - 1,
            )  # fmt: skip
    for place, ends in ((0, result.random[:, 0]), (-1, result.random[:, 1])):
        axis.plot(
            doses[[place]].repeat(ends.numel()), ends.flatten().numpy(), "_", color=CHANCE,
            markersize=6, markeredgewidth=0.8,
        )  # fmt: skip
    axis.axvline(0, color=CHANCE, linewidth=0.5)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=style.text - 1, length=2)
    title = result.target[0] if len(set(result.target)) == 1 else "each input's target"
    axis.set_title(
        f"{title}, with more or less of {result.cav.name}", loc="left", fontsize=style.text
    )
    axis.set_xlabel(f"dose of {result.cav.name} at {result.cav.layer}", fontsize=style.text - 1)
    axis.set_ylabel("score", fontsize=style.text - 1)
    if style.caption:
        text = "dose 1: from random pictures to the concept's · dot: another class is predicted"
        if result.random.numel():
            text += f" · grey: {result.random.shape[2]} random directions as long"
        figure.supxlabel(text, fontsize=5, color="#555555")
    return figure


def draw_discovery(result: Discovery, **options: Any) -> Drawing:
    """A row a concept, the most important first: crops that show it, and on the class's pictures
    where it fires."""
    style = Style(**options)
    shown = result.concepts[:ROWS]
    count = max(len(shown), 1)
    figure = style.figure(count / (CROPS + MAPS), 7 * count + 6 * style.caption)
    axes = figure.subplots(count, CROPS + MAPS, squeeze=False)
    figure.set_layout_engine("constrained", h_pad=0.09)
    for axis in axes.ravel():
        axis.set_axis_off()
    for row, one in zip(axes, shown, strict=False):
        grey = one.score is not None and not one.score.significant
        said = f"{one.concept.name}   {one.importance:+.3g} ± {one.error:.2g}"
        said += "   no more than chance" if grey else ""
        color = CHANCE if grey else "#30343a"
        # Out of the layout: a long line would push the first column away from the others.
        place = {"xytext": (0, 3), "textcoords": "offset points", "xycoords": "axes fraction"}
        row[0].annotate(said, (0, 1), fontsize=style.text, color=color, **place).set_in_layout(
            False
        )
        for axis, crop in zip(row[:CROPS], one.crops, strict=False):
            axis.imshow(crop)
        strongest = one.maps.flatten(1).amax(1).argsort(descending=True)
        for axis, number in zip(row[CROPS:], strongest.tolist(), strict=False):
            overlay(axis, result.inputs.pictures[number], one.maps[number], style)
    if style.caption:
        worth = {"ablation": "what the score loses without it", "sobol": "total Sobol index"}
        text = worth.get(result.importance, "magnitude of its TCAV score")
        text = f"{result.method} for {result.target} at {result.layer} · {text} · right: where"
        figure.supxlabel(f"{text} it fires", fontsize=5, color="#555555")
    return figure


def overlay(axis: Axes, picture: Image.Image, values: Tensor, style: Style) -> None:
    """A map (rows, columns) over a picture."""
    pixels = np.asarray(picture)
    seen = look(values.clamp(min=0).double().numpy(), style.clip)
    drawn = style.image(seen, pixels)
    axis.imshow(pixels, extent=drawn["extent"])
    axis.imshow(seen.values, alpha=style.opacity * seen.alpha, **drawn)
