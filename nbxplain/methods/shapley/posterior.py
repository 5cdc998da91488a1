"""Regression on the odd part of the game, which is all that Shapley values depend on.

The odd part g(S) = (v(S) - v(complement of S)) / 2 is a sum over the sets T of an odd number of
players of c_T times the Walsh character, the product over T of +1 (there) or -1 (absent); then
phi_i is the sum over the T that contain i of 2 c_T / |T|. Each c_T has the prior variance
prod_{j in T} rho_j, large for few and for important players, which sums up over all odd T to the
kernel sinh(sum_j artanh(rho_j) x_j y_j) times a constant. The posterior mean is the ridge
regression on all odd characters at once, at the price of one on pairs; its variance says how far
off the values are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from nbxplain.methods.shapley.additive import additive
from nbxplain.methods.shapley.base import Design, Estimate, Floats
from nbxplain.methods.shapley.pairs import leverage, odd_part, pairs

TOTALS = 6 * 0.5 ** np.arange(6)
"""Values of the sum of rho among which the likelihood chooses: how much players act together."""
FLOOR = 0.1
"""The least rho of a player as a share: a player of value zero can still matter to others."""
JITTER = 1e-6
"""Added to the kernel's diagonal, as a share, for the Cholesky factor's sake: v has no noise."""
SEARCHED = 256
"""Pairs whose likelihood is asked for."""
MOST = 1024
"""Pairs in one regression, whose time grows with their cube; the others correct its residuals."""
MARGIN = 1.25
"""Widens the errors: games with steps, like votes, are rougher than the prior takes them to be."""
NODES, SHARES = np.polynomial.legendre.leggauss(12)
NODES, SHARES = (NODES + 1) / 2, SHARES / 2


class Odd(Design):
    """Pairs of every size as often, and the regression on their odd part."""

    growth: ClassVar[float] = 1.5

    def __init__(self, players: int, size: int, seed: int) -> None:
        self.coalitions = pairs(players, (size - 2) // 2, leverage, seed)

    def estimate(self, values: Floats) -> Estimate:
        odd, change = odd_part(values), float(values[1])
        signs = np.where(self.coalitions[2 : 2 + 2 * len(odd) : 2], 1.0, -1.0)
        players = signs.shape[1]
        even = change / players
        if not len(odd):
            return Estimate(np.full(players, even))
        # What is left when each player gets the same is zero at the full coalition.
        target = odd - even / 2 * signs.sum(1)
        first, rest = slice(0, MOST), slice(MOST, None)
        equal = _chosen(signs[first], target[first], np.ones(players))
        size = np.sqrt(np.abs(equal.mean() + even))
        shape = FLOOR + (1 - FLOOR) * size / size.mean() if size.any() else np.ones(players)
        fit = _chosen(signs[first], target[first], shape)
        share, errors = fit.mean(), fit.errors()
        if len(odd) - MOST > 2 * players:
            residual = target[rest] - fit.predict(signs[rest])
            after = additive(signs[rest] > 0, residual, 0.0)
            assert after.errors is not None
            trust = errors**2 / (errors**2 + after.errors**2).clip(min=1e-300)
            share, errors = share + trust * after.values, errors * np.sqrt(1 - trust)
        return Estimate(share - share.mean() + even, errors if len(odd) >= players else None)


def _chosen(signs: Floats, target: Floats, shape: Floats) -> Posterior:
    """The posterior under the sum of rho that makes the first pairs likeliest."""
    few = slice(0, SEARCHED)
    rhos = [np.minimum(total * shape / shape.sum(), 0.95) for total in TOTALS]
    fits = [Posterior.of(signs[few], target[few], rho) for rho in rhos]
    best = max(fits, key=lambda fit: fit.likelihood)
    return best if len(target) <= SEARCHED else Posterior.of(signs, target, best.rho)


@dataclass
class Posterior:
    """What pairs `signs` (k, n) with odd parts (k,) tell of a game whose full coalition is zero.

    `rho` (n,) is the prior. `factor` and `weights` are the Cholesky factor (k, k) of the kernel
    given the full coalition, and the target divided by the kernel.
    """

    signs: Floats
    rho: Floats
    factor: Floats
    weights: Floats
    scale: float
    likelihood: float

    @classmethod
    def of(cls, signs: Floats, target: Floats, rho: Floats) -> Posterior:
        matrix = _kernel_given_full(signs, signs, rho)
        matrix[np.diag_indices(len(matrix))] += JITTER * np.trace(matrix) / len(matrix) + 1e-300
        factor = cho_factor(matrix, lower=True, overwrite_a=True)[0]
        weights = cho_solve((factor, True), target)
        scale = float(target @ weights) / len(target)
        spread = 2 * np.log(np.diag(factor)).mean()
        likelihood = -np.log(max(scale, 1e-300)) - spread
        return cls(signs, rho, factor, weights, scale, float(likelihood))

    def predict(self, signs: Floats) -> Floats:
        """The odd part (m,) of other coalitions (m, n)."""
        predicted: Floats = _kernel_given_full(signs, self.signs, self.rho) @ self.weights
        return predicted

    def mean(self) -> Floats:
        """The Shapley values (n,)."""
        values: Floats = self.weights @ _values_given_full(self.signs, self.rho)
        return values

    def errors(self) -> Floats:
        """Their standard deviations (n,)."""
        known = solve_triangular(self.factor, _values_given_full(self.signs, self.rho), lower=True)
        full = np.ones((1, len(self.rho)))
        prior = _variances(self.rho) - _values(full, self.rho)[0] ** 2 / _kernel(
            full, full, self.rho
        )
        left = (prior[0] - (known**2).sum(0)).clip(min=0)
        # By what each pair is missed when the others predict it, too: a kernel that does not suit
        # the game shows there.
        inverse = solve_triangular(self.factor, np.eye(len(self.weights)), lower=True)
        missed = float((self.weights**2 / (inverse**2).sum(0)).mean())
        errors: Floats = MARGIN * np.sqrt(left * max(self.scale, missed))
        return errors


def _kernel(a: Floats, b: Floats, rho: Floats) -> Floats:
    """The prior covariance (k, m) of the odd part at signs (k, n) and (m, n)."""
    constant = np.exp(0.5 * np.log1p(-(rho**2)).sum())
    result: Floats = constant * np.sinh((a * np.arctanh(rho)) @ b.T)
    return result


def _kernel_given_full(a: Floats, b: Floats, rho: Floats) -> Floats:
    full = np.ones((1, len(rho)))
    at_full = _kernel(full, full, rho)[0, 0]
    seen = _kernel(a, full, rho) @ _kernel(full, b, rho) / at_full
    result: Floats = _kernel(a, b, rho) - seen
    return result


def _values(signs: Floats, rho: Floats) -> Floats:
    """The prior covariance (k, n) of the odd part at signs (k, n) and the Shapley values.

    2 / |T| is twice the integral of t^(|T| - 1) over [0, 1], under which the sum over T is a
    product over players.
    """
    total = np.zeros_like(signs)
    for node, share in zip(NODES, SHARES, strict=True):
        total += share * _even_without(node * rho * signs)
    return 2 * rho * signs * total


def _values_given_full(signs: Floats, rho: Floats) -> Floats:
    full = np.ones((1, len(rho)))
    at_full = _kernel(full, full, rho)[0, 0]
    seen = _kernel(signs, full, rho) @ _values(full, rho) / at_full
    result: Floats = _values(signs, rho) - seen
    return result


def _variances(rho: Floats) -> Floats:
    """The prior variances (n,) of the Shapley values, 4 / |T|^2 being two such integrals."""
    total = np.zeros_like(rho)
    for node, share in zip(NODES, SHARES, strict=True):
        steps = np.outer(NODES * node, rho)
        total += share * (SHARES @ _even_without(steps))
    return 4 * rho * total


def _even_without(steps: Floats) -> Floats:
    """The sum over even sets without player i of the products of `steps` (k, n): (k, n)."""
    more, less = 1 + steps, 1 - steps
    found: Floats = (more.prod(1, keepdims=True) / more + less.prod(1, keepdims=True) / less) / 2
    return found


__all__ = ["Odd"]
