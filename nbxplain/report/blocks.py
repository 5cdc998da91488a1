"""What a report is made of, whatever it is written as: sections of texts, tables and figures."""

from __future__ import annotations

from dataclasses import dataclass

from nbxplain.evidence import Verdict
from nbxplain.figure import Drawing


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    items: list[str]


@dataclass(frozen=True)
class Facts:
    """Names and what they are."""

    rows: list[tuple[str, str]]


@dataclass(frozen=True)
class Row:
    """One line of a table, with a verdict where a threshold is stated."""

    cells: tuple[str, ...]
    verdict: Verdict = "plain"


@dataclass(frozen=True)
class Table:
    """Rows under a head. `widths` are the columns' shares of the room."""

    head: tuple[str, ...]
    rows: list[Row]
    widths: tuple[float, ...]


@dataclass(frozen=True)
class Plate:
    """A figure with a sentence that says what it shows."""

    figure: Drawing
    says: str


@dataclass(frozen=True)
class Code:
    """Code, kept as it is."""

    text: str


Block = Text | Points | Facts | Table | Plate | Code


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: list[Block]


VERDICTS: dict[Verdict, str] = {"good": "✓ good", "weak": "~ weak", "poor": "✕ poor", "plain": ""}
"""A verdict as a sign and a word: colour alone is not seen by everyone, nor printed."""
