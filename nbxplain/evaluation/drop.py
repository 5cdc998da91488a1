"""Average drop and increase (Chattopadhay et al. 2018): the picture dimmed where the map is low."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Unpack

import torch
from torch import Tensor

from nbxplain.evaluation.case import Case, Explained, Fill, Options, Unit, case, spread
from nbxplain.evaluation.check import CANNOT_TELL, Check, bars, finish
from nbxplain.evidence import percent
from nbxplain.figure import Drawing, Style
from nbxplain.methods.coalitions import Masking


@dataclass(frozen=True, repr=False)
class AverageDrop(Check):
    """Scores (N,) of the inputs, and of what the maps leave of them; nan for constant maps."""

    name: ClassVar[str] = "average_drop"
    label: ClassVar[str] = "Average drop"

    intact: Tensor
    left: Tensor
    unit: Unit
    of: str

    @property
    def drops(self) -> Tensor:
        """The share (N,) of each score that is lost, at least 0; nan where the score is not above
        0, of which there is no share."""
        lost = (self.intact - self.left).clamp(min=0) / self.intact
        return lost.where(self.intact > 0, float("nan"))

    @property
    def score(self) -> float:
        """The mean share that is lost; low is good."""
        return float(self.drops.nanmean())

    @property
    def increase(self) -> float:
        """The share of inputs whose score rises when the rest is dimmed; high is good."""
        known = self.left.isfinite()
        return float((self.left > self.intact)[known].double().mean())

    @property
    def value(self) -> str:
        return CANNOT_TELL if math.isnan(self.score) else f"{percent(self.score)} lost"

    @property
    def reading(self) -> str:
        if math.isnan(self.score):
            return f"{CANNOT_TELL}: the map is constant, or the score not above 0"
        return (
            f"what {self.of} shows keeps {percent(1 - self.score)} of the {self.unit}; it rises in "
            f"{percent(self.increase)} of {len(self.intact)}"
        )

    def draw(self, style: Style, row: int = 0) -> Drawing:
        names = [f"input {i + 1}" for i in range(len(self.intact))]
        return bars(style, names, self.drops.tolist(), None)


def average_drop(
    model: Any,
    inputs: Any,
    attribution: Explained,
    *,
    fill: Fill = "baseline",
    unit: Unit | None = None,
    **options: Unpack[Options],
) -> AverageDrop:
    """What is left of the score when each place is dimmed to the map's share of its maximum.

    Negative values count as zero. The fill is what places are dimmed towards.
    """
    steps = average_drop_steps(case(model, inputs, attribution, options), fill=fill, unit=unit)
    return finish(steps, "Average drop")


def average_drop_steps(
    case: Case, *, fill: Fill = "baseline", unit: Unit | None = None
) -> Iterator[AverageDrop]:
    """The steps of average_drop, chunk by chunk."""
    unit = case.unit(unit)
    masking = Masking(case.question(unit), case.fill(fill))
    x = masking.x
    maps = spread(case.maps, case.inputs).clamp(min=0).to(x)
    shares = maps / maps.flatten(1).amax(1).clamp(min=1e-30).view(-1, *[1] * (maps.ndim - 1))
    shares = shares.unsqueeze(1) if x.ndim == 4 else shares

    def mask(row: Tensor, number: Tensor) -> Tensor:
        """Number 0 keeps all, number 1 what the map shows."""
        keep = (number == 0).view(-1, *[1] * (shares.ndim - 1))
        return torch.where(keep, 1.0, shares[row])

    scores = torch.full((2, len(x)), float("nan"), dtype=torch.float64)
    constant, done = torch.tensor(case.constant), 0
    for part in masking.scores(2 * len(x), mask):
        scores[part.number.cpu(), part.row.cpu()] = part.scores.double().cpu()
        done += len(part.scores)
        intact, left = scores[0].clone(), scores[1].masked_fill(constant, float("nan"))
        yield AverageDrop(
            intact.where(~constant, float("nan")), left, unit, case.label,
            done=done, total=2 * len(x),
        )  # fmt: skip


__all__ = ["AverageDrop", "average_drop", "average_drop_steps"]
