"""Rows of a chart of parts: what stands in them, and how wide their columns are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from nbxplain.contributions import Contributions, Parts
from nbxplain.figure.regions import NEGATIVE, POSITIVE, badge
from nbxplain.figure.sheet import GREY, HAIRLINE, INK, Sheet
from nbxplain.figure.style import Style
from nbxplain.figure.text import POINT, height, signed, width, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAP = 2.0
"""Millimetres between columns."""
FOOT = 4.5
"""Millimetres below the bars for the scale."""
UNACCOUNTED = 1e-3
"""Share of the largest number from which a gap has a row of its own."""


@dataclass(frozen=True)
class Row:
    """A part with its rank, the others together, what is not accounted for, or an end."""

    name: str
    value: float
    error: float = 0.0
    shown: str = ""
    part: int | None = None
    rank: int = 0
    plain: bool = False

    @property
    def colour(self) -> str:
        if self.plain:
            return GREY
        return POSITIVE if self.value >= 0 else NEGATIVE


def ranked(shares: Parts, most: int) -> list[Row]:
    """The `most` strongest parts, strongest first, and a row for the others together."""
    order = np.argsort(-np.abs(shares.values), kind="stable")
    # A row that stands for one other part may as well be that part.
    most += len(order) == most + 1
    errors = np.zeros(len(order)) if shares.errors is None else shares.errors
    rows = [
        Row(
            shares.names[i],
            float(shares.values[i]),
            float(errors[i]),
            shares.shown[i] if shares.shown else "",
            int(i),
            rank,
        )
        for rank, i in enumerate(order[:most], 1)
    ]
    rest = order[most:]
    if len(rest):
        # As if their errors were independent.
        error = math.hypot(*errors[rest])
        rows.append(Row(f"{len(rest)} others", float(shares.values[rest].sum()), error))
    return rows


def unaccounted(shares: Contributions) -> list[Row]:
    """A row for the completeness gap, where there is one."""
    largest = max(abs(shares.score - shares.base), float(np.abs(shares.values).max()))
    if abs(shares.gap) <= UNACCOUNTED * largest:
        return []
    return [Row("not accounted for", shares.gap, plain=True)]


@dataclass(frozen=True)
class Columns:
    """Where the columns lie, in millimetres, and the texts in them, wrapped and measured.

    From the left: the rank, the name, the feature's value, room for `bars`, and a number.
    """

    rows: list[Row]
    numbers: list[str]
    names: list[list[str]]
    shown: list[list[str]]
    heights: list[float]
    ranks: float
    text: float
    bars: float
    room: float
    size: float

    @classmethod
    def of(
        cls,
        rows: list[Row],
        room: float,
        size: float,
        numbers: list[str],
        ranks: bool,
        bars: bool = True,
        least: float = 0.0,
    ) -> Columns:
        """Columns for rows in `room` millimetres, of which bars get about half; each is at least
        `least` high."""
        rank = size * POINT * 1.8 if ranks else 0.0
        number = _widest([numbers], size, "bold")
        free = 0.52 * room if bars else room - rank - number - 2 * GAP
        valued = any(row.shown for row in rows)
        names = [wrapped(row.name, (0.65 if valued else 0.8) * free, size) for row in rows]
        shown = [wrapped(row.shown, 0.35 * free, size) if row.shown else [] for row in rows]
        lines = [max(len(a), len(b)) for a, b in zip(names, shown, strict=True)]
        # Below the names stands the name of the scale.
        name = max(_widest(names, size), width("probability", size) if bars else 0)
        text = rank + name + valued * (GAP + _widest(shown, size))
        return cls(
            rows,
            numbers,
            names,
            shown,
            [max(least, height(count, size) + 0.6 * size * POINT) for count in lines],
            rank,
            text,
            room - text - number - 2 * GAP,
            room,
            size,
        )

    @property
    def tall(self) -> float:
        return sum(self.heights)

    @property
    def middles(self) -> list[float]:
        """The middle of each row, from the top of the first."""
        ends = np.cumsum(self.heights)
        return [float(end - tall / 2) for end, tall in zip(ends, self.heights, strict=True)]

    def write(self, sheet: Sheet, x: float, y: float) -> None:
        """Everything but the bars, with the upper left corner at (x, y)."""
        for i, (row, middle) in enumerate(zip(self.rows, self.middles, strict=True)):
            end = row.name == "f(x)"
            ink, weight = INK if row.rank or end else GREY, "bold" if end else "normal"
            at = y + middle
            sheet.text(x + self.ranks, at, self.names[i], color=ink, weight=weight)
            sheet.text(x + self.text, at, self.shown[i], color=GREY, ha="right")
            number = [self.numbers[i]]
            sheet.text(x + self.room, at, number, color=ink, weight=weight, ha="right")
            if row.rank and self.ranks:
                disc = badge(row.colour, self.size - 1.5)
                sheet.text(x + self.ranks * 0.35, at, [str(row.rank)], **disc)


def _widest(texts: list[list[str]], size: float, weight: str = "normal") -> float:
    return max((width(line, size, weight) for lines in texts for line in lines), default=0.0)


def numbers(rows: list[Row], largest: float = 0) -> list[str]:
    """The values of rows with their signs, to three digits of the largest."""
    largest = largest or max(abs(row.value) for row in rows)
    return [signed(row.value, largest) for row in rows]


def axes_of(columns: Columns, sheet: Sheet, x: float, y: float) -> Axes:
    """Axes for bars in the columns with the upper left corner (x, y), in millimetres downwards."""
    axis = bare(sheet.axes(x + columns.text + GAP, y, columns.bars, columns.tall))
    axis.set_ylim(columns.tall, 0)
    # Bars are sticky: without this the longest would touch its neighbours.
    axis.use_sticky_edges = False
    axis.set_xmargin(0.03)
    return axis


def bare(axis: Axes) -> Axes:
    """The axes without anything around them."""
    axis.spines[:].set_visible(False)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.patch.set_alpha(0)
    return axis


def bar(axis: Axes, row: Row, start: float, middle: float, style: Style) -> None:
    """A bar from `start`, with a whisker of one standard error to each side of its end."""
    axis.barh(middle, row.value, 0.8 * height(1, style.text), start, color=row.colour, zorder=2)
    end = start + row.value
    if row.error:
        ends = [end - row.error, end + row.error]
        axis.plot(ends, [middle, middle], color=INK, linewidth=0.8, zorder=4)


def scale(axis: Axes, style: Style) -> None:
    """A scale at the foot of bars, in FOOT millimetres."""
    axis.spines["bottom"].set(visible=True, color=HAIRLINE, linewidth=0.6)
    axis.xaxis.set_major_locator(MaxNLocator(4))
    look = {"labelsize": style.text - 1, "labelcolor": GREY, "color": HAIRLINE}
    axis.tick_params(axis="x", length=1.5, width=0.5, pad=1.5, **look)
