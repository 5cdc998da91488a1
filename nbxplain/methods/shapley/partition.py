"""Owen values: players come in groups within groups, and groups come as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.cluster.hierarchy import linkage, to_tree
from torch import Tensor

from nbxplain.methods.coalitions import Game
from nbxplain.methods.shapley.base import Bools, Design, Estimate, Floats
from nbxplain.methods.shapley.permutation import Ints, Orders
from nbxplain.methods.shapley.sampled import SampledShapley


@dataclass
class Tree:
    """Players in groups of two groups each; a single player has no parts."""

    members: tuple[int, ...]
    parts: tuple[Tree, Tree] | None = None

    def order(self, generator: np.random.Generator) -> list[int]:
        """The players in a random order in which no group is interrupted."""
        if self.parts is None:
            return list(self.members)
        first, second = self.parts if generator.random() < 0.5 else self.parts[::-1]
        return first.order(generator) + second.order(generator)


@dataclass
class _Gain:
    """What a group adds to a coalition: indices of the coalitions with and without it."""

    group: Tree
    there: int
    absent: int
    weight: float


class Hierarchy(Design):
    """All coalitions of Owen values, from the coarsest groups to single players.

    Where they are more than `most`, `complete` is False.
    """

    def __init__(self, tree: Tree, most: int) -> None:
        self._players = len(tree.members)
        self._index: dict[bytes, int] = {}
        self._found: list[Bools] = []
        nobody = np.zeros(self._players, bool)
        self._add(nobody)
        self._add(~nobody)
        self._levels = [[_Gain(tree, 1, 0, 1.0)]]
        self._needed = [2]
        self.complete = True
        while any(gain.group.parts for gain in self._levels[-1]):
            self._levels.append([part for gain in self._levels[-1] for part in self._split(gain)])
            self._needed.append(len(self._found))
            if len(self._found) > most:
                self.complete = False
                break
        self.coalitions = np.array(self._found)

    def _add(self, coalition: Bools) -> int:
        key = coalition.tobytes()
        if key not in self._index:
            self._index[key] = len(self._found)
            self._found.append(coalition)
        return self._index[key]

    def _split(self, gain: _Gain) -> list[_Gain]:
        """What the parts of a group add, with and without the other part."""
        if gain.group.parts is None:
            return [gain]
        around = self._found[gain.absent]
        found = []
        for part, other in (gain.group.parts, gain.group.parts[::-1]):
            for beside in (around, _with(around, other)):
                there = self._add(_with(beside, part))
                found.append(_Gain(part, there, self._add(beside), gain.weight / 2))
        return found

    def estimate(self, values: Floats) -> Estimate:
        """The values of the finest groups that are known, each shared by its players evenly."""
        level = max(i for i, needed in enumerate(self._needed) if needed <= len(values))
        result = np.zeros(self._players)
        for gain in self._levels[level]:
            share = gain.weight * (values[gain.there] - values[gain.absent])
            result[list(gain.group.members)] += share / len(gain.group.members)
        return Estimate(result, exact=level + 1 == len(self._levels))


def _with(coalition: Bools, group: Tree) -> Bools:
    joined = coalition.copy()
    joined[list(group.members)] = True
    return joined


def clustered(points: Floats) -> Tree:
    """A tree of players (n, d) by Ward's clustering: those that lie together form groups."""
    if len(points) == 1:
        return Tree((0,))

    def build(node: object) -> Tree:
        members = tuple(node.pre_order())  # type: ignore[attr-defined]
        if len(members) == 1:
            return Tree(members)
        parts = build(node.get_left()), build(node.get_right())  # type: ignore[attr-defined]
        return Tree(members, parts)

    return build(to_tree(linkage(points, "ward")))


def _places(game: Game, row: int) -> Floats:
    """Where the regions of a row lie and what colour they have; of features, their place."""
    labels = game.labels[row]
    owner, count = labels.flatten(), int(game.counts[row])
    sizes = owner.bincount(minlength=count)

    def mean(values: Tensor) -> Floats:
        summed = owner.bincount(values.flatten().double(), minlength=count)
        found: Floats = (summed / sizes).cpu().numpy()
        return found

    axes = [owner.new_tensor(range(side)) / side for side in labels.shape]
    if labels.ndim == 1:
        return mean(axes[0])[:, None]
    down, across = axes[0][:, None].expand_as(labels), axes[1].expand_as(labels)
    colours = [(c - c.mean()) / c.std().clamp(min=1e-6) / 4 for c in game.x[row]]
    return np.stack([mean(v) for v in (down, across, *colours)], 1)


class PartitionShap(SampledShapley):
    """Shapley values among groups within groups (Owen values), for many players at little cost.

    Neighbouring regions of like colour form groups, in tables neighbouring features; a group
    outside a player's own is there as a whole or not at all. Coarse groups come first. Exact where
    the budget suffices, else by random orders that keep groups together. Owen 1977.
    """

    name: ClassVar[str] = "partition_shap"
    label: ClassVar[str] = "PartitionSHAP"
    resumable: ClassVar[bool] = False

    def complete(self, game: Game, row: int, size: int) -> Design | None:
        design = Hierarchy(clustered(_places(game, row)), size)
        return design if design.complete else None

    def sampled(self, game: Game, row: int, size: int) -> Design:
        tree, players = clustered(_places(game, row)), int(game.counts[row])
        generator = np.random.default_rng([self.seed, players])

        def draw() -> Ints:
            return np.array(tree.order(generator))

        return Orders(players, size, draw)


__all__ = ["Hierarchy", "PartitionShap", "Tree", "clustered"]
