"""How LRP shares relevance out, and counts what no input gets."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nbxplain.core.calls import Operation

BIAS, STABILISER = "absorbed_by_biases", "absorbed_by_stabiliser"
"""The sinks, and the evidence they become."""


class _Shared(torch.autograd.Function):
    """`value` forward; backward each part of `total` gets its share, and what is left is counted.

    Parts are `surrogate` and `bias`, which together are `total`, and what the stabiliser adds.
    """

    @staticmethod
    def forward(context: Any, surrogate: Tensor, *rest: Any) -> Tensor:
        biases, _, value, total, bias, epsilon = rest
        added = _stabiliser(total, epsilon)
        # Not the total itself, which an operation in place may overwrite.
        context.save_for_backward(value / (total + added), added, bias)
        context.rows = len(biases)
        result: Tensor = value.clone()
        return result

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        scale, added, bias = context.saved_tensors
        passed = gradients[0] * scale
        taken = None if bias is None else _by_row(passed * bias, context.rows)
        return passed, taken, _by_row(passed * added, context.rows), None, None, None, None


def share(
    operation: Operation,
    surrogate: Tensor,
    value: Tensor,
    total: Tensor,
    bias: Tensor | None,
    epsilon: float,
) -> Tensor:
    """The `value` of an operation whose relevance goes to its parts; see _Shared."""
    sinks = operation.sinks[BIAS], operation.sinks[STABILISER]
    result: Tensor = _Shared.apply(  # type: ignore[no-untyped-call]
        surrogate, *sinks, value, total, bias, epsilon
    )
    return result


def _by_row(taken: Tensor, rows: int) -> Tensor:
    """What each row of the batch lost."""
    if (len(taken) if taken.ndim else 1) % rows:
        # The batch is not the first dimension here: the sum over rows is still right.
        return taken.sum().div(rows).expand(rows)
    return taken.sum(tuple(range(1, taken.ndim))).view(rows, -1).sum(1)


def _stabiliser(x: Tensor, epsilon: float) -> Tensor:
    """What pushes x away from zero: epsilon with its sign; zero counts as positive, also -0."""
    return torch.copysign(x.new_tensor(epsilon), x + 0.0)


def spread(operation: Operation, sink: str, like: Tensor) -> Tensor:
    """A sink, one number a row of the batch, laid along the first dimension of `like`."""
    leaf = operation.sinks[sink]
    count = like.shape[0] if like.ndim else 1
    if count % len(leaf):
        # The batch is not the first dimension here: the sum over rows is still right.
        return leaf.mean()
    return leaf.repeat_interleave(count // len(leaf)).view(-1, *[1] * (like.ndim - 1))
