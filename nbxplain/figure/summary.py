"""Figures of many explanations: bars of the mean |phi|, a beeswarm, dependence on one feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from nbxplain.contributions import Parts
from nbxplain.core.errors import InputError
from nbxplain.figure.rows import FOOT, Columns, Row, axes_of, bar, bare, numbers, ranked, scale
from nbxplain.figure.sheet import GREY, HAIRLINE, MARGIN, Sheet
from nbxplain.figure.style import Drawing, Style, brief, origin
from nbxplain.figure.text import height, width, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nbxplain.summary import Summary

Kind = Literal["bar", "beeswarm", "dependence", "map"]
Floats = NDArray[np.float64]

VALUES = colormaps["viridis"]
"""Colours of feature values: red and blue belong to the sign of an attribution."""
BAR = "#57606a"
KEY = 4.0
"""Millimetres for the name of the scale and a key of colours."""
SWARM = 6.0
"""Millimetres of a row of a beeswarm, at least."""


def drawn(
    summary: Summary, kind: Kind | None, feature: str | None, most: int = 12, **options: Any
) -> Drawing:
    """A figure of a summary, see Summary.figure."""
    tables, pictures = ("bar", "beeswarm", "dependence"), ("bar", "beeswarm", "map")
    known = tables if summary.labels is None else pictures
    kind = kind or ("beeswarm" if summary.labels is None else "map")
    if kind not in known:
        raise InputError(
            f"This summary cannot be drawn as {kind!r}.", f"Choose one of {', '.join(known)}."
        )
    style = Style(**options)
    if kind == "dependence":
        first = summary.order[0]
        return _dependence(summary, first if feature is None else summary.column(feature), style)
    if kind == "map":
        return _map(summary, style)
    return (_bars if kind == "bar" else _beeswarm)(summary, most, style)


def _bars(summary: Summary, most: int, style: Style) -> Drawing:
    rows = _rows(summary, most)
    sheet, columns, axis = _chart(summary, rows, style, foot=KEY)
    for row, middle in zip(rows, columns.middles, strict=True):
        bar(axis, row, 0.0, middle, style)
    axis.set_xlim(left=0)
    scale(axis, style)
    _foot(sheet, columns, f"mean |φ|, {summary.unit}", style)
    return sheet.figure


def _beeswarm(summary: Summary, most: int, style: Style) -> Drawing:
    rows = [row for row in _rows(summary, most) if row.part is not None]
    sheet, columns, axis = _chart(summary, rows, style, SWARM, KEY)
    values = summary.values.double().numpy()
    axis.axvline(0, color=HAIRLINE, linewidth=0.6, zorder=0)
    size = 1.2 if len(values) > 300 else 2.2
    for row, middle, tall in zip(rows, columns.middles, columns.heights, strict=True):
        assert row.part is not None
        phi = values[:, row.part]
        y = middle + 0.42 * tall * swarm(phi, float(np.ptp(values)) or 1.0)
        axis.scatter(phi, y, s=size**2, c=_colours(summary, row.part), linewidths=0, zorder=2)
    scale(axis, style)
    _foot(sheet, columns, f"φ, {summary.unit}", style)
    if summary.features is not None:
        _key(sheet, sheet.top + columns.tall + FOOT, "feature's value", style)
    return sheet.figure


def swarm(phi: Floats, span: float) -> Floats:
    """How far each of the values (N,) stands aside, from -1 to 1, so that all can be seen.

    Values that fall into one hundredth of `span` are stacked around the middle, in their order; the
    fullest stack takes all the room.
    """
    place = np.floor((phi - phi.min()) / span * 100).astype(int)
    aside = np.zeros(len(phi))
    for stack in np.unique(place):
        members = np.flatnonzero(place == stack)
        step = (np.arange(len(members)) + 1) // 2
        aside[members] = step * np.where(np.arange(len(members)) % 2, 1, -1)
    # A handful of rows does not fill the room.
    spread: Floats = aside / max(np.abs(aside).max(), 6)
    return spread


def _dependence(summary: Summary, part: int, style: Style) -> Drawing:
    """phi of a feature against its value, coloured by the feature that it interacts with."""
    if summary.features is None:
        raise InputError("Regions have no values to depend on.", "Choose kind='bar' or 'map'.")
    x = summary.features[:, part].double().numpy()
    if np.isnan(x).all():
        raise InputError(
            f"{summary.names[part]!r} is a group of features and has no value.",
            "Choose a single feature.",
        )
    phi = summary.values[:, part].double().numpy()
    partner, categories = summary.partners[part], _categories(summary, part)
    left, tall, size = MARGIN + 12, 0.42 * style.millimetres, style.text
    room = style.millimetres - left - MARGIN
    ticks = [wrapped(name, room / len(categories) - 1, size - 1) for name in categories]
    name = wrapped(summary.names[part], room, size)
    below = 2 + height(max((len(lines) for lines in ticks), default=1), size - 1)
    coloured = [] if partner == part else wrapped(summary.names[partner], room / 2, size - 1)
    foot = below + height(len(name), size) + height(len(coloured), size - 1) + 1
    sheet = _sheet(summary, tall + foot, style)
    axis = bare(sheet.axes(left, sheet.top, room, tall))
    axis.axhline(0, color=HAIRLINE, linewidth=0.6, zorder=0)
    # Rows of one category stand side by side, each at a place of its own.
    aside = (np.arange(len(x)) * 0.618034 % 1 - 0.5) * 0.5 if categories else 0.0
    colours: Any = _colours(summary, partner) if coloured else BAR
    axis.scatter(x + aside, phi, s=6, c=colours, linewidths=0, alpha=0.85)
    _both_scales(axis, style)
    if ticks:
        axis.set_xticks(range(len(ticks)), ["\n".join(t) for t in ticks], parse_math=False)
    y = sheet.top + tall + below
    sheet.text(left + room / 2, y + height(len(name), size) / 2, name, ha="center")
    if coloured:
        _key(sheet, y + height(len(name), size), summary.names[partner], style)
    label = [f"φ, {summary.unit}"]
    sheet.text(MARGIN + 1.5, sheet.top + tall / 2, label, rotation=90, ha="center", va="center")
    return sheet.figure


def _map(summary: Summary, style: Style) -> Drawing:
    """The first picture, and the mean |phi| of the regions that all pictures share."""
    figure = style.figure(0.46)
    axes = figure.subplots(1, 2)
    pixels = np.asarray(summary.pictures[0].convert("RGB"))
    extent = (0, pixels.shape[1], pixels.shape[0], 0)
    axes[0].imshow(pixels, extent=extent)
    shown = axes[1].imshow(summary.map.double().numpy(), cmap="inferno", vmin=0, extent=extent)
    rows = len(summary.values)
    titles = (f"the first of {rows} pictures", f"mean |φ| for {summary.target}")
    for axis, title in zip(axes, titles, strict=True):
        axis.set_title(title, loc="left", fontsize=style.text, wrap=True, parse_math=False)
        axis.set_axis_off()
    key = figure.colorbar(shown, ax=axes[1], shrink=0.8, pad=0.02)
    key.ax.tick_params(labelsize=style.text - 1)
    key.outline.set_linewidth(0.3)
    if style.caption:
        figure.supxlabel(_caption(summary), fontsize=5, color=GREY, wrap=True)
    return figure


def _rows(summary: Summary, most: int) -> list[Row]:
    errors = summary.errors.double().nan_to_num().numpy()
    mean = summary.mean.double().numpy()
    found = ranked(Parts(summary.names, mean, errors, [], np.arange(len(mean))), most)
    return [Row(r.name, r.value, r.error, part=r.part, rank=r.rank, plain=True) for r in found]


def _chart(
    summary: Summary, rows: list[Row], style: Style, least: float = 0.0, foot: float = 0.0
) -> tuple[Sheet, Columns, Axes]:
    texts = [text.lstrip("+") for text in numbers(rows)]
    room = style.millimetres - 2 * MARGIN
    columns = Columns.of(rows, room, style.text, texts, ranks=False, least=least)
    sheet = _sheet(summary, columns.tall + FOOT + foot, style)
    columns.write(sheet, MARGIN, sheet.top)
    return sheet, columns, axes_of(columns, sheet, MARGIN, sheet.top)


def _sheet(summary: Summary, tall: float, style: Style) -> Sheet:
    title = f"{summary.method.label} for {summary.target}, {len(summary.values)} rows"
    return Sheet(style, title, tall, _caption(summary))


def _caption(summary: Summary) -> str:
    return f"{brief(summary.method)} · {origin(summary.provenance)}"


def _foot(sheet: Sheet, columns: Columns, text: str, style: Style) -> None:
    y = sheet.top + columns.tall + FOOT + KEY / 2 + 0.5
    sheet.text(MARGIN, y, [text], size=style.text - 1, color=GREY)


def _key(sheet: Sheet, y: float, what: str, style: Style) -> None:
    """Which colours are low and high values of what, from `y` in KEY millimetres or more."""
    size, long = style.text - 1, 14.0
    right = sheet.width - MARGIN
    end = right - width("high", size) - 1
    start = end - long
    left = start - width("low", size) - 3
    lines = wrapped(what, left - MARGIN, size)
    middle = y + height(len(lines), size) / 2 + 0.5
    look: dict[str, Any] = {"size": size, "color": GREY, "ha": "right"}
    sheet.text(right, middle, ["high"], **look)
    sheet.text(start - 1, middle, ["low"], **look)
    sheet.text(left, middle, lines, **look)
    axis = bare(sheet.axes(start, middle - 0.8, long, 1.6))
    axis.imshow(np.linspace(0, 1, 64)[None], cmap=VALUES, aspect="auto")


def _both_scales(axis: Axes, style: Style) -> None:
    scale(axis, style)
    axis.yaxis.set_major_locator(MaxNLocator(5))
    axis.spines["left"].set(visible=True, color=HAIRLINE, linewidth=0.6)
    look = {"labelsize": style.text - 1, "labelcolor": GREY, "color": HAIRLINE}
    axis.tick_params(axis="y", length=1.5, width=0.5, pad=1.5, **look)


def _categories(summary: Summary, part: int) -> list[str]:
    known = {} if summary.columns is None else summary.columns.categories
    return [str(value) for value in known.get(summary.names[part], ())]


def _colours(summary: Summary, part: int) -> Any:
    """The colour of each row by the rank of its value; grey where there is none."""
    if summary.features is None:
        return BAR
    column = summary.features[:, part].double().numpy()
    known = ~np.isnan(column)
    if not known.any():
        return BAR
    # Outliers must not make all others look alike.
    low, high = np.percentile(column[known], [5, 95])
    if low == high:
        low, high = column[known].min(), column[known].max()
    place = np.clip((column - low) / ((high - low) or 1.0), 0, 1)
    colours = VALUES(np.nan_to_num(place))
    colours[~known] = (0.7, 0.7, 0.7, 1)
    return colours
