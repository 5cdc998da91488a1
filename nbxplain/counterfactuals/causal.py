"""Structural equations: what else changes when something is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from nbxplain.core.errors import InputError, near

Equation = Callable[..., Tensor]
"""Values (...) of the causes, in the order they are named -> the effect without its noise."""


@dataclass(frozen=True)
class CausalGraph:
    """Effects with their causes: x_j = equation(causes) + noise (additive-noise model).

    `effects` maps a feature to (names of its causes, equation on tensors). An action on a feature
    shifts it, which is do(x_j = v) for v = equation + noise + shift; effects follow (Karimi et al.
    2021). Raises InputError for a cycle.
    """

    effects: Mapping[str, tuple[Sequence[str], Equation]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.order()

    def order(self) -> list[str]:
        """The effects, causes first. Raises InputError for a cycle."""
        done: list[str] = []

        def visit(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                cycle = " -> ".join([*path[path.index(name) :], name])
                raise InputError(f"The causal graph has a cycle: {cycle}.", "Take out one arrow.")
            if name in done or name not in self.effects:
                return
            for cause in self.effects[name][0]:
                visit(cause, (*path, name))
            done.append(name)

        for name in self.effects:
            visit(name, ())
        return done

    def checked(self, names: Sequence[str]) -> None:
        """Raises InputError for a feature that is not there."""
        for name, (causes, _) in self.effects.items():
            for one in (name, *causes):
                if one not in names:
                    hint = near(one, names) or f"The features are {', '.join(names)}."
                    raise InputError(f"The causal graph names {one!r}, no feature.", hint)

    def outcome(self, rows: Tensor, shift: Tensor, names: Sequence[str]) -> Tensor:
        """Rows (Q, C, F) after actions: `rows` (Q, F) with shifts (Q, C, F) and what follows."""
        if not self.effects:
            return rows.unsqueeze(1) + shift
        at = {name: place for place, name in enumerate(names)}
        start = list(rows.unsqueeze(1).expand_as(shift).unbind(-1))
        columns = [value + moved for value, moved in zip(start, shift.unbind(-1), strict=True)]
        for name in self.order():
            causes, equation = self.effects[name]
            noise = start[at[name]] - equation(*(start[at[cause]] for cause in causes))
            expected = equation(*(columns[at[cause]] for cause in causes))
            columns[at[name]] = expected + noise + shift[..., at[name]]
        return torch.stack(columns, -1)
