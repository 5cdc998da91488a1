"""What each part adds to the score: waterfall, bars and forces, for table rows and regions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Polygon

from nbxplain.contributions import Parts, contributions, parts
from nbxplain.figure.regions import badge, numbered
from nbxplain.figure.rows import (
    FOOT,
    GAP,
    Columns,
    Row,
    axes_of,
    bar,
    bare,
    numbers,
    ranked,
    scale,
    unaccounted,
)
from nbxplain.figure.sheet import GREY, HAIRLINE, INK, MARGIN, Sheet
from nbxplain.figure.style import Drawing, Style, caption
from nbxplain.figure.text import height, number, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nbxplain.results import Attribution

BAND = 6.0
"""How thick the band of forces is, in millimetres."""


def waterfall(attribution: Attribution, row: int, most: int, style: Style) -> Drawing:
    """From E[f] to f(x), one part after the other, strongest first."""
    shares = contributions(attribution, row)
    steps = [*ranked(shares, most), *unaccounted(shares)]
    largest = max(abs(shares.base), abs(shares.score), *(abs(step.value) for step in steps))
    texts = [number(shares.base, largest), *numbers(steps), number(shares.score, largest)]
    rows = [Row("E[f]", 0), *steps, Row("f(x)", 0)]
    page = _Page(attribution, row, shares, style)
    columns = Columns.of(rows, page.room, style.text, texts, shares.of_picture)
    sheet = page.sheet(columns.tall + FOOT, steps)
    columns.write(sheet, page.x, page.y)
    axis = axes_of(columns, sheet, page.x, page.y)
    places = shares.base + np.cumsum([0.0, *(step.value for step in steps)])
    middles = columns.middles
    for start, step, middle in zip(places, steps, middles[1:], strict=False):
        bar(axis, step, start, middle, style)
    # Each bar begins where the one above it ended.
    for place, upper, lower in zip(places, middles, middles[1:], strict=False):
        axis.plot([place, place], [upper, lower], color=HAIRLINE, linewidth=0.6, zorder=1)
    for place, middle, ink in ((places[0], middles[0], GREY), (places[-1], middles[-1], INK)):
        axis.plot(place, middle, "|", color=ink, markersize=style.text, markeredgewidth=1)
    scale(axis, style)
    foot = page.y + columns.tall + FOOT / 2
    names = page.x + columns.ranks
    sheet.text(names, foot, [shares.unit], size=style.text - 1, color=GREY)
    return sheet.figure


def bars(attribution: Attribution, row: int, most: int, style: Style) -> Drawing:
    """One bar for each part, strongest first."""
    shares = parts(attribution, row)
    rows = ranked(shares, most)
    page = _Page(attribution, row, shares, style)
    columns = Columns.of(rows, page.room, style.text, numbers(rows), shares.of_picture)
    sheet = page.sheet(columns.tall, rows)
    columns.write(sheet, page.x, page.y)
    axis = axes_of(columns, sheet, page.x, page.y)
    axis.axvline(0, color=GREY, linewidth=0.6, zorder=3)
    for step, middle in zip(rows, columns.middles, strict=True):
        bar(axis, step, 0.0, middle, style)
    return sheet.figure


def force(attribution: Attribution, row: int, most: int, style: Style) -> Drawing:
    """What pushes the score up meets what pulls it down at f(x); below, both by name."""
    shares = contributions(attribution, row)
    steps = [*ranked(shares, most), *unaccounted(shares)]
    page = _Page(attribution, row, shares, style)
    stacked = style.width == "single"
    room = page.room if stacked else (page.room - 3 * GAP) / 2
    strongest = max(abs(step.value) for step in steps)
    sides = [
        Columns.of(side, room, style.text, numbers(side, strongest), ranks=True, bars=False)
        for side in ([s for s in steps if s.value > 0], [s for s in steps if s.value < 0])
        if side
    ]
    line = height(1, style.text) + 1
    band = 2 * line + BAND + GAP
    heights = [side.tall for side in sides]
    tall = sum(heights) + GAP if stacked else max(heights, default=0.0)
    sheet = page.sheet(band + tall, steps)
    axis = bare(sheet.axes(page.x, page.y + line, page.room, BAND))
    _forces(axis, shares.score, steps, page.room, style)
    low, high = axis.get_xlim()
    largest = max(abs(shares.base), abs(shares.score))
    for name, value, y, weight, ink in (
        ("f(x)", shares.score, page.y + line / 2, "bold", INK),
        ("E[f]", shares.base, page.y + line * 1.5 + BAND, "normal", GREY),
    ):
        text = f"{name} = {number(value, largest)}"
        wide = width(text, style.text, weight)
        left = (value - low) / (high - low) * page.room - wide / 2
        left = min(max(left, 0), page.room - wide)
        sheet.text(page.x + left, y, [text], weight=weight, color=ink)
        axis.plot([value, value], [0, 1], color=ink, linewidth=0.8, clip_on=False, zorder=5)
    x, y = page.x, page.y + band
    for side in sides:
        side.write(sheet, x, y)
        x, y = (x, y + side.tall + GAP) if stacked else (x + room + 3 * GAP, y)
    return sheet.figure


def _forces(axis: Axes, score: float, steps: list[Row], room: float, style: Style) -> None:
    """Arrows that meet at the score, the strongest next to it."""
    up, down = ([s for s in steps if (s.value > 0) == sign and s.value] for sign in (True, False))
    low = score - sum(step.value for step in up)
    high = score - sum(step.value for step in down)
    span = (high - low) or 1.0
    axis.set_xlim(low - 0.01 * span, high + 0.01 * span)
    axis.set_ylim(0, 1)
    for side in (up, down):
        end = score
        for step in side:
            start = end - step.value
            # The tip points to where the part pushes the score.
            tip = 0.25 * min(abs(step.value), 0.06 * span) * np.sign(step.value)
            corners = [(start, 0), (end - tip, 0), (end, 0.5), (end - tip, 1), (start, 1)]
            notch = (start + tip, 0.5) if step is not side[-1] else (start, 0.5)
            axis.add_patch(
                Polygon(
                    [*corners, notch], facecolor=step.colour, edgecolor="#ffffff", linewidth=0.6
                )
            )
            if step.rank and abs(step.value) / span * room > 3.5:
                middle = (start + end) / 2
                disc = badge(step.colour, style.text - 1.5)
                axis.text(middle, 0.5, str(step.rank), va="center_baseline", **disc)
            end = start


DRAWN: dict[str, Callable[[Attribution, int, int, Style], Drawing]] = {
    "waterfall": waterfall,
    "bar": bars,
    "force": force,
}


class _Page:
    """Where rows go: beside the picture that the parts are of, or below it in a narrow figure."""

    def __init__(self, attribution: Attribution, row: int, shares: Parts, style: Style) -> None:
        self.attribution, self.row, self.shares, self.style = attribution, row, shares, style
        self.x, self.room = MARGIN, style.millimetres - 2 * MARGIN
        self.wide = self.high = self.above = 0.0
        if not shares.of_picture:
            return
        self.pixels = np.asarray(attribution.inputs.pictures[row].convert("RGB"))
        narrow = style.width == "single"
        self.wide = self.room * (0.6 if narrow else 0.34)
        self.high = self.wide * self.pixels.shape[0] / self.pixels.shape[1]
        if narrow:
            self.above = self.high + GAP
        else:
            self.x += self.wide + 3 * GAP
            self.room -= self.wide + 3 * GAP

    def sheet(self, tall: float, rows: list[Row]) -> Sheet:
        """A sheet for rows so high, with the picture drawn and their regions numbered."""
        a, row = self.attribution, self.row
        body = tall + self.above if self.above else max(tall, self.high)
        title = f"{a.method.label} for {a.target[row]}"
        sheet = Sheet(self.style, title, body, caption(a, row))
        self.y = sheet.top + self.above
        if self.shares.of_picture:
            axis = sheet.axes(MARGIN, sheet.top, self.wide, self.high)
            order = [step.part for step in rows if step.part is not None]
            size = self.style.text - 1.5
            numbered(axis, self.pixels, self.shares.labels, self.shares.values, order, size)
        return sheet
