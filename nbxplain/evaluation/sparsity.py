"""Sparseness: is the map about a few places, or about everything? The Gini index."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Unpack

import torch
from torch import Tensor

from nbxplain.evaluation.case import Case, Explained, Options, case
from nbxplain.evaluation.check import ACCENT, CANNOT_TELL, Check, finish, tidy
from nbxplain.figure import Drawing, Style


@dataclass(frozen=True, repr=False)
class Sparseness(Check):
    """The Gini index (N,) of the magnitudes, and the share of all that each place has, sorted."""

    name: ClassVar[str] = "sparseness"
    label: ClassVar[str] = "Sparseness"

    gini: Tensor
    shares: Tensor
    of: str

    @property
    def score(self) -> float:
        """The mean Gini index: 0 for an even map, towards 1 for a single place."""
        return float(self.gini.nanmean())

    @property
    def reading(self) -> str:
        if math.isnan(self.score):
            return f"{CANNOT_TELL}: the map is zero"
        return (
            f"the Gini index of {self.of} is {self.score:.2f}, from 0 (even) to 1 (one place); "
            "a sparse map is easier to read, not truer"
        )

    @property
    def rows(self) -> int:
        return len(self.shares)

    def draw(self, style: Style, row: int = 0) -> Drawing:
        figure = style.figure(0.6)
        axis = figure.subplots()
        heights = torch.cat([torch.zeros(1), self.shares[row].cumsum(0)])
        axis.plot(torch.linspace(0, 1, len(heights)).tolist(), heights.tolist(), color=ACCENT)
        axis.plot([0, 1], [0, 1], color="#888888", linewidth=0.5)
        tidy(axis, style, self.of, "share of places, weakest first", "share of the map")
        return figure


def sparseness(
    model: Any, inputs: Any, attribution: Explained, **options: Unpack[Options]
) -> Sparseness:
    """The Gini index of the magnitudes of each map (Chalasani et al. 2020)."""
    return finish(sparseness_steps(case(model, inputs, attribution, options)))


def sparseness_steps(case: Case) -> Iterator[Sparseness]:
    """The one step of sparseness."""
    size = case.maps.flatten(1).abs().double().sort(1).values
    count, total = size.shape[1], size.sum(1, keepdim=True)
    places = torch.arange(1, count + 1, dtype=torch.float64)
    shares = (size / total.clamp(min=1e-300)).where(total > 0, float("nan"))
    gini = (2 * places - count - 1) @ shares.T / count
    yield Sparseness(gini, shares.float(), case.label)


__all__ = ["Sparseness", "sparseness", "sparseness_steps"]
