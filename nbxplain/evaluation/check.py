"""What every check of an explanation gives: a number, a sentence, a verdict, a figure."""

from __future__ import annotations

import contextlib
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import torch
from torch import Tensor
from tqdm.auto import tqdm

from nbxplain.core.counting import numbered
from nbxplain.evidence import Finding, Verdict
from nbxplain.figure import Drawing, Style, look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

ACCENT, BAND, FAINT = "#2b6cb0", "#c8c8c8", "#666666"
CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, kw_only=True)
class Check(ABC):
    """The result of a check, after `done` of `total` evaluations.

    `score` is its number, nan where it cannot tell; `verdict` grades it where a threshold is
    stated; `value` and `reading` say it in short and in a sentence that names the threshold.
    """

    name: ClassVar[str]
    label: ClassVar[str]

    done: int = 1
    total: int = 1

    @property
    def complete(self) -> bool:
        return self.done >= self.total

    @property
    @abstractmethod
    def score(self) -> float:
        """The number that methods are ranked by; nan where it cannot tell."""

    @property
    def value(self) -> str:
        """The number as text."""
        return number(self.score)

    @property
    @abstractmethod
    def reading(self) -> str:
        """One line in words, with the threshold."""

    @property
    def verdict(self) -> Verdict:
        """plain where no threshold is stated, or where it cannot tell."""
        return "plain"

    def finding(self) -> Finding:
        """The check as a line of evidence."""
        return Finding(self.name, self.label, self.value, self.verdict, self.reading)

    @property
    def rows(self) -> int:
        """How many inputs have a figure of their own; 1 where one figure is about them all."""
        return 1

    def figure(self, row: int = 0, **options: Any) -> Drawing:
        """The check of one input as a matplotlib figure; options as in nbxplain.figure.Style.

        Raises InputError for a row that is not there.
        """
        style = Style(**options)
        figure = self.draw(style, numbered(row, self.rows))
        if style.caption:
            figure.supxlabel(self.reading, fontsize=style.text - 1, color="#555555", wrap=True)
        return figure

    @abstractmethod
    def draw(self, style: Style, row: int = 0) -> Drawing:
        """The figure of one row without its caption."""

    def __repr__(self) -> str:
        return f"<{self.label}: {self.reading}>"

    def _repr_png_(self) -> bytes:
        return self.figure()._repr_png_()


C = TypeVar("C")


def final(steps: Iterator[C]) -> C:
    """The last of ever better results."""
    last: C | None = None
    for step in steps:
        last = step
    assert last is not None
    return last


def finish(steps: Iterator[C], label: str = "", progress: bool | None = None) -> C:
    """The last of the steps of a check, with a progress bar if asked for."""

    def shown() -> Iterator[C]:
        with tqdm(desc=label, leave=False, disable=not progress) as bar:
            for step in steps:
                bar.total = getattr(step, "total", None)
                bar.update(getattr(step, "done", 0) - bar.n)
                yield step

    with plainly():
        return final(shown())


@contextlib.contextmanager
def plainly() -> Iterator[None]:
    """Outside the caller's inference mode, and at full precision."""
    with (
        torch.inference_mode(False),
        torch.autocast("cuda", enabled=False),
        torch.autocast("cpu", enabled=False),
    ):
        yield


def number(value: float, digits: int = 2) -> str:
    """A number for a sentence."""
    return CANNOT_TELL if math.isnan(value) else f"{value:.{digits}f}"


def tidy(axis: Axes, style: Style, title: str = "", x: str = "", y: str = "") -> None:
    """An axis of a diagram in the style of the figures."""
    axis.set_title(title, loc="left", fontsize=style.text)
    axis.set_xlabel(x, fontsize=style.text)
    axis.set_ylabel(y, fontsize=style.text)
    axis.tick_params(labelsize=style.text - 1)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_linewidth(0.5)


def show(axis: Axes, values: Tensor, style: Style, title: str = "") -> AxesImage:
    """A map (h, w) in the colours of the figures."""
    seen = look(values.double().numpy(), style.clip, style.sign, style.threshold)
    axis.set_title(title, loc="left", fontsize=style.text)
    axis.set_axis_off()
    colours = seen.colormap(style.colormap)
    return axis.imshow(seen.values, cmap=colours, vmin=seen.low, vmax=seen.high)


def bars(
    style: Style, names: list[str], values: list[float], errors: list[tuple[float, float]] | None
) -> Drawing:
    """Horizontal bars, first on top; `errors` are how far they reach down and up."""
    figure = style.figure(0, 14 + 6.0 * len(names) + 8 * style.caption)
    axis = figure.subplots()
    places = range(len(names))[::-1]
    spread = None if errors is None else [list(side) for side in zip(*errors, strict=True)]
    axis.barh(places, values, xerr=spread, color=ACCENT, height=0.7, error_kw={"linewidth": 0.8})
    axis.set_yticks(list(places), names)
    axis.axvline(0, color="#888888", linewidth=0.5)
    tidy(axis, style)
    return figure


def matrix(
    style: Style,
    values: list[list[float]],
    rows: list[str],
    columns: list[str],
    low: float,
    high: float,
) -> Drawing:
    """A table of numbers with colours from low to high; nan stays white."""
    figure = style.figure(0, 16 + 7.0 * len(rows) + 8 * style.caption)
    axis = figure.subplots()
    axis.imshow(values, cmap="Blues", vmin=low, vmax=high, aspect="auto")
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            light = not math.isnan(value) and value > low + 0.6 * (high - low)
            text = "–" if math.isnan(value) else f"{value:.2f}"
            colour = "white" if light else "black"
            axis.text(j, i, text, ha="center", va="center", fontsize=style.text - 1, color=colour)
    axis.set_xticks(range(len(columns)), columns)
    axis.set_yticks(range(len(rows)), rows)
    tidy(axis, style)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    return figure
