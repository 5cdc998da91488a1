"""Maps of which only a window is known, the rest being that of a reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nbxplain.core import fusion
from nbxplain.core.lazy import Lazy, computed
from nbxplain.core.windows import Boxes, cut, paste


@dataclass(frozen=True, eq=False)
class Window:
    """Maps that are those of a reference (R, C, H, W), save for `data` (n, C, h, w) in `boxes`.

    `which` of the R reference maps each of the n is near to. Either tensor may be pending.
    """

    reference: Tensor
    which: tuple[int, ...]
    data: Tensor
    boxes: Boxes

    @property
    def shape(self) -> tuple[int, int, int, int]:
        _, channels, height, width = self.reference.shape
        return len(self.which), channels, height, width

    def whole(self) -> Tensor:
        """The maps (n, C, H, W), channels last."""
        reference: Tensor = fusion.settled(self.reference)
        if len(reference) > 1:
            reference = reference[list(self.which)]
        maps = reference.expand(self.shape).clone(memory_format=torch.channels_last)
        paste(maps, Boxes.all_of(maps), fusion.settled(self.data), self.boxes)
        return maps

    def within(self, boxes: Boxes) -> Tensor:
        """What is in boxes that hold the window's own."""
        if boxes == self.boxes:
            return self.data
        return self.framed(fusion.settled(self.reference), boxes, self.boxes)

    def framed(self, around: Tensor, boxes: Boxes, place: Boxes) -> Tensor:
        """What is in boxes of maps `around`, in which the window's data has this place."""
        found = cut(around, self.which, boxes)
        paste(found, boxes, fusion.settled(self.data), place)
        return found


class Patch(Lazy):
    """Maps of which only a window is computed, until someone needs the whole."""

    window: Window

    @classmethod
    def of(cls, window: Window) -> Patch:
        patch = cls.shaped(window.shape, window.data)
        patch.window = window
        return patch

    def compute(self) -> Tensor:
        return self.window.whole()


def whole(value: Any) -> Any:
    """The value with patches made whole, also in tuples, lists and dicts."""
    return computed(value, Patch)


class Tape:
    """What was computed of the reference, in order: the next pass finds it here.

    `call` computes.
    """

    def __init__(self, call: Callable[..., Any]) -> None:
        self.place = 0
        self._call = call
        self._known: list[tuple[Any, list[int], Any]] = []

    def result(self, function: Any, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
        """What the function gives, which is asked only if the last pass did not do so here."""
        place, self.place = self.place, self.place + 1
        asked = function, tuple(arguments), options
        if place < len(self._known):
            before, seen, result = self._known[place]
            if _same(before, asked) and seen == _versions(asked):
                return result
        result = self._call(function, *arguments, **options)
        self._known[place : place + 1] = [(asked, _versions(asked), result)]
        return result


def _same(one: Any, other: Any) -> bool:
    """Whether arguments are the same: tensors must be the very same ones."""
    if isinstance(one, dict) and isinstance(other, dict):
        return _same(list(one.items()), list(other.items()))
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        return one is other
    return bool(one == other)


def _versions(value: Any) -> list[int]:
    """How often each of the tensors was overwritten."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return [version for item in value for version in _versions(item)]
    return [value._version] if isinstance(value, Tensor) else []


__all__ = ["Patch", "Tape", "Window", "whole"]
