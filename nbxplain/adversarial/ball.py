"""Balls of changes: how large one is, the way out that is steepest, and the way back in."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from nbxplain.core.errors import MethodError

Norm = Literal["linf", "l2"]


def checked(norm: str) -> None:
    """Raises MethodError for a norm that is not known."""
    if norm not in get_args(Norm):
        raise MethodError(f"There is no norm {norm!r}.", "Choose linf or l2.")


def size(change: Tensor, norm: Norm) -> Tensor:
    """The norm (B,) of changes (B, ...)."""
    flat = change.flatten(1)
    return flat.abs().amax(1) if norm == "linf" else flat.norm(dim=1)


def steepest(gradient: Tensor, norm: Norm) -> Tensor:
    """The change of size one along which a linear function grows most."""
    if norm == "linf":
        return gradient.sign()
    return gradient / _column(size(gradient, "l2").clamp(min=1e-30), gradient)


def inside(change: Tensor, epsilon: Tensor, norm: Norm) -> Tensor:
    """The nearest change (B, ...) of size at most epsilon (B,)."""
    reach = _column(epsilon, change)
    if norm == "linf":
        return change.clamp(-reach, reach)
    length = _column(size(change, "l2").clamp(min=1e-30), change)
    return change * (reach / length).clamp(max=1)


def scaled(change: Tensor, factor: Tensor) -> Tensor:
    """Changes (B, ...) times factors (B,)."""
    return change * _column(factor, change)


def random(like: Tensor, epsilon: Tensor, norm: Norm, seed: int) -> Tensor:
    """A random change of the largest size: random signs, or a random direction."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(like.shape, generator=generator, dtype=like.dtype).to(like.device)
    return scaled(steepest(drawn, norm), epsilon)


def _column(values: Tensor, like: Tensor) -> Tensor:
    return values.to(like).view(-1, *[1] * (like.ndim - 1))
