"""What conditions are worth when absent features come from the rows of a background.

Between a row and a background row a path matters only if each condition is met by one of them. With
p conditions that only the row meets and q that only the background row meets, each of the p is
worth (p - 1)! q! / (p + q)! and each of the q minus p! (q - 1)! / (p + q)!. Lundberg et al. 2020.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nbxplain.methods.trees.lookup import Shares
from nbxplain.methods.trees.paths import Grove, Paths, bits

SAMPLES = 512
"""Background rows at a time."""


class Replaced:
    """An absent feature comes from background rows, given as columns (F, K)."""

    def __init__(self, columns: Tensor) -> None:
        self._columns = columns
        self.width = min(SAMPLES, columns.shape[1])

    def expectation(self, grove: Grove) -> Tensor:
        """The mean over the background."""
        met = grove.fails(self._columns) == 0
        leaves = met.double().mean(1)
        return torch.stack([leaves[paths.leaves] @ paths.value for paths in grove.groups]).sum(0)

    def shares(self, grove: Grove) -> Shares:
        failed = grove.fails(self._columns)

        def shares(patterns: Tensor, paths: Paths) -> Tensor:
            samples, length = failed[paths.leaves], paths.length
            if patterns.shape[1] == 1 << length:
                # Background rows that fail alike count as one.
                return worths(patterns, patterns, _counted(samples, length), length)
            weight = self._columns.new_full((1, 1), 1 / samples.shape[1])
            parts = [
                worths(patterns, part, weight.expand(1, part.shape[1]), length)
                for part in samples.split(SAMPLES, 1)
            ]
            return torch.stack(parts).sum(0)

        return shares


def worths(patterns: Tensor, samples: Tensor, weights: Tensor, length: int) -> Tensor:
    """Shapley values (n, P, L) of the L conditions of n paths whose leaves have the value one.

    `patterns` (n, P) are what P rows fail, `samples` (n, K) what background rows of `weights`
    (n, K) fail; either may be (1, ...) for all paths alike.
    """
    failing, lacking = bits(patterns, length), bits(samples, length)
    p, q = lacking.sum(-1).long(), failing.sum(-1, keepdim=True)
    counts = torch.arange(length + 1, device=patterns.device)
    # A product with ones and zeros looks up (p, q) for all pairs, many times faster than indexing.
    worth = (q == counts).double() @ _worth(length, weights)[p].transpose(-1, -2)
    worth.masked_fill_((patterns.unsqueeze(-1) & samples.unsqueeze(-2)) != 0, 0)
    gain = worth @ (lacking * weights.unsqueeze(-1))
    # The sum of all is the leaf's value less its mean, and what is lost is lost in equal parts.
    mean = ((p == 0) * weights).sum(-1).view(-1, 1, 1)
    loss = (gain.sum(-1, keepdim=True) + mean) / q.clamp(min=1)
    return torch.where(failing.bool(), -loss, gain)


def _worth(length: int, like: Tensor) -> Tensor:
    """(a - 1)! b! / (a + b)! at [a, b], both up to `length`; zero for a = 0."""
    counts = range(length + 1)
    table = [[1 / (a * math.comb(a + b, b)) if a else 0.0 for b in counts] for a in counts]
    return torch.tensor(table, dtype=like.dtype, device=like.device)


def _counted(samples: Tensor, length: int) -> Tensor:
    """The share (n, 2^length) of background rows (n, K) that fail in each way there is."""
    counts = torch.zeros(len(samples), 1 << length, dtype=torch.float64, device=samples.device)
    ones = counts.new_ones(()).expand(samples.shape)
    # Whole numbers: the order of adding them does not matter.
    return counts.scatter_add_(1, samples.long(), ones) / samples.shape[1]
