"""Figures of attributions, for papers and reports. Through `Figure` objects, never pyplot.

They stand beside results.py and not in widget/, because `explain` draws without a widget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from nbxplain.core.errors import InputError
from nbxplain.figure.contributions import DRAWN
from nbxplain.figure.maps import grid, maps
from nbxplain.figure.style import Drawing, Look, Style, encode, look

if TYPE_CHECKING:
    from nbxplain.results import Attribution

Kind = Literal["map", "waterfall", "bar", "force"]


def draw(
    attribution: Attribution,
    *,
    kind: Kind | None = None,
    row: int | None = None,
    most: int = 10,
    **options: Any,
) -> Drawing:
    """A figure of an explanation; options as in Style. The theme is always light.

    kind: "map" shows input, map and overlay of a picture, small multiples of several rows unless
    `row` picks one. "waterfall", "bar" and "force" show what each player or feature adds to the
    score: the `most` strongest, and the rest together. By default a map, for table rows bars.
    Raises InputError for a kind that the attribution cannot be drawn as.
    """
    table = attribution.inputs.is_table
    kind = kind or ("bar" if table else "map")
    if kind == "map" and not table:
        return maps(attribution, row, **options)
    if kind not in DRAWN:
        raise InputError(
            f"{'A table row' if table else 'An attribution'} cannot be drawn as {kind!r}.",
            f"Choose one of {', '.join(DRAWN if table else ['map', *DRAWN])}.",
        )
    return DRAWN[kind](attribution, row or 0, most, Style(**options))


__all__ = ["Drawing", "Kind", "Look", "Style", "draw", "encode", "grid", "look"]
