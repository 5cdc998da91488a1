"""How LRP shares relevance out, and counts what no input gets."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nbxplain.core.calls import Operation
from nbxplain.core.rules import handed_over

BIAS, STABILISER = "absorbed_by_biases", "absorbed_by_stabiliser"
"""The sinks, and the evidence they become."""


class _Shared(torch.autograd.Function):
    """`value` forward; backward each part of `total` gets its share, and what is left is counted.

    Parts are `surrogate` and `bias`, which together are `total`, and what the stabiliser adds.
    """

    @staticmethod
    def forward(context: Any, surrogate: Tensor, *rest: Any) -> Tensor:
        biases, _, given, total, bias, epsilon = rest
        value = handed_over(given)
        added = _stabiliser(total, epsilon)
        # Not the total itself, which an operation in place may overwrite.
        scale = total + added
        context.save_for_backward(torch.div(value, scale, out=scale), added, bias)
        context.rows = len(biases)
        return value

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        scale, added, bias = context.saved_tensors
        passed = gradients[0] * scale
        taken = None if bias is None else _taken(passed, bias, context.rows)
        return passed, taken, _taken(passed, added, context.rows), None, None, None, None


def share(
    operation: Operation,
    surrogate: Tensor,
    value: Tensor,
    total: Tensor,
    bias: Tensor | None,
    epsilon: float,
) -> Tensor:
    """The `value` of an operation whose relevance goes to its parts; see _Shared.

    The value must be nobody else's, for an operation in place may follow.
    """
    sinks = operation.sinks[BIAS], operation.sinks[STABILISER]
    # Detached, because the total may be the value itself, of which autograd would make a view.
    result: Tensor = _Shared.apply(  # type: ignore[no-untyped-call]
        surrogate, *sinks, [value], total.detach(), bias, epsilon
    )
    return result


def _taken(passed: Tensor, part: Tensor, rows: int) -> Tensor:
    """What each row of the batch lost to a part of the total: the sum of their product."""
    if (len(passed) if passed.ndim else 1) % rows:
        # The batch is not the first dimension here: the sum over rows is still right, and when that
        # shows (balance.py) rows go alone.
        return (passed * part).sum().div(rows).expand(rows)
    alike = [d for d in range(1, part.ndim) if part.shape[d] == 1 < passed.shape[d]]
    summed = passed.sum(alike, keepdim=True) if alike and part.ndim == passed.ndim else passed
    if summed.shape == part.shape and len(summed) == rows:
        return _dots(summed, part)
    return (summed * part).reshape(rows, -1).sum(1)


def _dots(a: Tensor, b: Tensor) -> Tensor:
    """The dot product (n,) of each row of one tensor with that of another: each is read once."""
    dims = (0, *sorted(range(1, a.ndim), key=a.stride, reverse=True))
    lines = (t.permute(dims).reshape(len(a), -1) for t in (a, b))
    return torch.stack([torch.dot(x, y) for x, y in zip(*lines, strict=True)])


def _stabiliser(x: Tensor, epsilon: float) -> Tensor:
    """What pushes x away from zero: epsilon with its sign; zero counts as positive, also -0."""
    signed = x + 0.0
    return torch.copysign(x.new_tensor(epsilon), signed, out=signed)


def spread(operation: Operation, sink: str, like: Tensor) -> Tensor:
    """A sink, one number a row of the batch, laid along the first dimension of `like`."""
    leaf = operation.sinks[sink]
    count = like.shape[0] if like.ndim else 1
    if count % len(leaf):
        # The batch is not the first dimension here: the sum over rows is still right.
        return leaf.mean()
    return leaf.repeat_interleave(count // len(leaf)).view(-1, *[1] * (like.ndim - 1))
