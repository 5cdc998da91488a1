"""ACE: superpixels of a class's pictures, clustered by what a layer makes of them.

Each cluster is a concept and is tested by TCAV: does more of it move the class? Ghorbani et al.
2019. The clusters stand against random pictures, or, without any, against the superpixels outside
of them. They are told apart by construction, so the held-out accuracy of the test says little here;
the q value of the magnitude is what counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from sklearn.cluster import KMeans
from torch import Tensor

from nbxplain.concepts.concept import Concept
from nbxplain.concepts.crops import superpixels
from nbxplain.concepts.found import Discovered, Discovery, pictures_of
from nbxplain.concepts.looking import Look, mean_and_error
from nbxplain.concepts.result import ConceptScore
from nbxplain.concepts.scoring import Geometry, corrected, scored
from nbxplain.concepts.sets import FEWEST, draw
from nbxplain.core.errors import InputError

RUNS = 5
"""Draws of what a cluster stands against."""


@dataclass(frozen=True)
class Ace:
    """How many clusters, about how many superpixels a picture (at several resolutions), how many
    of them show a cluster, and how it is tested: against random pictures `pool`, which may be
    empty, with so many permutations, at a level of significance."""

    count: int
    segments: tuple[int, ...]
    examples: int
    pool: Any
    permutations: int
    alpha: float
    seed: int

    def steps(self, state: Discovery, look: Look) -> Iterator[Discovery]:
        """Yields after every chunk of superpixels, and with concepts after every cluster."""
        if 0 < len(self.pool) < 2 * FEWEST:
            raise InputError(
                f"There are {len(self.pool)} random pictures.",
                f"Give at least {2 * FEWEST}, or none: then the other superpixels do.",
            )
        crops = superpixels(state.inputs, self.segments)
        state.total = len(crops) + len(self.pool) + self.count
        found: list[Tensor] = []
        for source in (crops, self.pool):
            for cells in look.cells(source):
                found.append(cells.mean(1))
                state.done += len(cells)
                yield state
        features = look.check(torch.cat(found).double())
        weights = str(look.adapter.weight_hash)
        slopes = look.gradients.sum((2, 3)).double()
        geometry = Geometry.of(look.layer.name, "channels", weights, features, slopes)
        clusters = self._clusters(features[: len(crops)])
        if len(clusters) < self.count:
            gone = self.count - len(clusters)
            state.notices.append(
                f"{gone} clusters were left out: too few superpixels, or too few outside of them."
            )
        state.total = state.done + len(clusters)
        every = torch.arange(len(features))
        for number, rows in enumerate(clusters):
            others = every[len(crops) :] if len(self.pool) else every[~torch.isin(every, rows)]
            shown = rows[: min(self.examples, len(others) - FEWEST)]
            sets = draw(shown, others, self.permutations, RUNS, self.seed)
            score = scored(f"concept {number + 1}", sets, geometry, "mean", self.alpha)
            tensor = crops[shown]
            mean, error = mean_and_error(score.derivatives[:, None])
            one = Discovered(
                Concept(score.concept, tensor).knowing([score.cav]),
                pictures_of(tensor, state.inputs),
                float(mean),
                float(error),
                _presence(look.activations, score),
                score,
            )
            state.concepts = ranked([*state.concepts, one])
            state.done += 1
            yield state

    def _clusters(self, features: Tensor) -> list[Tensor]:
        """Rows of each cluster, those nearest to its centre first; the largest cluster first."""
        fitted = KMeans(min(self.count, len(features)), n_init=10, random_state=self.seed)
        distance = torch.from_numpy(fitted.fit_transform(features.numpy()))
        own = distance.argmin(1)
        clusters = []
        for number in own.bincount().argsort(descending=True, stable=True).tolist():
            rows = (own == number).nonzero().flatten()
            clusters.append(rows[distance[rows, number].argsort(stable=True)])
        # What a cluster stands against must be drawn from the others, or from the pool.
        room = len(features) - (0 if len(self.pool) else 2 * FEWEST)
        return [rows for rows in clusters if FEWEST <= len(rows) <= room]


def _presence(activations: Tensor, score: ConceptScore) -> Tensor:
    """How much of the concept each cell (N, rows, columns) has: 0 as the others, 1 as its crops."""
    along = torch.einsum("nchw,c->nhw", activations.float(), score.direction)
    return (along - score.origin) / score.distance


def ranked(found: list[Discovered]) -> list[Discovered]:
    """The concepts with q values for their number: the significant ones and the strongest first."""
    scores = corrected([one.score for one in found if one.score is not None])
    known = [replace(one, score=score) for one, score in zip(found, scores, strict=True)]
    return sorted(known, key=lambda one: (not _holds(one.score), -abs(one.importance)))


def _holds(score: ConceptScore | None) -> bool:
    return score is not None and score.significant


__all__ = ["Ace"]
