"""A weighted linear regression on samples that come block by block: no more than one is held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nbxplain.core.preserve import random_states

Floats = NDArray[np.float64]

Samples = Callable[[], Iterator[tuple[Floats, Floats, Floats]]]
"""Goes through the samples: predictors (b, P), weights (b,) and responses (b,) of each block."""

ROUNDING = 1e-12
"""The share of the largest eigenvalue up to which others are zero."""


@dataclass
class Fit:
    """Coefficients (P,) and their standard errors (P,), NaN for too few samples; `agreement` is
    the weighted R2."""

    weights: Floats
    errors: Floats
    agreement: float


@dataclass
class Moments:
    """Means over `count` samples of the predictors and, last, the response (P + 1,), and their
    covariances (P + 1, P + 1); `weight` is the sum of the weights."""

    count: int
    weight: float
    mean: Floats
    covariance: Floats

    @classmethod
    def of(cls, samples: Samples) -> Moments:
        """One walk through the samples."""
        count, sums = 0, np.zeros(())
        for x, near, y in samples():
            rows = np.column_stack([np.ones(len(x)), x, y])
            count, sums = count + len(x), sums + (rows.T * near) @ rows
        weight, mean = float(sums[0, 0]), sums[0, 1:] / sums[0, 0]
        return cls(count, weight, mean, sums[1:, 1:] / weight - np.outer(mean, mean))

    @property
    def gram(self) -> Floats:
        """(P, P) of the centred predictors."""
        return self.covariance[:-1, :-1]

    @property
    def moment(self) -> Floats:
        """(P,) of the centred predictors with the response."""
        return self.covariance[:-1, -1]

    @property
    def variance(self) -> float:
        """Of the response."""
        return float(self.covariance[-1, -1])

    def fit(self, samples: Samples, weights: Floats, ridge: float = 0.0) -> Fit:
        """How well these coefficients describe the samples: a second walk through them.

        The standard errors hold for unequal variances (White 1980).
        """
        players, rest = len(weights), 0.0
        squares, eye = np.zeros(players), np.eye(players)
        inverse = np.linalg.inv(self.gram + (ridge + 1e-9) * eye)
        for x, near, y in samples():
            centred = x - self.mean[:-1]
            residual = y - self.mean[-1] - centred @ weights
            share = near / self.weight
            rest += float(share @ residual**2)
            squares += (((centred * (share * residual)[:, None]) @ inverse) ** 2).sum(0)
        free = self.count - players - 1
        spread = squares * self.count / free if free > 0 else np.full(players, np.nan)
        return Fit(weights, np.sqrt(spread), 1 - rest / self.variance)


def ridge(gram: Floats, moment: Floats, strength: float) -> Floats:
    """The coefficients w (P,) of least w G w / 2 - w m + strength w w / 2."""
    return np.linalg.solve(gram + strength * np.eye(len(gram)), moment).astype(np.float64)


def lasso(gram: Floats, moment: Floats, strength: float, seed: int = 0) -> Floats:
    """The coefficients w (P,) of least w G w / 2 - w m + strength |w|.

    They are those of any samples with the same moments: here of P, the root of the matrix G.
    """
    if not strength:
        return np.zeros(len(moment))
    # scikit-learn takes a second to import, only this needs it, and its import draws numbers.
    with random_states(seed):
        from sklearn.linear_model import Lasso

    sizes, axes = np.linalg.eigh(gram)
    kept = sizes > ROUNDING * sizes[-1]
    # Its loss is a mean over the samples, not a sum.
    scale = np.sqrt(sizes[kept] * kept.sum())[:, None]
    x, y = axes[:, kept].T * scale, axes[:, kept].T @ moment * kept.sum() / scale[:, 0]
    weights: Floats = Lasso(alpha=strength, fit_intercept=False).fit(x, y).coef_
    return weights


__all__ = ["Fit", "Floats", "Moments", "Samples", "lasso", "ridge"]
