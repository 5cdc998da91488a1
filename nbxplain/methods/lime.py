"""LIME: a linear model that agrees with f near the input, fitted to random coalitions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from nbxplain.methods.base import Group, Partial, Question, parameter, relative
from nbxplain.methods.coalitions import Coalition, Draws, Game, Regional
from nbxplain.methods.regression import Fit, Floats, Moments, Samples, lasso, ridge

BLOCK = 1024
"""Coalitions that the fit holds at once."""

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
                last, fitted = self._partial(game, coalition, scores[:, :known]), known
            yield Partial(last.values, done, total, last.error, evidence=last.evidence)

    def _partial(self, game: Game, coalition: Coalition, scores: Tensor) -> Partial:
        """The fits to the scores (N, k) of the first coalitions."""
        fits = [
            self._fit(partial(self._samples, game, coalition, row, players), players)
            for row, players in zip(scores.cpu(), game.counts.tolist(), strict=True)
        ]
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

    def _samples(
        self, game: Game, coalition: Coalition, scores: Tensor, players: int
    ) -> Iterator[tuple[Floats, Floats, Floats]]:
        """The coalitions of a row's scores (k,), drawn again; how near they are; the scores.

        Coalitions and scores are counted from those of the whole input: equal scores then give
        exact zeros, and nothing cancels where it outweighs all others.
        """
        for block, part in enumerate(scores.split(BLOCK)):
            first = block * BLOCK
            number = torch.arange(first, first + len(part), device=game.x.device)
            z = coalition(number, number)[:, :players].double().cpu().numpy()
            near = np.exp(-((1 - np.sqrt(z.mean(1))) ** 2) / (2 * self.width**2))
            yield z - 1, near, (part.double() - scores[0].double()).numpy()

    def _fit(self, samples: Samples, players: int) -> Fit:
        """The weighted regression of scores on coalitions."""
        moments = Moments.of(samples)
        if not moments.variance:
            return Fit(np.zeros(players), np.zeros(players), 1.0)
        gram, moment = moments.gram, moments.moment
        if self.regression == "lasso":
            strength = self.penalty * float(np.abs(moment).max())
            return moments.fit(samples, lasso(gram, moment, strength, self.seed))
        # A player that is there half of the time has variance 1/4.
        strength = self.penalty / 4
        return moments.fit(samples, ridge(gram, moment, strength), strength)


def _padded(values: Floats, game: Game) -> Tensor:
    result = game.x.new_zeros(game.players)
    result[: len(values)] = torch.from_numpy(values).to(result)
    return result


__all__ = ["LIME"]
