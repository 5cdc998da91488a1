"""Shapley values without estimating: every coalition once."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

import numpy as np
from scipy.special import comb

from nbxplain.core.errors import MethodError
from nbxplain.methods.base import parameter
from nbxplain.methods.coalitions import Game
from nbxplain.methods.shapley.base import Bools, Design, Estimate, Floats, ShapleyMethod
from nbxplain.methods.shapley.posterior import Odd

MOST = 20
"""Players whose coalitions can be enumerated: a million."""


class Exhaustive(Odd):
    """All 2^n coalitions, of every size as often; before the last has come, an estimate."""

    def __init__(self, players: int, seed: int = 0) -> None:
        super().__init__(players, 2**players, seed)

    def estimate(self, values: Floats) -> Estimate:
        if len(values) < len(self.coalitions):
            return super().estimate(values)
        return Estimate(shapley_values(self.coalitions, values), exact=True)


def shapley_values(coalitions: Bools, values: Floats) -> Floats:
    """The values (n,) of a game v(S) - v(none) that is known for all coalitions (2^n, n)."""
    players = coalitions.shape[1]
    size = coalitions.sum(1)
    there, total = coalitions.astype(float), comb(players, size)
    # v(S) counts (s-1)! (n-s)! / n! for a player in S and -s! (n-s-1)! / n! for another.
    gain = np.divide(values, size * total, out=np.zeros_like(values), where=size > 0)
    absent = players - size
    loss = np.divide(values, absent * total, out=np.zeros_like(values), where=absent > 0)
    result: Floats = gain @ there - loss @ (1 - there)
    return result


class ExactShapley(ShapleyMethod):
    """The mean of what a player adds, over all orders in which the players can come.

    All 2^n coalitions are evaluated once, which doubles with every player; what is shown on the
    way is an estimate. Shapley 1953; Strumbelj and Kononenko 2010.
    """

    name: ClassVar[str] = "exact_shapley"
    label: ClassVar[str] = "Shapley values, exact"

    segments: int = parameter(
        12, "Superpixels, where no regions are given; a table has its features.", ge=2, le=MOST,
        draft=8,
    )  # fmt: skip
    most: int = parameter(
        16, "Players beyond which it is refused: 16 have 65 536 coalitions.", ge=1, le=MOST
    )

    def design(self, game: Game, row: int) -> Design:
        players = int(game.counts[row])
        if players <= self.most:
            return exhaustive(players, 0)
        advice = f"most={players}, " if players <= MOST else ""
        raise MethodError(
            f"{players} players have {2**players:,} coalitions, and most is {self.most} players.",
            f"Give {advice}fewer segments, regions that group players, or use odd_shap.",
        )


@lru_cache(maxsize=4)
def exhaustive(players: int, seed: int) -> Exhaustive:
    """Equal for equal arguments, so that the rows of a batch share it."""
    return Exhaustive(players, seed)


__all__ = ["ExactShapley", "exhaustive", "shapley_values"]
