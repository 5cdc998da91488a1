"""From what the conditions of paths are worth to what features are worth to rows.

A path with L conditions can be failed in 2^L ways. Where there are more rows than that, the worth
of each way is found once and looked up for every row, as in Fast TreeSHAP v2 (Yang 2021); otherwise
it is found for each row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from nbxplain.methods.trees.paths import Grove, Paths

Shares = Callable[[Tensor, Paths], Tensor]
"""Patterns (n, P), or all 2^L of them (1, 2^L), and n paths -> worths (n, P, L) of conditions."""

CELLS = 1 << 19
"""Numbers in a table: few enough for a processor's cache, enough to keep it busy."""


class Absence(Protocol):
    """What a feature's absence means to a path. `width` is how many numbers a pattern takes."""

    width: int

    def expectation(self, grove: Grove) -> Tensor:
        """What the trees add to the scores (K,) while nothing is known of a row."""

    def shares(self, grove: Grove) -> Shares:
        """What the conditions of its paths are worth, of leaves with value one."""


def add_values(
    values: Tensor, patterns: Tensor, group: Paths, shares: Shares, width: int,
    wanted: list[tuple[slice, Tensor]],
) -> None:  # fmt: skip
    """Adds what the group's paths contribute to `values` (N, F), always in the same order.

    `patterns` (leaves, N) are what the rows fail on all paths of the grove. `wanted` says of which
    rows which combination (K,) of the scores is explained.
    """
    rows, ways = patterns.shape[1], 1 << group.length
    listed = ways <= rows
    every = torch.arange(ways if listed else rows, device=patterns.device)
    wide = group.length if listed else max(group.length, width)
    for paths in group.parts(max(1, CELLS // (rows * wide))):
        failed = patterns[paths.leaves]
        if listed:
            table, place = shares(every.to(failed.dtype).unsqueeze(0), paths), failed
        else:
            table, place = shares(failed, paths), every.unsqueeze(0)
        first = torch.arange(len(paths), device=place.device).unsqueeze(1) * table.shape[1]
        place, table = (place + first).t().contiguous(), table.flatten(0, 1)
        columns, condition = paths.features.unique(return_inverse=True)
        for some, coefficients in wanted:
            leaves = paths.value @ coefficients
            if bool(leaves.any()):
                found = table.index_select(0, place[some].flatten())
                spread = _spread(condition, leaves, len(columns))
                added = found.view(-1, len(spread)) @ spread
                values[some].index_add_(1, columns, added)


def _spread(feature: Tensor, leaves: Tensor, features: int) -> Tensor:
    """The matrix (n L, features) from the conditions of paths, which are on `feature` (n, L), to
    features, with the values (n,) of the leaves."""
    spread = leaves.new_zeros(feature.numel(), features)
    spread.scatter_(1, feature.reshape(-1, 1), leaves.repeat_interleave(feature.shape[1])[:, None])
    return spread
