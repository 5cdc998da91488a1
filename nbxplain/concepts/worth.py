"""What parts of an activation are worth to a score: each taken out, or all of them varied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from torch.quasirandom import SobolEngine

from nbxplain.core.capture import Edit
from nbxplain.core.errors import ModelError
from nbxplain.core.layers import Layer
from nbxplain.core.passes import Passes
from nbxplain.core.target import Target

Importance = Literal["ablation", "sobol"]

DESIGNS = 32
"""Points of the Sobol design; a power of two keeps it balanced."""

Scores = Callable[[Tensor], Tensor]
"""How much of each part is left (M, k), from 0 to 1 -> scores (M,)."""


@dataclass
class Parts:
    """One picture (1, ...), number `row` of the target, whose activation at a layer has parts:
    `coefficients` (k, rows, columns) of `directions` (k, C).

    What the parts do not account for stays as it is, so that with all of them left the score is
    that of the picture. With `once` a chunk runs the picture up to the layer once: see
    `once_is_enough`.
    """

    passes: Passes
    layer: Layer
    picture: Tensor
    target: Target
    row: int
    coefficients: Tensor
    directions: Tensor
    once: bool = False

    def scores(self, left: Tensor) -> Tensor:
        """The scores (M,) where `left` (M, k), from 0 to 1, is left of each part."""
        x = self.picture
        gone = (1 - left).to(x)
        maps = torch.einsum("khw,kc->kchw", self.coefficients.to(x), self.directions.to(x))

        def build(rows: Tensor) -> Tensor:
            return x if self.once else x.expand(len(rows), *x.shape[1:])

        def without(rows: Tensor) -> Edit:
            taken = self.layer.laid(torch.einsum("nk,kchw->nchw", gone[rows], maps))
            return Edit(self.layer.name, self.layer.calls, lambda output: output - taken)

        def score(output: Tensor, rows: Tensor) -> Tensor:
            return self.target.score(output, torch.full_like(rows, self.row))

        found = self.passes.scores(len(left), build, score, without)
        return torch.cat([scores.cpu() for _, scores in found]).double()

    def once_is_enough(self) -> bool:
        """Whether what is above the layer takes more rows than what is below: tried with three."""
        left = torch.rand(3, len(self.directions), generator=torch.Generator().manual_seed(0))
        safe = replace(self, once=False).scores(left)
        try:
            fast = replace(self, once=True).scores(left)
        except (ModelError, RuntimeError):
            return False
        return torch.allclose(fast, safe, rtol=1e-4, atol=1e-5)


def ablation(scores: Scores, count: int) -> Tensor:
    """What the score loses (k,) without each of the parts alone."""
    left = torch.cat([torch.ones(1, count), 1 - torch.eye(count)])
    found = scores(left)
    lost: Tensor = found[0] - found[1:]
    return lost


def sobol(scores: Scores, count: int, seed: int) -> Tensor:
    """Total Sobol indices (k,): the share of the score's variance, while all parts vary
    independently between none and all of them, that each has a hand in.

    Jansen's estimator on a scrambled Sobol sequence, as in CRAFT (Fel et al. 2023). Zero where the
    score does not vary.
    """
    points = SobolEngine(2 * count, scramble=True, seed=seed).draw(DESIGNS, dtype=torch.float64)
    one, other = points[:, :count], points[:, count:]
    mixed = one.repeat(count, 1, 1)
    for part in range(count):
        mixed[part, :, part] = other[:, part]
    found = scores(torch.cat([one, other, mixed.flatten(0, 1)]))
    base, more = found[:DESIGNS], found[DESIGNS : 2 * DESIGNS]
    moved: Tensor = (found[2 * DESIGNS :].view(count, DESIGNS) - base).square().mean(1) / 2
    variance = torch.cat([base, more]).var()
    shares: Tensor = moved / variance
    return shares if float(variance) > 0 else torch.zeros_like(moved)


__all__ = ["Importance", "Parts", "ablation", "sobol"]
