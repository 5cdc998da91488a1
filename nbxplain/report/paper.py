"""A report as pages of A4 (PDF), set line by line: nothing is cut, and the text can be searched."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from functools import singledispatchmethod
from typing import Any

import numpy as np
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from PIL import Image

from nbxplain.figure.sheet import CAPITAL, GREY, HAIRLINE, INK
from nbxplain.figure.style import text_as_text
from nbxplain.figure.text import POINT, height, wrapped
from nbxplain.report.blocks import Code, Facts, Plate, Points, Row, Section, Table, Text

WIDTH, HEIGHT, EDGE, FOOT = 210.0, 297.0, 20.0, 14.0
"""Of a page, its margins, and its foot, in millimetres."""
ROOM = WIDTH - 2 * EDGE
TITLE, HEAD, BODY, SMALL = 17.0, 8.0, 9.0, 7.5
"""Sizes of text in points."""
GAP = 2.5
DPI = 220
COLOURS = {"good": "#1a7f37", "weak": "#8a5a00", "poor": "#b3261e", "plain": INK}
NAMES = 34.0
"""Millimetres for the names of facts."""


def paper(title: str, sections: Sequence[Section], provenance: dict[str, Any]) -> bytes:
    """The pages as the bytes of a PDF file, with the provenance (JSON) in its metadata."""
    sheets = Sheets()
    sheets.lines(wrapped(title, ROOM, TITLE, "bold"), TITLE, weight="bold")
    sheets.gap(2 * GAP)
    for section in sections:
        sheets.section(section)
    return sheets.bound(title, provenance)


class Sheets:
    """Pages that fill from above; `y` is how far the last one is filled, in millimetres."""

    def __init__(self) -> None:
        self.pages: list[Figure] = []
        self.turn()

    def turn(self) -> None:
        """Begins a page."""
        self.pages.append(Figure(figsize=(WIDTH / 25.4, HEIGHT / 25.4)))
        self.y = EDGE

    def gap(self, room: float) -> None:
        """Leaves room."""
        self.y += room

    def need(self, room: float) -> bool:
        """Begins a page where less than this room is left; says whether it did."""
        if self.y + room <= HEIGHT - EDGE or self.y == EDGE:
            return False
        self.turn()
        return True

    def section(self, section: Section) -> None:
        """A heading with its blocks; it never stands alone at the end of a page."""
        first = section.blocks[0]
        self.need(15 + (_size(first)[1] if isinstance(first, Plate) else 15))
        self.rule()
        self.gap(GAP)
        self.lines([section.title.upper()], HEAD, color=GREY, weight="bold")
        self.gap(GAP)
        for block in section.blocks:
            self.put(block)
            self.gap(GAP)
        self.gap(GAP)

    def rule(self) -> None:
        """A hairline across the page."""
        place = [1 - self.y / HEIGHT] * 2
        line = np.array([EDGE, WIDTH - EDGE]) / WIDTH
        axes = self.pages[-1].add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.plot(line, place, color=HAIRLINE, linewidth=0.5)

    def lines(self, lines: Sequence[str], size: float, x: float = EDGE, **look: Any) -> None:
        """Lines of text, on the next page where this one is full."""
        for line in lines:
            self.need(height(1, size))
            self.word(line, size, x, self.y, **look)
            self.y += height(1, size)

    def word(self, text: str, size: float, x: float, y: float, **look: Any) -> None:
        """One line of text whose upper edge is at y."""
        middle = y + height(1, size) / 2 + CAPITAL / 2 * size * POINT
        style = {"color": INK, "va": "baseline", "parse_math": False, "size": size, **look}
        self.pages[-1].text(x / WIDTH, 1 - middle / HEIGHT, text, **style)

    @singledispatchmethod
    def put(self, block: object) -> None:
        """A block of a report."""
        raise TypeError(f"{type(block).__name__} is no block of a report")

    @put.register
    def _(self, block: Text) -> None:
        self.lines(wrapped(block.text, ROOM, BODY), BODY)

    @put.register
    def _(self, block: Points) -> None:
        for item in block.items:
            lines = wrapped(item, ROOM - 5, BODY)
            self.need(height(len(lines), BODY))
            self.word("•", BODY, EDGE, self.y)
            self.lines(lines, BODY, EDGE + 5)
            self.gap(1)

    @put.register
    def _(self, block: Facts) -> None:
        for name, value in block.rows:
            texts = wrapped(name, NAMES - 3, BODY), wrapped(value, ROOM - NAMES, BODY)
            self.across(texts, (EDGE, EDGE + NAMES), BODY, (GREY, INK))

    @put.register
    def _(self, block: Table) -> None:
        self._row(block, Row(block.head), GREY)
        for row in block.rows:
            if self.need(height(self._tallest(block, row), SMALL) + 2):
                self._row(block, Row(block.head), GREY)
            self._row(block, row, INK)

    @put.register
    def _(self, block: Plate) -> None:
        buffer = io.BytesIO()
        block.figure.savefig(buffer, format="png", dpi=DPI, facecolor="white")
        pixels = np.asarray(Image.open(buffer).convert("RGB"))
        wide, tall = _size(block)
        says = wrapped(block.says, ROOM, SMALL)
        self.need(tall + 1 + height(len(says), SMALL))
        box = (EDGE / WIDTH, 1 - (self.y + tall) / HEIGHT, wide / WIDTH, tall / HEIGHT)
        axes = self.pages[-1].add_axes(box)
        axes.set_axis_off()
        axes.imshow(pixels, aspect="auto", interpolation="none")
        self.gap(tall + 1)
        self.lines(says, SMALL, color=GREY)

    @put.register
    def _(self, block: Code) -> None:
        self.gap(GAP)
        for line in block.text.splitlines():
            for start in range(0, max(1, len(line)), 105):
                self.lines([line[start : start + 105]], 7, family="monospace")

    def across(
        self,
        texts: Sequence[Sequence[str]],
        places: Sequence[float],
        size: float,
        colours: Sequence[str],
    ) -> None:
        """Wrapped texts side by side."""
        tall = max(map(len, texts))
        self.need(height(min(tall, 20), size))
        for number in range(tall):
            self.need(height(1, size))
            for lines, x, colour in zip(texts, places, colours, strict=True):
                if number < len(lines):
                    self.word(lines[number], size, x, self.y, color=colour)
            self.gap(height(1, size))
        self.gap(0.8)

    def _cells(self, block: Table, row: Row) -> list[list[str]]:
        return [
            wrapped(cell, share * ROOM - 3, SMALL)
            for cell, share in zip(row.cells, block.widths, strict=True)
        ]

    def _tallest(self, block: Table, row: Row) -> int:
        return max(map(len, self._cells(block, row)))

    def _row(self, block: Table, row: Row, colour: str) -> None:
        places = EDGE + ROOM * np.cumsum([0, *block.widths[:-1]])
        colours = [COLOURS[row.verdict] if n == "verdict" else colour for n in block.head]
        if colour == GREY:
            colours = [GREY] * len(block.head)
        self.gap(1)
        self.across(self._cells(block, row), places.tolist(), SMALL, colours)
        self.rule()

    def bound(self, title: str, provenance: dict[str, Any]) -> bytes:
        """The file, with a foot on each page."""
        buffer = io.BytesIO()
        metadata = {"Title": title, "Subject": json.dumps(provenance), "Creator": "nbxplain"}
        with text_as_text(), PdfPages(buffer, metadata=metadata) as file:
            for number, page in enumerate(self.pages, 1):
                foot = 1 - (HEIGHT - FOOT) / HEIGHT
                look: dict[str, Any] = {"size": 6.5, "color": GREY, "parse_math": False}
                page.text(EDGE / WIDTH, foot, wrapped(title, ROOM - 30, 6.5)[0], **look)
                count = f"{number} of {len(self.pages)}"
                page.text(1 - EDGE / WIDTH, foot, count, ha="right", **look)
                file.savefig(page)
        return buffer.getvalue()


def _size(plate: Plate) -> tuple[float, float]:
    """How wide and tall a figure is on the page, in millimetres."""
    wide, tall = (float(inches) * 25.4 for inches in plate.figure.get_size_inches())
    scale = min(1, ROOM / wide, (HEIGHT - 2 * EDGE - 30) / tall)
    return wide * scale, tall * scale
