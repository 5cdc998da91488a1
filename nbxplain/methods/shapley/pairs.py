"""Coalitions in pairs, each with its complement, without replacement and good to stop at.

Shapley values depend on a game v through its odd part (v(S) - v(complement of S)) / 2 alone, which
such a pair gives directly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from nbxplain.methods.shapley.base import Bools, Floats

Rate = Callable[[int, int], float]
"""The size s of a coalition of n players, 0 < s < n -> how often to draw that size."""


def kernel(size: int, players: int) -> float:
    """The mass of a size under the Shapley kernel. Lundberg and Lee 2017, theorem 2."""
    return 1 / (size * (players - size))


def leverage(size: int, players: int) -> float:
    """Every size as often: leverage scores of the kernel regression. Musco and Witter 2025."""
    return 1.0


@lru_cache(maxsize=8)
def pairs(players: int, count: int, rate: Rate, seed: int) -> Bools:
    """The empty and the full coalition, then `count` pairs: (2 + 2 count, players).

    Sizes come at their rates from the start, until all coalitions of a size have come; those of
    one size come in random order. At most all 2^players coalitions.
    """
    generator = np.random.default_rng([seed, players])
    count = min(count, 2 ** (players - 1) - 1)
    sizes = range(1, players // 2 + 1)
    keys, owner = [], []
    for size in sizes:
        halved = 2 * size == players
        chance = rate(size, players) * (0.5 if halved else 1)
        there = min(math.comb(players - halved, size), count)
        keys.append((np.arange(there) + generator.random()) / chance)
        owner.append(np.full(there, size))
    chosen = np.zeros((2 + 2 * count, players), bool)
    chosen[1] = True
    if count > 0:
        first = np.argsort(np.concatenate(keys), kind="stable")[:count]
        drawn = np.concatenate(owner)[first]
        half = chosen[2::2]
        for size in sizes:
            where = drawn == size
            half[where] = _of_size(players, size, int(where.sum()), generator)
        chosen[3::2] = ~half
    chosen.setflags(write=False)
    return chosen


def _of_size(players: int, size: int, most: int, generator: np.random.Generator) -> Bools:
    """`most` different coalitions of a size in random order.

    Of two complements of the same size only the one without the last player is drawn.
    """
    free = players - (2 * size == players)
    total = math.comb(free, size)
    if total <= 4 * most:
        chosen = np.array(list(combinations(range(free), size)), np.intp)
        chosen = generator.permutation(chosen)[:most]
    else:
        chosen = _distinct(free, size, most, generator)
    members = np.zeros((len(chosen), players), bool)
    np.put_along_axis(members, chosen, True, axis=1)
    return members


def _distinct(free: int, size: int, most: int, generator: np.random.Generator) -> NDArray[np.intp]:
    """`most` different sets of `size` out of `free`, where there are many more."""
    found = np.empty((0, size), np.intp)
    while len(found) < most:
        draw = generator.random((most, free)).argpartition(size - 1, axis=1)[:, :size]
        both = np.concatenate([found, np.sort(draw, axis=1)])
        # In the order in which they were drawn, not in that of np.unique.
        _, first = np.unique(both, axis=0, return_index=True)
        found = both[np.sort(first)]
    return found[:most]


def odd_part(values: Floats) -> Floats:
    """(v(S) - v(complement)) / 2 (k,) of the whole pairs among the values (2 + 2 k,)."""
    whole = (len(values) - 2) // 2
    return (values[2 : 2 + 2 * whole : 2] - values[3 : 3 + 2 * whole : 2]) / 2


__all__ = ["Rate", "kernel", "leverage", "odd_part", "pairs"]
