"""A sum over players fitted to pairs: Shapley values as a weighted regression."""

from __future__ import annotations

import numpy as np

from nbxplain.methods.shapley.base import Bools, Design, Estimate, Floats
from nbxplain.methods.shapley.pairs import Rate, kernel, odd_part, pairs


class Additive(Design):
    """Pairs at given rates of their sizes, to which a sum over players is fitted."""

    def __init__(self, players: int, size: int, rate: Rate, seed: int) -> None:
        self.coalitions = pairs(players, (size - 2) // 2, rate, seed)

    def estimate(self, values: Floats) -> Estimate:
        odd = odd_part(values)
        return additive(self.coalitions[2 : 2 + 2 * len(odd) : 2], odd, float(values[1]))


def additive(coalitions: Bools, odd: Floats, change: float) -> Estimate:
    """The sum over players that fits the odd part (k,) of the coalitions (k, n) best.

    Least squares under the Shapley kernel, whatever the rates of the sizes were, with values that
    sum to `change`. Errors by the jackknife (HC3; MacKinnon and White 1985), which holds for a fit
    that leaves something out.
    """
    count, players = coalitions.shape
    even = change / players
    if not count:
        return Estimate(np.full(players, even))
    signs = np.where(coalitions, 0.5, -0.5)
    # Values that sum to zero do not see the mean over players.
    design = signs - signs.mean(1, keepdims=True)
    target = odd - even * signs.sum(1)
    root = np.sqrt(_weights(coalitions))[:, None]
    left, scale, right = np.linalg.svd(root * design, full_matrices=False)
    kept = scale > 1e-9 * scale[0]
    left, solve = left[:, kept], (right[kept].T / scale[kept]) @ left[:, kept].T
    scaled = root[:, 0] * target
    values = solve @ scaled
    errors = None
    if count > players:
        residual = scaled - left @ (left.T @ scaled)
        free = 1 - (left**2).sum(1)
        errors = np.sqrt((solve**2) @ (residual / free.clip(min=1e-3)) ** 2)
    return Estimate(values - values.mean() + even, errors)


def _weights(coalitions: Bools) -> Floats:
    """The kernel's mass of the size of each coalition (k, n), shared among those of that size."""
    players = coalitions.shape[1]
    size = coalitions.sum(1)
    size = np.minimum(size, players - size)
    mass = np.where(2 * size == players, 0.5, 1) * kernel(size, players)
    weights: Floats = mass / np.bincount(size)[size]
    return weights


__all__ = ["Additive", "additive"]
