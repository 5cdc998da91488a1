"""Agreement: do several methods point at the same places?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Unpack

from torch import Tensor

from nbxplain.core.errors import InputError
from nbxplain.evaluation.case import Case, Explained, Options, case
from nbxplain.evaluation.check import CANNOT_TELL, Check, finish, matrix
from nbxplain.evaluation.similarity import mean, rank_correlation, ssim, top_overlap
from nbxplain.evidence import Verdict, graded
from nbxplain.figure import Drawing, Style

Matrix = tuple[tuple[float, ...], ...]

AGREE, DIFFER = 0.7, 0.3
"""Rank correlations from which methods agree, and under which they do not."""


@dataclass(frozen=True, repr=False)
class Agreement(Check):
    """Matrices between every two methods, means over rows: rank correlation, overlap of the
    strongest tenth, SSIM. nan where a map is constant, or is none of a picture."""

    name: ClassVar[str] = "agreement"
    label: ClassVar[str] = "Agreement"

    names: tuple[str, ...]
    rank: Matrix
    overlap: Matrix
    ssim: Matrix

    @property
    def score(self) -> float:
        """The mean rank correlation between different methods."""
        count = len(self.names)
        return mean([self.rank[i][j] for i in range(count) for j in range(i)])

    @property
    def verdict(self) -> Verdict:
        return graded(self.score, AGREE, DIFFER)

    @property
    def reading(self) -> str:
        if math.isnan(self.score):
            return f"{CANNOT_TELL}: fewer than two maps that are not constant"
        words = {"good": "agree", "weak": "agree in part", "poor": "do not agree"}
        return (
            f"{len(self.names)} methods {words[self.verdict]}: mean rank correlation "
            f"{self.score:.2f} (agree from {AGREE:g}, not under {DIFFER:g})"
        )

    def draw(self, style: Style, row: int = 0) -> Drawing:
        names = list(self.names)
        return matrix(style, [list(row) for row in self.rank], names, names, -1.0, 1.0)


def agreement(
    model: Any,
    inputs: Any,
    attributions: Sequence[Explained],
    *,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> Agreement:
    """How far the maps of several methods (or attributions) of the same inputs agree.

    Raises InputError for fewer than two.
    """
    if len(attributions) < 2:
        raise InputError("One map agrees with itself.", "Give at least two methods.")
    cases = (case(model, inputs, attribution, options) for attribution in attributions)
    return finish(agreement_steps(cases, len(attributions)), "Agreement", progress)


def agreement_steps(cases: Iterator[Case], total: int) -> Iterator[Agreement]:
    """The steps of agreement: one for each of the `total` maps."""
    known: list[Case] = []
    for one in cases:
        known.append(one)
        maps = [each.maps for each in known]

        def between(
            measure: Callable[[Tensor, Tensor], float], maps: list[Tensor] = maps
        ) -> Matrix:
            return tuple(
                tuple(mean([measure(x, y) for x, y in zip(a, b, strict=True)]) for b in maps)
                for a in maps
            )

        names = tuple(each.label for each in known)
        yield Agreement(
            names, between(rank_correlation), between(top_overlap), between(ssim),
            done=len(known), total=total,
        )  # fmt: skip


__all__ = ["Agreement", "agreement", "agreement_steps"]
