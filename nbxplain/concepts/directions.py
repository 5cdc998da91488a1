"""Concept activation vectors, thousands at once, from the inner products of features alone.

A direction v in feature space is a weighted sum of the features it was found from, v = sum a_i x_i.
All estimators need of the features is their Gram matrix, so their cost does not depend on how many
dimensions a layer has, and a batch of problems that share pictures shares one Gram matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Estimator = Literal["mean", "ridge", "logistic", "pattern"]

PENALTY = 0.01
"""Strength of the ridge, as a share of the features' total variance."""
NEWTON_STEPS, CONVERGED = 12, 1e-6
"""Steps at most, more than enough for the ridge-penalised logistic loss, which is smooth and
convex; and the change of the fits (in units of log odds) at which it is solved."""
FLATTEST = 1e-3
"""Smallest slope of the logistic curve that Newton's step divides by."""
BLOCK = 2_560_000
"""Cells of the Gram matrices that exist at the same time: of 256 problems with 100 rows."""


@dataclass(frozen=True)
class Directions:
    """B directions v = sum_i weights_i x_i (B, n) and what they say of each row: fits (B, n) are
    v.x + intercept, positive on the concept's side."""

    weights: Tensor
    fits: Tensor


def directions(gram: Tensor, sides: Tensor, counts: Tensor, estimator: Estimator) -> Directions:
    """A direction for each of B problems.

    gram: (B, n, n) inner products of the rows of each problem. sides: (B, n), +1 where a row shows
    the concept and -1 where it does not. counts: (B, n) booleans, False for rows that are held out:
    they get weight zero and a fit. Both sides count the same however many rows they have.
    mean: difference of the sides' means (Martin and Weller 2019). ridge: least squares. logistic:
    by Newton's method. pattern: where the ridge filter's answer varies in feature space
    (Haufe et al. 2014), which unlike the filter does not follow distractors.
    """
    share = _balanced(sides, counts)
    if estimator == "mean":
        weights = share * sides * 2
        return Directions(weights, _between(gram, weights, share))
    if estimator == "logistic":
        return _logistic(gram, sides, share)
    found = _least_squares(gram, sides, share, PENALTY * _variance(gram, share))
    if estimator == "ridge":
        return found
    said = found.fits - (share * found.fits).sum(1, keepdim=True)
    return Directions(share * said, _between(gram, share * said, share))


def in_blocks(
    gram: Tensor, rows: Tensor, sides: Tensor, counts: Tensor, estimator: Estimator
) -> Directions:
    """The same for B problems that draw their rows (B, n) from one pool with Gram matrix (P, P)."""
    block = max(1, BLOCK // rows.shape[1] ** 2)
    parts = [
        directions(gram[r[:, :, None], r[:, None, :]], s, c, estimator)
        for r, s, c in zip(rows.split(block), sides.split(block), counts.split(block), strict=True)
    ]
    return Directions(torch.cat([p.weights for p in parts]), torch.cat([p.fits for p in parts]))


def _balanced(sides: Tensor, counts: Tensor) -> Tensor:
    """The share (B, n) of each row in the loss: half to each side, none to the held out."""
    positive, negative = counts & (sides > 0), counts & (sides < 0)
    shares = [side / side.sum(1, keepdim=True).clamp(min=1) for side in (positive, negative)]
    return (sum(shares, torch.zeros_like(sides)) / 2).to(sides)


def _between(gram: Tensor, weights: Tensor, share: Tensor) -> Tensor:
    """Fits (B, n) with the threshold half way between the means of the two sides."""
    along = _times(gram, weights)
    return along - (share * along).sum(1, keepdim=True)


def _least_squares(gram: Tensor, wanted: Tensor, share: Tensor, strength: Tensor) -> Directions:
    """Minimises sum share (v.x + b - wanted)^2 + strength |v|^2, b unpenalised, in the dual."""
    total = share.sum(1, keepdim=True)
    mean = share / total
    across = _times(gram, mean)
    middle = (mean * across).sum(1)[:, None, None]
    centred = gram - across[:, :, None] - across[:, None, :] + middle
    root = share.sqrt()
    matrix = root[:, :, None] * centred * root[:, None, :]
    matrix.diagonal(dim1=1, dim2=2).add_(strength[:, None])
    level = (mean * wanted).sum(1, keepdim=True)
    # Positive definite: the ridge is on its diagonal.
    factor = torch.linalg.cholesky(matrix)
    solved = torch.cholesky_solve((root * (wanted - level)).unsqueeze(2), factor)
    dual = root * solved.squeeze(2)
    weights = dual - mean * dual.sum(1, keepdim=True)
    return Directions(weights, _times(centred, dual) + level)


def _logistic(gram: Tensor, sides: Tensor, share: Tensor) -> Directions:
    """Newton's method: each step is a least-squares fit with its own shares and wanted values."""
    strength = PENALTY * _variance(gram, share)
    found = Directions(torch.zeros_like(share), torch.zeros_like(share))
    for _ in range(NEWTON_STEPS):
        before = found.fits
        chance = torch.sigmoid(found.fits)
        slope = (chance * (1 - chance)).clamp(min=FLATTEST)
        wanted = found.fits + ((sides > 0).to(chance) - chance) / slope
        found = _least_squares(gram, wanted, share * slope, strength)
        if float((found.fits - before).abs().max()) < CONVERGED:
            break
    return found


def _variance(gram: Tensor, share: Tensor) -> Tensor:
    """Total variance (B,) of the rows that count; a tiny one where all are equal."""
    size = (share * gram.diagonal(dim1=1, dim2=2)).sum(1)
    variance = size - (share * _times(gram, share)).sum(1)
    return variance.clamp(min=1e-12 * size.clamp(min=1e-12))


def _times(matrix: Tensor, vector: Tensor) -> Tensor:
    return torch.bmm(matrix, vector.unsqueeze(2)).squeeze(2)


__all__ = ["Directions", "Estimator", "directions", "in_blocks"]
