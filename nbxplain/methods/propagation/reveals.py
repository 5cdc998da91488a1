"""DeepLIFT's reveal-cancel rule: what raised a sum and what lowered it get a secant each.

A sum that hardly changes may hide large changes that cancel. Operations that add things up lay the
spread of their outcome beside it: the sum of the sizes of all contributions to its change. What
raised a value is then (change + spread) / 2, and what lowered it (change - spread) / 2. A
nonlinearity credits each with what it adds, on average over the two orders in which they can come.
Shrikumar, Greenside, Kundaje 2017, sections 3.5.1 and 3.5.3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nbxplain.core.calls import Operation
from nbxplain.core.operations import ELEMENTWISE, WEIGHTED
from nbxplain.core.rules import Rule, accompany, companion_of, graft
from nbxplain.methods.propagation.duals import Dual, dual
from nbxplain.methods.propagation.secants import (
    SECANTS,
    Places,
    elementwise_rule,
    ratio,
    tangent,
)


def revealing_rule(operation: Operation) -> Tensor:
    """An elementwise function: two secants where contributions cancel, else the rescale rule's."""
    spread = companion_of(operation.arguments[0]) if operation.data == [0] else None
    if spread is None:
        return elementwise_rule(operation)
    x = dual(operation)
    rise, fall = _parts(operation, x, spread)
    with torch.no_grad():
        there, here = operation(x.there), operation(x.here)
        risen, fallen = operation(x.there + rise), operation(x.there + fall)

        def limit(places: Places) -> Tensor:
            return places.of(_slope(operation, x))

        raising = ratio((risen - there + here - fallen) / 2, rise, limit)
        lowering = ratio((fallen - there + here - risen) / 2, fall, limit)
    return graft(rise * raising + fall * lowering, here)


def _slope(operation: Operation, x: Dual) -> Tensor:
    """Of a part that is next to nothing: the limit of its secants."""
    return (tangent(operation, x.there) + tangent(operation, x.here)) / 2


def _parts(operation: Operation, x: Dual, spread: Tensor) -> tuple[Tensor, Tensor]:
    """What raised and what lowered x; one of them is zero where the other alone has no value."""
    change = x.here - x.there
    with torch.no_grad():
        alone = (operation(x.there + (change + sign * spread) / 2) for sign in (1, -1))
        valid = torch.isfinite(torch.stack(list(alone))).all(0)
    spread = torch.where(valid, spread, change.abs())
    return (change + spread) / 2, (change - spread) / 2


def weighted_spread(operation: Operation) -> Tensor | None:
    """Of a sum with constant weights: by the sign of each input's whole change, times its weight.

    An input that did not change on the whole counts half as raising, half as lowering.
    """
    if operation.data not in ([0], [1]):
        return None
    (position,) = operation.data
    x = dual(operation, position)
    arguments = [a.abs() if isinstance(a, Tensor) else a for a in operation.arguments]
    arguments[position] = (x.here - x.there).abs()
    if operation.name in WEIGHTED:
        arguments[2:3] = [None] * len(arguments[2:3])
    spread: Tensor = operation.function(*arguments, **operation.options)
    return spread


def summed_spread(operation: Operation) -> Tensor:
    """Of a sum whose terms keep their spread: a shift, a scale, a mean, tensors side by side."""

    def at(chosen: int | None) -> Tensor:
        arguments = list(operation.arguments)
        assert operation.reference is not None
        for i in operation.data:
            arguments[i] = _each(
                _spread if i == chosen else _zero, arguments[i], operation.reference[i]
            )
        result: Tensor = operation(*arguments)
        return result

    origin = at(None)
    return torch.stack([(at(i) - origin).abs() for i in operation.data]).sum(0)


def scaled_spread(operation: Operation) -> Tensor | None:
    """Of a product with a constant."""
    divisor = operation.name.startswith(("div", "true")) and operation.data != [0]
    return None if divisor or len(operation.data) > 1 else summed_spread(operation)


def _each(function: Callable[[Tensor, Any], Tensor], here: Any, there: Any) -> Any:
    """A function of the data in an argument, a tensor or several."""
    if isinstance(here, Tensor):
        return function(here, there)
    return [function(a, b) if a.requires_grad else a for a, b in zip(here, there, strict=True)]


def _spread(here: Tensor, there: Tensor) -> Tensor:
    known = companion_of(here)
    return (here - there).abs() if known is None else known


def _zero(here: Tensor, there: Tensor) -> Tensor:
    return torch.zeros_like(here)


def _plain(operation: Operation) -> Any:
    return operation(*operation.arguments)


def spreading(name: str, spread: Callable[[Operation], Tensor | None]) -> Rule:
    """The rescale rule of an operation, which also lays its spread beside the outcome."""
    own = SECANTS.get(name, _plain)

    def rule(operation: Operation) -> Any:
        result, beside = own(operation), spread(operation)
        return result if beside is None else accompany(result, beside)

    return rule


SPREADS: dict[str, Callable[[Operation], Tensor | None]] = {
    **dict.fromkeys(WEIGHTED, weighted_spread),
    **dict.fromkeys(("matmul", "mm", "bmm", "mv", "dot"), weighted_spread),
    **dict.fromkeys(("mul", "multiply", "div", "divide", "true_divide"), scaled_spread),
    **dict.fromkeys(
        """add sub neg mean sum cat concat concatenate stack hstack vstack dstack pad batch_norm
        avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d
        adaptive_avg_pool3d""".split(),
        summed_spread,
    ),
}

REVEALS: dict[str, Rule] = {
    **SECANTS,
    **dict.fromkeys(ELEMENTWISE, revealing_rule),
    **{name: spreading(name, spread) for name, spread in SPREADS.items()},
}
"""Whatever has no spread (products of two changing tensors, maxima, softmax) is as in SECANTS."""
