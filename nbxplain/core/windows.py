"""Windows of one size, each at its own place in a map, and what sliding operations make of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor


@dataclass(frozen=True)
class Step:
    """How an operation slides along one dimension."""

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def reach(self) -> int:
        """From the first place that an output sees to the last."""
        return self.dilation * (self.kernel - 1)

    @property
    def alone(self) -> bool:
        """Whether each output sees one place, and the next output the next."""
        return self.kernel == self.stride == 1

    def after(self, size: int, outputs: int) -> int:
        """How much the last of the outputs sees behind a map of this size."""
        return max(0, (outputs - 1) * self.stride + self.reach + 1 - self.padding - size)


@dataclass(frozen=True)
class Span:
    """Along one dimension: as many places (`size`) from each of `starts`."""

    starts: tuple[int, ...]
    size: int

    @classmethod
    def covering(cls, firsts: Iterable[int], lasts: Iterable[int], full: int) -> Span:
        """The smallest within a map of `full` places that hold firsts to lasts, both included."""
        pairs = list(zip(firsts, lasts, strict=True))
        size = max(1, *(last - first + 1 for first, last in pairs))
        return cls(tuple(max(0, min(first, full - size)) for first, _ in pairs), size)

    @property
    def lasts(self) -> list[int]:
        return [start + self.size - 1 for start in self.starts]

    def moved(self, by: int) -> Span:
        """The same places where `by` others come before."""
        return Span(tuple(start + by for start in self.starts), self.size)

    def outputs(self, step: Step, full: int) -> Span:
        """The outputs, of `full`, that see any of these places."""
        first = (start + step.padding - step.reach for start in self.starts)
        last = ((end + step.padding) // step.stride for end in self.lasts)
        return Span.covering(
            (max(0, -(-place // step.stride)) for place in first),
            (min(full - 1, place) for place in last),
            full,
        )

    def seen(self, step: Step) -> Span:
        """The places, counted from the first of the padding, that these outputs see."""
        starts = tuple(start * step.stride for start in self.starts)
        return Span(starts, (self.size - 1) * step.stride + step.reach + 1)

    def overlaps(self, other: Span) -> list[tuple[slice, slice]]:
        """What each has in common with its counterpart: where it is here, and where there."""
        found = []
        for here, there in zip(self.starts, other.starts, strict=True):
            low = max(here, there)
            high = max(low, min(here + self.size, there + other.size))
            found.append((slice(low - here, high - here), slice(low - there, high - there)))
        return found


@dataclass(frozen=True)
class Boxes:
    """Windows of one size in maps (n, C, H, W)."""

    rows: Span
    columns: Span

    @property
    def area(self) -> int:
        return self.rows.size * self.columns.size

    @classmethod
    def all_of(cls, maps: Tensor) -> Boxes:
        """The whole of each."""
        count, _, height, width = maps.shape
        return cls(Span((0,) * count, height), Span((0,) * count, width))

    @classmethod
    def different(cls, inputs: Tensor, maps: Tensor, which: Sequence[int]) -> Boxes:
        """Windows outside of which inputs (n, C, H, W) are maps (R, C, H, W)[which]."""
        count, _, height, _ = inputs.shape
        known = maps[list(which)] if len(maps) > 1 else maps
        # As bytes in the order of memory: any() over dimensions is several times slower.
        differs = (inputs != known).permute(0, 2, 3, 1).contiguous().view(torch.uint8)
        return cls(_ends(differs.view(count, height, -1).amax(2)), _ends(differs.amax(1).amax(2)))

    @classmethod
    def around(cls, boxes: Sequence[Boxes], height: int, width: int) -> Boxes:
        """Windows in maps of this size that hold all of these."""
        first, *others = boxes
        if all(other == first for other in others):
            return first
        return cls(
            _around([box.rows for box in boxes], height),
            _around([box.columns for box in boxes], width),
        )

    def outputs(self, steps: tuple[Step, Step], height: int, width: int) -> Boxes:
        """The outputs that see any of them."""
        down, right = steps
        return Boxes(self.rows.outputs(down, height), self.columns.outputs(right, width))

    def seen(self, steps: tuple[Step, Step]) -> Boxes:
        """What these outputs see of a map that is padded."""
        return Boxes(self.rows.seen(steps[0]), self.columns.seen(steps[1]))

    def moved(self, down: int, right: int) -> Boxes:
        return Boxes(self.rows.moved(down), self.columns.moved(right))


def _ends(differs: Tensor) -> Span:
    """From the first to the last place that is not zero in each row (n, places); or any one."""
    full = differs.shape[1]
    firsts, lasts = differs.argmax(1), full - 1 - differs.flip(1).argmax(1)
    return Span.covering(
        firsts.tolist(), torch.where(differs.amax(1) > 0, lasts, firsts).tolist(), full
    )


def _around(spans: Sequence[Span], full: int) -> Span:
    firsts = map(min, *(span.starts for span in spans))
    return Span.covering(firsts, map(max, *(span.lasts for span in spans)), full)


def cut(maps: Tensor, which: Sequence[int], boxes: Boxes) -> Tensor:
    """The windows of maps (N, C, H, W), the first one of map which[0] and so on, channels last."""
    source = maps.permute(0, 2, 3, 1)
    rows, columns = boxes.rows, boxes.columns
    found = maps.new_empty(len(which), rows.size, columns.size, maps.shape[1])
    for row, (index, top, left) in enumerate(zip(which, rows.starts, columns.starts, strict=True)):
        found[row] = source[index, top : top + rows.size, left : left + columns.size]
    return found.permute(0, 3, 1, 2)


def paste(target: Tensor, place: Boxes, data: Tensor, boxes: Boxes) -> None:
    """Writes windows `data` into others, `target`; what sticks out is left away."""
    into, source = target.permute(0, 2, 3, 1), data.permute(0, 2, 3, 1)
    down, right = place.rows.overlaps(boxes.rows), place.columns.overlaps(boxes.columns)
    where = list(zip(down, right, strict=True))
    for ((y, from_y), (x, from_x)), run in groupby(range(len(where)), where.__getitem__):
        rows = list(run)
        some = slice(rows[0], rows[-1] + 1)
        into[some, y, x] = source[some, from_y, from_x]


__all__ = ["Boxes", "Span", "Step", "cut", "paste"]
