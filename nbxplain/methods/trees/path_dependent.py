"""What conditions are worth when the training rows' shares say where an absent feature leads.

The game on a path multiplies one number a condition: 1 or 0 where its feature is present, the share
that met it where it is absent. The Shapley value of a product is the integral over t in [0, 1] of
its derivative along the diagonal, here a polynomial of degree L - 1: ceil(L / 2) Gauss points are
exact, where Lundberg et al. 2020 (algorithm 2) extend and unwind. Each failed condition of a path
is worth the same.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nbxplain.methods.trees.lookup import Shares
from nbxplain.methods.trees.paths import Grove, Paths, bits

TINY = 1e-300
"""Stands for a share of zero, of which the logarithm is taken."""


class Followed:
    """An absent feature follows both branches, by the shares of the training rows."""

    width = 1

    def expectation(self, grove: Grove) -> Tensor:
        """The mean over the training rows, as each tree saw them."""
        return torch.stack([paths.reach.prod(1) @ paths.value for paths in grove.groups]).sum(0)

    def shares(self, grove: Grove) -> Shares:
        return worths


def worths(patterns: Tensor, paths: Paths) -> Tensor:
    """Shapley values (n, P, L) of the conditions of paths whose leaves have the value one.

    `patterns` (n, P), or (1, P) for all paths alike, are what P rows fail.
    """
    t, weight = _gauss((paths.length + 1) // 2, paths.reach)
    reach = paths.reach.clamp(min=TINY).unsqueeze(2)
    failed, met = reach * (1 - t), reach * (1 - t) + t
    failing = bits(patterns, paths.length)
    change = failed.log() - met.log()
    product = (met.log().sum(1).unsqueeze(1) + failing @ change).exp()
    slope = (1 - paths.reach.unsqueeze(2)) * weight / met
    gain = product @ slope.transpose(1, 2).contiguous()
    loss = product @ (weight / (1 - t)).unsqueeze(1)
    return torch.where(failing.bool(), -loss, gain)


def _gauss(points: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Nodes and weights (points,) of the Gauss-Legendre quadrature on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    return torch.from_numpy((nodes + 1) / 2).to(like), torch.from_numpy(weights / 2).to(like)
