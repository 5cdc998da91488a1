"""Shapley values from orders in which the players come."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from nbxplain.methods.coalitions import Game
from nbxplain.methods.shapley.base import Design, Estimate, Floats
from nbxplain.methods.shapley.sampled import SampledShapley

Ints = NDArray[np.intp]

PRIOR = 8
TWO_SIGMA = 0.97725
"""The normal distribution's share below two standard deviations."""


class Orders(Design):
    """Players come in random orders; each order is also taken backwards.

    The coalitions on the way back are the complements of those on the way there: pairs.
    `draw` makes an order (n,); `size` coalitions hold (size - 2) // (2 n - 2) of them.
    """

    def __init__(self, players: int, size: int, draw: Callable[[], Ints]) -> None:
        count = (size - 2) // (2 * players - 2)
        self._ranks = np.array([draw().argsort() for _ in range(count)])
        steps = np.arange(1, players).reshape(1, -1, 1)
        there = (self._ranks[:, None, :] < steps).reshape(-1, players)
        self.coalitions = np.zeros((2 + 2 * len(there), players), bool)
        self.coalitions[1] = True
        self.coalitions[2::2], self.coalitions[3::2] = there, ~there

    def estimate(self, values: Floats) -> Estimate:
        """The mean over whole orders of what each player adds, there and back."""
        players = self.coalitions.shape[1]
        whole = (len(values) - 2) // (2 * players - 2)
        if not whole:
            return Estimate(np.full(players, values[1] / players))
        walks = values[2 : 2 + whole * (2 * players - 2)].reshape(whole, players - 1, 2)
        ends = np.zeros((whole, 1)), np.full((whole, 1), values[1])
        there = np.diff(np.concatenate([ends[0], walks[..., 0], ends[1]], 1), axis=1)
        back = -np.diff(np.concatenate([ends[1], walks[..., 1], ends[0]], 1), axis=1)
        gains = np.take_along_axis((there + back) / 2, self._ranks[:whole], axis=1)
        return Estimate(gains.mean(0), _errors(gains) if whole > 3 else None)


def _errors(gains: Floats) -> Floats:
    """Standard errors (n,) of the means of gains (orders, n), widened for few of them.

    A player that happened to add the same in every order is not certain for that: its variance
    is drawn towards that of all players, which counts like PRIOR orders.
    """
    count = len(gains)
    own = gains.var(0, ddof=1)
    variance = ((count - 1) * own + PRIOR * own.mean()) / (count - 1 + PRIOR)
    wider = student.ppf(TWO_SIGMA, count - 1) / 2
    errors: Floats = wider * np.sqrt(variance / count)
    return errors


class PermutationShapley(SampledShapley):
    """The mean of what each player adds, over random orders and their reverses.

    Castro, Gomez, Tejada 2009; reverses: Mitchell et al. 2022.
    """

    name: ClassVar[str] = "permutation_shapley"
    label: ClassVar[str] = "Shapley values by permutations"

    def sampled(self, game: Game, row: int, size: int) -> Design:
        players = int(game.counts[row])
        generator = np.random.default_rng([self.seed, players])
        return Orders(players, size, lambda: generator.permutation(players))


__all__ = ["Orders", "PermutationShapley"]
