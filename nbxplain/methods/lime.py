"""LIME: a linear model that agrees with f near the input, fitted to random coalitions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nbxplain.core.preserve import random_states
from nbxplain.methods.base import Group, Partial, Question, parameter, relative
from nbxplain.methods.coalitions import Draws, Game, Regional

Floats = NDArray[np.float64]

GROWTH = 1.05
"""The fit is renewed when there are so many times the samples of the last one."""


class LIME(Regional):
    """The weight of each region in a linear fit to scores with random halves of the regions.

    Coalitions count by exp(-d^2 / (2 width^2)), where d is the cosine distance to the whole
    input; the first one is the whole input. How well the fit describes the model there is part of
    the result. Ribeiro, Singh, Guestrin 2016. For tables the players are the features, present or
    at the baseline.
    """

    name: ClassVar[str] = "lime"
    label: ClassVar[str] = "LIME"
    group: ClassVar[Group] = "perturbation"
    cost: ClassVar[int] = 3
    resumable: ClassVar[bool] = True

    samples: int = parameter(1000, "Random coalitions.", ge=2, le=65536, draft=64, log=True)
    width: float = parameter(0.25, "Width of the kernel: small looks closer.", ge=0.02, le=10)
    regression: Literal["ridge", "lasso"] = parameter(
        "ridge", "Penalty on the weights: ridge shrinks all of them, lasso leaves few."
    )
    penalty: float = parameter(
        0.01,
        "Its strength. Ridge: about the share by which weights shrink. Lasso: a share of the "
        "penalty at which nothing is left.",
        ge=1e-6,
        le=1,
        log=True,
    )
    seed: int = parameter(0, "Seed of the coalitions.", ge=0, le=9999)

    def run(self, question: Question) -> Iterator[Partial]:
        """Yields the fit so far after each chunk, with its standard error and its R2."""
        game = self.game(question)
        draws = Draws(game.players, self.seed, game.x.device)
        rows, done, total = len(game.x), 0, self.samples * len(game.x)
        scores = game.x.new_zeros(rows, self.samples)
        fitted, last = 0, Partial(game.paint(game.x.new_zeros(rows, game.players)), 0, total)

        def coalition(row: Tensor, number: Tensor) -> Tensor:
            return (draws.take(number) < 0.5) | (number == 0).unsqueeze(1)

        for part in game.values(total, coalition):
            scores[part.row, part.number] = part.scores
            done += len(part.scores)
            known = done // rows
            if known > GROWTH * fitted or done == total:
                numbers = torch.arange(known, device=game.x.device)
                design = coalition(numbers, numbers)
                last, fitted = self._partial(game, design, scores[:, :known]), known
            yield Partial(last.values, done, total, last.error, evidence=last.evidence)

    def _partial(self, game: Game, design: Tensor, scores: Tensor) -> Partial:
        """The fits to the first scores (N, k) of the coalitions (k, P)."""
        z, y = design.double().cpu().numpy(), scores.double().cpu().numpy()
        fits = [self._fit(z[:, :n], row) for n, row in zip(game.counts.tolist(), y, strict=True)]
        values, errors = (
            torch.stack([_padded(part, game) for part in parts])
            for parts in ([fit.weights for fit in fits], [fit.errors for fit in fits])
        )
        evidence = {"local_fit": game.x.new_tensor([fit.agreement for fit in fits])}
        if not bool(errors.isfinite().all()):
            return Partial(game.paint(values), 0, 1, evidence=evidence)
        sizes = values.norm(dim=1).clamp(min=1e-30)
        evidence["standard_error"] = errors.norm(dim=1) / sizes
        return Partial(game.paint(values), 0, 1, relative(errors, values), evidence=evidence)

    def _fit(self, z: Floats, scores: Floats) -> _Fit:
        """The weighted regression of scores (k,) on coalitions (k, P)."""
        near = np.exp(-((1 - np.sqrt(z.mean(1))) ** 2) / (2 * self.width**2))
        share = near / near.sum()
        # Scores are counted from f(x): equal scores then give exact zeros.
        y = scores - scores[0]
        centred, target = z - share @ z, y - share @ y
        strength = self._strength(centred, target, share)
        if not strength:
            return _Fit(np.zeros(z.shape[1]), np.zeros(z.shape[1]), 1.0)
        # scikit-learn takes a second to import, only this needs it, and its import draws numbers.
        with random_states(self.seed):
            from sklearn.linear_model import Lasso, Ridge

        regression = Ridge if self.regression == "ridge" else Lasso
        model = regression(alpha=strength, fit_intercept=False)
        model.fit(centred, target, sample_weight=share)
        residual = target - centred @ model.coef_
        agreement = 1 - (share @ residual**2) / (share @ target**2)
        ridge = strength if self.regression == "ridge" else 0.0
        return _Fit(model.coef_, _errors(centred, share, residual, ridge), float(agreement))

    def _strength(self, z: Floats, y: Floats, share: Floats) -> float:
        """The penalty in the units of the regression; 0 when there is nothing to fit."""
        if not y.any():
            return 0.0
        if self.regression == "ridge":
            # A player that is there half of the time has variance 1/4.
            return self.penalty / 4
        return float(self.penalty * np.abs(z.T @ (share * y)).max())


@dataclass
class _Fit:
    """Weights and standard errors (P,) of the players; `agreement` is the weighted R2."""

    weights: Floats
    errors: Floats
    agreement: float


def _errors(z: Floats, share: Floats, residual: Floats, ridge: float) -> Floats:
    """Standard errors that hold for unequal variances (White 1980); NaN for too few samples."""
    samples, players = z.shape
    free = samples - players - 1
    if free < 1:
        return np.full(players, np.nan)
    bread = (z.T * share) @ z + (ridge + 1e-9) * np.eye(players)
    scaled = z * (share * residual)[:, None]
    half = np.linalg.solve(bread, scaled.T)
    errors: Floats = np.sqrt((half**2).sum(1) * samples / free)
    return errors


def _padded(values: Floats, game: Game) -> Tensor:
    result = game.x.new_zeros(game.players)
    result[: len(values)] = torch.from_numpy(values).to(result)
    return result


__all__ = ["LIME"]
