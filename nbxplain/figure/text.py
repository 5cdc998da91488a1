"""Text that is measured before it is drawn, so that nothing is cut."""

from __future__ import annotations

import math
import re
from functools import lru_cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

POINT = 25.4 / 72
"""Millimetres in a point."""


HINTING = 1.04
"""How much wider text may become where letters are moved onto pixels."""


@lru_cache(4096)
def width(text: str, size: float, weight: str = "normal") -> float:
    """How wide a line of text is, in millimetres; `size` in points."""
    font = FontProperties(size=size, weight=weight)
    points = text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]
    return float(points) * POINT * HINTING


def height(lines: int, size: float) -> float:
    """How high lines of text are, in millimetres."""
    return lines * size * 1.25 * POINT


def wrapped(text: str, room: float, size: float, weight: str = "normal") -> list[str]:
    """Lines of at most `room` millimetres that hold the whole text.

    They break after spaces, else after signs that join words, else within a word.
    """
    lines, line = [], ""
    for piece in _pieces(text, room, size, weight):
        if line and width((line + piece).rstrip(), size, weight) > room:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _pieces(text: str, room: float, size: float, weight: str) -> list[str]:
    """The text in pieces between which a line may end, each narrow enough for one."""
    pieces = []
    for piece in re.findall(r"[^\s_/,;·\-]*[\s_/,;·\-]*", text):
        while width(piece.rstrip(), size, weight) > room and len(piece) > 1:
            fits = _fitting(piece, room, size, weight)
            pieces.append(piece[:fits])
            piece = piece[fits:]
        pieces.append(piece)
    return pieces


def _fitting(piece: str, room: float, size: float, weight: str) -> int:
    """How many letters of the piece fit, at least one."""
    count = 1
    while count < len(piece) and width(piece[: count + 1], size, weight) <= room:
        count += 1
    return count


def signed(value: float, largest: float) -> str:
    """A number with its sign, to three digits of the largest it stands beside."""
    return number(value, largest, "+")


def number(value: float, largest: float, sign: str = "-") -> str:
    """A number to three digits of the largest it stands beside, with a true minus."""
    if not math.isfinite(value):
        return str(value)
    size = math.floor(math.log10(largest)) if largest > 0 else 0
    form = f".{max(0, 2 - size)}f" if -5 < size < 6 else ".2e"
    return f"{value:{sign}{form}}".replace("-", "\N{MINUS SIGN}")
