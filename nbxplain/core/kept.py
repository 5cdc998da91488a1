"""Values that are needed again although an operation in place may overwrite them meanwhile."""

from __future__ import annotations

import weakref
from collections import defaultdict

import torch
from torch import Tensor

from nbxplain.core.errors import ModelError


class Kept:
    """A value that shares its tensor's memory for as long as nobody writes there."""

    def __init__(self, tensor: Tensor) -> None:
        self._value, self._version = tensor.detach(), tensor._version

    @property
    def value(self) -> Tensor:
        """The value, without a graph. Raises ModelError when something unseen overwrote it."""
        if self._value._version != self._version:
            raise ModelError(
                "The model overwrites a value in a way that cannot be followed.",
                "Write to a copy there, or choose a gradient or perturbation method.",
            )
        return self._value

    def part(self) -> None:
        """Makes it a tensor of its own."""
        self._value = self.value.clone()
        self._version = self._value._version


class Keeper:
    """What is kept during a pass, by the memory that it lies in."""

    def __init__(self) -> None:
        self._kept: defaultdict[int, list[weakref.ref[Kept]]] = defaultdict(list)

    def __bool__(self) -> bool:
        return bool(self._kept)

    def keep(self, tensor: Tensor) -> Kept:
        """The tensor's value as it is now."""
        kept = Kept(tensor)
        if tensor.layout == torch.strided:
            self._kept[_memory(tensor)].append(weakref.ref(kept))
        return kept

    def rescue(self, target: Tensor) -> None:
        """Copies what is kept in the memory of a tensor that is about to be overwritten."""
        if target.layout == torch.strided:
            for reference in self._kept.pop(_memory(target), ()):
                kept = reference()
                if kept is not None:
                    kept.part()


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


__all__ = ["Keeper", "Kept"]
