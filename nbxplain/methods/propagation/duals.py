"""Tensors of two passes side by side: the input's and the reference's."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from nbxplain.core.calls import Operation
from nbxplain.core.errors import MethodError


class Dual(NamedTuple):
    """A tensor in the input's pass, with its graph, and the same tensor in the reference's."""

    here: Tensor
    there: Tensor

    @property
    def mean(self) -> Tensor:
        return (self.here.detach() + self.there) / 2


def dual(operation: Operation, position: int = 0) -> Dual:
    """The two values of an argument; a constant is its own reference."""
    assert operation.reference is not None
    here, there = operation.arguments[position], operation.reference[position]
    if not isinstance(here, Tensor):
        here = torch.as_tensor(here)
        there = here if not isinstance(there, Tensor) else there
    return Dual(here, there)


def otherwise(what: str) -> MethodError:
    return MethodError(
        f"{what} otherwise for the baseline than for the input.",
        "Choose another baseline, or integrated gradients.",
    )
