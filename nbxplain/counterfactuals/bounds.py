"""What may change, how far, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from nbxplain.core.errors import InputError, near
from nbxplain.core.tables import Table
from nbxplain.counterfactuals.causal import CausalGraph

Ranges = Mapping[str, tuple[float, float]]
Monotone = Mapping[str, Literal["increase", "decrease"]]


@dataclass(frozen=True)
class Allowed:
    """What may change, by name of the feature: see `counterfactuals` for what each field says."""

    immutable: Sequence[str] = ()
    ranges: Ranges = field(default_factory=dict)
    monotone: Monotone = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    graph: CausalGraph = field(default_factory=CausalGraph)

    def checked(self, names: Sequence[str]) -> None:
        """Raises InputError for a feature that is not there."""
        for name in [*self.immutable, *self.ranges, *self.monotone, *self.costs]:
            if name not in names:
                hint = near(name, names) or f"The features are {', '.join(names)}."
                raise InputError(f"There is no feature {name!r}.", hint)
        self.graph.checked(names)

    def describe(self) -> dict[str, Any]:
        """What was said, as JSON; equations by their effects and causes."""
        said = {
            "immutable": list(self.immutable),
            "ranges": {name: tuple(ends) for name, ends in self.ranges.items()},
            "monotone": dict(self.monotone),
            "costs": dict(self.costs),
            "causes": {name: list(causes) for name, (causes, _) in self.graph.effects.items()},
        }
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True)
class Bounds:
    """For rows (Q, F): the smallest and largest value (Q, F) of each feature, the size of a step
    worth one (F,) with its cost (F,), and which features are codes of categories or whole numbers.

    A range may exclude the row's own value: then that feature has to change.
    """

    low: Tensor
    high: Tensor
    scale: Tensor
    costs: Tensor
    discrete: Tensor
    whole: Tensor

    @classmethod
    def of(cls, rows: Tensor, table: Table, allowed: Allowed) -> Bounds:
        """Bounds from the background and what the user says. Raises InputError."""
        allowed.checked(table.names)
        background = table.background
        assert background is not None
        at = {name: place for place, name in enumerate(table.names)}
        low = torch.minimum(rows, background.nan_to_num(torch.inf).amin(0).to(rows))
        high = torch.maximum(rows, background.nan_to_num(-torch.inf).amax(0).to(rows))
        whole = torch.tensor([table.spans.get(name, (0, 0, False))[2] for name in table.names])
        for name, (start, end) in allowed.ranges.items():
            if name in table.categories:
                raise InputError(f"{name!r} has categories, no range.", "List it as immutable.")
            ends = rows.new_tensor([start, end])
            if whole[at[name]]:
                ends = torch.stack([ends[0].ceil(), ends[1].floor()])
            if not bool(ends[0] <= ends[1]):
                kind = " of whole numbers" if start <= end else ""
                raise InputError(
                    f"The range{kind} of {name!r}, {start} to {end}, is empty.", "Give (low, high)."
                )
            mine = rows[:, at[name]]
            stays = (mine >= start) & (mine <= end)
            low[:, at[name]] = torch.where(stays, mine.minimum(ends[0]), ends[0])
            high[:, at[name]] = torch.where(stays, mine.maximum(ends[1]), ends[1])
        for name, way in allowed.monotone.items():
            if way not in ("increase", "decrease"):
                raise InputError(f"{name!r} cannot {way!r}.", "Say increase or decrease.")
            mine = rows[:, at[name]]
            if way == "increase":
                low[:, at[name]] = low[:, at[name]].maximum(mine)
            else:
                high[:, at[name]] = high[:, at[name]].minimum(mine)
        _refuse_contradictions(rows, low, high, table, allowed)
        for name in allowed.immutable:
            low[:, at[name]] = high[:, at[name]] = rows[:, at[name]]
        discrete = torch.tensor([name in table.categories for name in table.names])
        price = torch.tensor([float(allowed.costs.get(name, 1)) for name in table.names]).to(rows)
        if bool((price <= 0).any()):
            raise InputError("A cost must be above 0.", "List what cannot change as immutable.")
        return cls(low, high, _scales(background, discrete).to(rows), price, discrete, whole)

    def change(self, rows: Tensor, others: Tensor) -> Tensor:
        """How far others (Q, C, F) are from rows (Q, F), feature by feature, in costs."""
        apart = (others - rows.unsqueeze(1)).abs() / self.scale
        return torch.where(self.discrete, (apart > 0).to(apart), apart) * self.costs

    def inside(self, others: Tensor) -> Tensor:
        """The nearest allowed values of (Q, C, F)."""
        return others.clamp(self.low.unsqueeze(1), self.high.unsqueeze(1))

    def beyond(self, others: Tensor) -> Tensor:
        """(Q, C, F): what lies outside by more than sums of floating-point numbers are off."""
        off = (others - self.inside(others)).abs()
        return off > 1e-6 * self.scale + 4 * torch.finfo(others.dtype).eps * others.abs()


def _refuse_contradictions(
    rows: Tensor, low: Tensor, high: Tensor, table: Table, allowed: Allowed
) -> None:
    """Raises InputError where a range asks for what may not change, or for the other way."""
    outside = (rows < low) | (rows > high)
    for row, place in outside.nonzero().tolist():
        name, value = table.names[place], float(rows[row, place])
        if name in allowed.immutable:
            span = f"{low[row, place]:g} to {high[row, place]:g}"
            raise InputError(
                f"{name!r} is immutable and asked to change: {value:g} is not in {span}.",
                "Take it out of immutable, or take its range away.",
            )
        if low[row, place] > high[row, place]:
            start, end = allowed.ranges[name]
            raise InputError(
                f"{name!r} is {value:g} and may only {allowed.monotone[name]}, which never ends "
                f"in its range, {start:g} to {end:g}.",
                "Widen the range, or let the feature change both ways.",
            )


def _scales(background: Tensor, discrete: Tensor) -> Tensor:
    """Median absolute deviations (F,), or where they vanish standard deviations, or one."""
    middle = background.nanmedian(0).values
    deviation = (background - middle).abs().nanmedian(0).values
    spread = background.nan_to_num(0).std(0, correction=0)
    scale = torch.where(deviation > 0, deviation, spread)
    return torch.where((scale > 0) & ~discrete, scale, 1.0)
