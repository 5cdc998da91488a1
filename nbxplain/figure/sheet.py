"""A figure laid out in millimetres from its upper left corner, of exactly the height it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nbxplain.figure.style import Drawing, Style
from nbxplain.figure.text import POINT, height, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARGIN = 3.0
INK, GREY, HAIRLINE = "#1f2328", "#6a737d", "#c9ced6"
CAPTION = 5.0
"""Size of the caption in points."""
CAPITAL = 0.73
"""Height of capital letters and digits as a share of the size."""


class Sheet:
    """A title, a body of `tall` millimetres, and a caption, in the width of the style.

    Texts are wrapped before they are drawn. `top` is where the body begins.
    """

    def __init__(self, style: Style, title: str, tall: float, caption: str) -> None:
        self.style, self.width = style, style.millimetres
        self.room = self.width - 2 * MARGIN
        heading = wrapped(title, self.room, style.text + 1, "bold")
        small = wrapped(caption, self.room, CAPTION) if style.caption else []
        self.top = MARGIN + height(len(heading), style.text + 1) + 2
        end = self.top + tall + 2
        self.height = end + height(len(small), CAPTION) + MARGIN - 1
        self.figure: Drawing = style.figure(0, self.height)
        self.figure.set_layout_engine("none")
        middle = (MARGIN + self.top - 2) / 2
        self.text(MARGIN, middle, heading, size=style.text + 1, weight="bold")
        middle = end + height(len(small), CAPTION) / 2
        self.text(MARGIN, middle, small, size=CAPTION, color=GREY)

    def axes(self, x: float, y: float, width: float, tall: float) -> Axes:
        """Axes whose upper left corner is at (x, y)."""
        left, low = x / self.width, 1 - (y + tall) / self.height
        return self.figure.add_axes((left, low, width / self.width, tall / self.height))

    def text(
        self, x: float, y: float, lines: Sequence[str], size: float = 0, **options: Any
    ) -> None:
        """Lines of text whose middle is at (x, y); `size` in points.

        Each has its own baseline, so that those of columns side by side agree.
        """
        size = size or self.style.text
        line = height(1, size)
        first = y - line * (len(lines) - 1) / 2 + CAPITAL / 2 * size * POINT
        look = {"color": INK, "va": "baseline", "parse_math": False, "size": size, **options}
        for number, text in enumerate(lines):
            baseline = 1 - (first + number * line) / self.height
            self.figure.text(x / self.width, baseline, text, **look)
