"""Which conditions on the way to each leaf a row fails, as one integer a leaf and row.

A path asks each of its features for one thing, however often the feature is tested on the way. So
a path with L features has L conditions, and what a row fails of them is a pattern of L bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nbxplain.core.errors import ModelError
from nbxplain.methods.trees.forest import CATEGORIES, Trees

LONGEST = 62
"""Conditions on a path that fit into the bits of an integer."""


@dataclass(frozen=True, eq=False)
class Paths:
    """n paths with L conditions each: those to the leaves `first` to `first` + n of a Grove.

    `features` (n, L) are what the conditions are on, `reach` (n, L) the share of the training rows
    that met each, `value` (n, K) what the leaf adds to the scores.
    """

    first: int
    features: Tensor
    reach: Tensor
    value: Tensor

    def __len__(self) -> int:
        return len(self.features)

    @property
    def length(self) -> int:
        return self.features.shape[1]

    @property
    def leaves(self) -> slice:
        """Their rows among the patterns of the Grove."""
        return slice(self.first, self.first + len(self))

    def parts(self, size: int) -> Iterator[Paths]:
        """The same paths, at most `size` at a time."""
        for start in range(0, len(self), size):
            cut = slice(start, start + size)
            yield replace(
                self,
                first=self.first + start,
                features=self.features[cut],
                reach=self.reach[cut],
                value=self.value[cut],
            )


@dataclass(frozen=True, eq=False)
class Level:
    """The n splits at one depth; `place` (n,) is the condition that each belongs to.

    Of their 2n children, left ones first, those at `inner` split again, those at `leaves` do not.
    The splits at `categorical` (c,) go by the table `goes_left` (c, 256), the others by threshold.
    """

    feature: Tensor
    threshold: Tensor
    missing_left: Tensor
    categorical: Tensor
    goes_left: Tensor
    place: Tensor
    inner: Tensor
    leaves: Tensor

    def left(self, columns: Tensor) -> Tensor:
        """Whether rows, given as columns (F, N), go left: (n, N)."""
        values = columns[self.feature]
        left = values <= self.threshold.unsqueeze(1)
        if len(self.categorical):
            codes = values[self.categorical].nan_to_num(0).long().clamp(0, CATEGORIES - 1)
            left[self.categorical] = self.goes_left.gather(1, codes)
        return torch.where(values.isnan(), self.missing_left.unsqueeze(1), left)


@dataclass(frozen=True, eq=False)
class Grove:
    """Some trees as levels of splits, and as groups of paths of equal length.

    `order` sorts the leaves, found level by level, into groups. `split` trees have levels; `alone`
    are the others, whose leaf is a path without conditions.
    """

    split: int
    alone: int
    levels: list[Level]
    order: Tensor
    groups: list[Paths]

    def __len__(self) -> int:
        """The number of leaves."""
        return len(self.order)

    def fails(self, columns: Tensor) -> Tensor:
        """The patterns (leaves, N) of what rows, given as columns (F, N), fail."""
        dtype = torch.int32 if self.groups[-1].length < 32 else torch.int64
        one = torch.ones((), dtype=dtype, device=columns.device)
        failed = one.new_zeros(self.split, columns.shape[1])
        found = [one.new_zeros(self.alone, columns.shape[1])]
        for level in self.levels:
            left, bit = level.left(columns), (one << level.place).to(dtype).unsqueeze(1)
            children = torch.cat([failed | (bit * ~left), failed | (bit * left)])
            found.append(children[level.leaves])
            failed = children[level.inner]
        return torch.cat(found)[self.order]


def plant(trees: Trees, device: torch.device) -> Grove:
    """The Grove of these trees. Raises ModelError for a path of more than 62 features."""
    alone = trees.left[trees.roots] < 0
    stems = _Stems.at_roots(trees.roots)
    ends, levels = [stems.cut(alone)], []
    stems = stems.cut(~alone)
    while len(stems.nodes):
        place, children = stems.grown(trees)
        leaf = trees.left[children.nodes] < 0
        levels.append(_level(trees, stems.nodes, place, leaf, device))
        ends.append(children.cut(leaf))
        stems = children.cut(~leaf)
    length = np.concatenate([end.length for end in ends])
    order = np.argsort(length, kind="stable")
    groups = _groups(trees, ends, length[order], order, device)
    split = int((~alone).sum())
    return Grove(split, len(alone) - split, levels, torch.from_numpy(order).to(device), groups)


@dataclass(frozen=True, eq=False)
class _Stems:
    """Paths that have come as far as `nodes` (n,), with `length` (n,) conditions.

    Those are on `features` (n, W) and were met by the shares `reach` (n, W) of the training rows;
    beyond a path's length these are -1 and 1.
    """

    nodes: NDArray[Any]
    length: NDArray[Any]
    features: NDArray[Any]
    reach: NDArray[Any]

    @classmethod
    def at_roots(cls, roots: NDArray[Any]) -> _Stems:
        empty = np.zeros((len(roots), 0), np.int64)
        return cls(roots, np.zeros(len(roots), np.int64), empty, empty.astype(np.float64))

    def cut(self, kept: NDArray[Any]) -> _Stems:
        return _Stems(self.nodes[kept], self.length[kept], self.features[kept], self.reach[kept])

    def widened(self, width: int) -> _Stems:
        more = ((0, 0), (0, max(0, width - self.features.shape[1])))
        return _Stems(
            self.nodes,
            self.length,
            np.pad(self.features, more, constant_values=-1),
            np.pad(self.reach, more, constant_values=1),
        )

    def grown(self, trees: Trees) -> tuple[NDArray[Any], _Stems]:
        """Which condition each split belongs to (n,), and the paths on to the 2n children."""
        rows, feature = np.arange(len(self.nodes)), trees.feature[self.nodes]
        stems = self.widened(int(self.length.max()) + 1)
        known = stems.features == feature[:, None]
        place = np.where(known.any(1), known.argmax(1), self.length)
        length = np.maximum(self.length, place + 1)
        if length.max() > LONGEST:
            raise ModelError(
                f"A path of a tree tests {length.max()} features, more than {LONGEST}.",
                "Fit with a smaller max_depth, or use shapley.",
            )
        stems.features[rows, place] = feature
        children = [trees.left[self.nodes], trees.right[self.nodes]]
        reach, whole = [stems.reach, stems.reach.copy()], trees.cover[self.nodes]
        for side, child in zip(reach, children, strict=True):
            met = np.divide(trees.cover[child], whole, out=np.zeros(len(rows)), where=whole > 0)
            side[rows, place] *= met
        return place, _Stems(
            np.concatenate(children),
            np.tile(length, 2),
            np.tile(stems.features, (2, 1)),
            np.concatenate(reach),
        )


def _level(
    trees: Trees, nodes: NDArray[Any], place: NDArray[Any], leaf: NDArray[Any], device: torch.device
) -> Level:
    split = trees.split[nodes]
    arrays = {
        "feature": trees.feature[nodes],
        "threshold": trees.threshold[nodes],
        "missing_left": trees.missing_left[nodes],
        "categorical": np.flatnonzero(split >= 0),
        "goes_left": trees.goes_left[split[split >= 0]],
        "place": place,
        "inner": np.flatnonzero(~leaf),
        "leaves": np.flatnonzero(leaf),
    }
    return Level(**{name: torch.from_numpy(array).to(device) for name, array in arrays.items()})


def _groups(
    trees: Trees,
    ends: list[_Stems],
    length: NDArray[Any],
    order: NDArray[Any],
    device: torch.device,
) -> list[Paths]:
    """The ends of all paths, sorted by length, in groups of equal length."""
    width = int(length[-1])
    wide = [end.widened(width) for end in ends]
    features = np.concatenate([end.features[:, :width] for end in wide])[order]
    reach = np.concatenate([end.reach[:, :width] for end in wide])[order]
    value = trees.value[np.concatenate([end.nodes for end in ends])][order]
    groups = []
    for size in np.unique(length):
        first, last = np.searchsorted(length, [size, size + 1])
        arrays = features[first:last, :size], reach[first:last, :size], value[first:last]
        groups.append(Paths(int(first), *(torch.from_numpy(a.copy()).to(device) for a in arrays)))
    return groups


def bits(patterns: Tensor, length: int) -> Tensor:
    """The bits (..., length) of patterns (...), lowest first, as 0.0 and 1.0."""
    places = torch.arange(length, device=patterns.device, dtype=patterns.dtype)
    return ((patterns.unsqueeze(-1) >> places) & 1).double()


__all__ = ["Grove", "Level", "Paths", "bits", "plant"]
