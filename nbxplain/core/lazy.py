"""Pictures' maps that are computed when they are needed: what waits in a mode of this house."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, Self

import torch
from torch import Tensor

LOOKS = frozenset((
    Tensor.dim, Tensor.size, Tensor.numel, Tensor.__len__, Tensor.is_floating_point,
    torch.is_floating_point,
    *(getattr(Tensor, name).__get__ for name in ("shape", "ndim", "dtype", "device", "is_cuda")),
))  # fmt: skip
"""What only looks at the shape and the kind of a tensor, which are known before its values are."""


class Lazy(Tensor):
    """A batch of maps (N, C, H, W), channels last; `known` once somebody needed it."""

    known: Tensor | None

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def shaped(cls, shape: tuple[int, int, int, int], like: Tensor) -> Self:
        """Maps of this shape that nobody computed yet, of the kind of `like`."""
        _, channels, height, width = shape
        strides = height * width * channels, 1, width * channels, channels
        lazy: Self = Tensor._make_wrapper_subclass(
            cls, shape, strides=strides, dtype=like.dtype, device=like.device
        )
        lazy.known = None
        return lazy

    @abstractmethod
    def compute(self) -> Tensor:
        """The maps."""

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Reached where no mode is: within TorchScript, or later, by what a module kept."""
        return func(*computed(args, cls), **computed(kwargs or {}, cls))


def computed(value: Any, kind: type[Lazy]) -> Any:
    """The value with lazy tensors of a kind computed, also in tuples, lists and dicts."""
    if isinstance(value, kind):
        if value.known is None:
            value.known = value.compute()
        return value.known
    if type(value) in (tuple, list):
        return type(value)(computed(item, kind) for item in value)
    if type(value) is dict:
        return {key: computed(item, kind) for key, item in value.items()}
    return value


def any_of(values: Iterable[Any], kind: type[Lazy]) -> bool:
    """Whether one of that kind is among the values, or in a tuple, list or dict of them."""
    for value in values:
        if isinstance(value, kind):
            return True
        if isinstance(value, tuple | list) and any_of(value, kind):
            return True
        if isinstance(value, dict) and any_of(value.values(), kind):
            return True
    return False


__all__ = ["LOOKS", "Lazy", "any_of", "computed"]
