"""Max-sensitivity (Yeh et al. 2019): how far the map moves when the input hardly does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Unpack

import torch
from torch import Tensor

from nbxplain.core.errors import InputError
from nbxplain.evaluation.case import Case, Explained, Options, case
from nbxplain.evaluation.check import CANNOT_TELL, Check, bars, finish
from nbxplain.evidence import Verdict, graded
from nbxplain.figure import Drawing, Style
from nbxplain.methods.coalitions import Draws

STEADY, MOVES = 0.5, 1.0
"""Changes, in sizes of the map, up to which it is steady and above which it moves."""

TOGETHER = 4
"""Variants explained in one batch."""


@dataclass(frozen=True, repr=False)
class MaxSensitivity(Check):
    """Changes (N, draws) of the map, as its norm over the norm of the map; nan if not known yet."""

    name: ClassVar[str] = "max_sensitivity"
    label: ClassVar[str] = "Max-sensitivity"

    changes: Tensor
    radius: float
    of: str

    @property
    def largest(self) -> Tensor:
        """The largest change (N,) of each row; nan for a map that is zero."""
        found = self.changes.nan_to_num(-1.0).amax(1)
        return found.where(found >= 0, float("nan"))

    @property
    def score(self) -> float:
        """The mean over rows of the largest change; low is good."""
        return float(self.largest.nanmean())

    @property
    def verdict(self) -> Verdict:
        return graded(self.score, STEADY, MOVES)

    @property
    def reading(self) -> str:
        if math.isnan(self.score):
            return f"{CANNOT_TELL}: the map is zero"
        return (
            f"{self.of} changes by {self.score:.2f} of its size at most when each value moves by "
            f"up to {100 * self.radius:g} % of the input's range "
            f"(steady up to {STEADY:g}, moves above {MOVES:g})"
        )

    def draw(self, style: Style, row: int = 0) -> Drawing:
        values = self.largest.tolist()
        return bars(style, [f"input {i + 1}" for i in range(len(values))], values, None)


def max_sensitivity(
    model: Any,
    inputs: Any,
    attribution: Explained,
    *,
    radius: float = 0.02,
    draws: int = 10,
    seed: int = 0,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> MaxSensitivity:
    """The largest change of the map over random inputs near this one, relative to its size.

    radius: how far each value moves at most, as a share of the input's range. As in captum the norm
    of the change is taken relative to that of the map; Quantus takes it relative to the input's.
    Raises MethodError for a bare map.
    """
    steps = max_sensitivity_steps(
        case(model, inputs, attribution, options), radius=radius, draws=draws, seed=seed
    )
    return finish(steps, "Max-sensitivity", progress)


def max_sensitivity_steps(
    case: Case, *, radius: float = 0.02, draws: int = 10, seed: int = 0
) -> Iterator[MaxSensitivity]:
    """The steps of max_sensitivity: a few draws each."""
    if draws < 1 or not radius > 0:
        raise InputError(
            f"{draws} draws within {radius} say nothing.",
            "Take at least one, and a radius above 0.",
        )
    x, rows = case.inputs.tensor, len(case)
    source = Draws(x[0].numel(), seed, x.device)
    ends = x.flatten(1).aminmax(dim=1)
    reach = (radius * (ends.max - ends.min)).view(1, rows, *[1] * (x.ndim - 1))
    sizes = case.values.flatten(1).double().norm(dim=1)
    changes = torch.full((rows, draws), float("nan"), dtype=torch.float64)
    for start in range(0, draws, TOGETHER):
        numbers = torch.arange(start, min(start + TOGETHER, draws), device=x.device)
        moves = (2 * source.take(numbers) - 1).view(len(numbers), 1, *x.shape[1:]).to(x)
        near = (x + reach * moves).flatten(0, 1)
        inputs = replace(case.inputs, tensor=near)
        values = case.again(inputs, len(numbers)).values.double()
        moved = values.view(len(numbers), rows, -1) - case.values.double().flatten(1)
        share = moved.norm(dim=2) / sizes
        changes[:, numbers.cpu()] = share.where(sizes > 0, float("nan")).T
        done = int(numbers[-1]) + 1
        yield MaxSensitivity(changes.clone(), radius, case.label, done=done, total=draws)


__all__ = ["MaxSensitivity", "max_sensitivity", "max_sensitivity_steps"]
