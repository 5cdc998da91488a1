"""The score of one concept, from the features at a layer and the class's derivatives there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nbxplain.concepts.directions import Estimator, in_blocks
from nbxplain.concepts.result import ConceptScore
from nbxplain.concepts.sets import Sets, folds
from nbxplain.concepts.significance import above_p, false_discovery, permutation_p, t_test_p
from nbxplain.core.cav import Space
from nbxplain.core.errors import LayerError

FOLDS = 5


@dataclass
class Geometry:
    """All that the tests need of a layer: features (P, d) about their centre (d,), their Gram
    matrix and their inner products with the class's derivatives (P, J)."""

    layer: str
    space: Space
    weights: str
    features: Tensor
    centre: Tensor
    gram: Tensor
    towards: Tensor

    @classmethod
    def of(
        cls, layer: str, space: Space, weights: str, features: Tensor, slopes: Tensor
    ) -> Geometry:
        """Of features (P, d) and derivatives (J, d) at a layer of the model whose weights have
        that hash. Raises LayerError."""
        if not bool(features.isfinite().all()):
            raise LayerError("The activations are NaN or infinite.", "Check the weights.")
        centre = features.mean(0)
        centred = features - centre
        return cls(layer, space, weights, centred, centre, centred @ centred.T, centred @ slopes.T)

    def changes(self, weights: Tensor, rows: Tensor, sides: Tensor) -> Tensor:
        """Changes (B, J) of the class's scores along the directions, over as far as the two sides
        lie apart there."""
        spread = self._spread(weights, rows)
        along = spread @ self.gram
        length = (along * spread).sum(1).clamp(min=1e-24)
        shown = along.gather(1, rows)
        means = [
            (shown * side).sum(1) / side.sum(1)
            for side in ((sides > 0).double(), (sides < 0).double())
        ]
        apart: Tensor = (means[0] - means[1]) / length
        return (spread @ self.towards) * apart[:, None]

    def along(self, weights: Tensor, sets: Sets) -> tuple[Tensor, float, float]:
        """The mean (d,) of the directions at unit length, how far the sides lie apart on it, and
        where the negative one lies."""
        mean = self._spread(weights, sets.rows).mean(0)
        direction = torch.nn.functional.normalize(mean @ self.features, dim=0)
        shown = (self.features @ direction)[sets.rows]
        ahead, behind = (float(shown[side].mean()) for side in (sets.sides > 0, sets.sides < 0))
        return direction, ahead - behind, behind + float(self.centre @ direction)

    def _spread(self, weights: Tensor, rows: Tensor) -> Tensor:
        """Weights (B, n) of rows (B, n) as weights of the whole pool (B, P)."""
        return weights.new_zeros(len(rows), len(self.gram)).scatter_add_(1, rows, weights)


def scored(
    name: str, sets: Sets, geometry: Geometry, estimator: Estimator, alpha: float
) -> ConceptScore:
    """The score of a concept whose sets are rows of the geometry's features."""
    everyone = torch.ones_like(sets.sides, dtype=torch.bool)
    found = in_blocks(geometry.gram, sets.rows, sets.sides, everyone, estimator)
    along = geometry.changes(found.weights, sets.rows, sets.sides)
    shares, sizes = (along > 0).double().mean(1), along.mean(1)
    magnitude = _by_problem(sizes, sets.problem)
    concept = sets.problem == 0
    accuracy = _by_problem(_held_out(sets, geometry, estimator), sets.where(sets.run == 0).problem)
    own = sets.of_concept()
    direction, distance, origin = geometry.along(found.weights[concept], own)
    scores = shares[concept]
    random_scores = shares[(sets.run == 0) & ~concept]
    return ConceptScore(
        name, geometry.layer, estimator,
        score=float(scores.mean()),
        runs=scores,
        random_scores=random_scores,
        magnitude=float(magnitude[0]),
        null=magnitude[1:],
        p=permutation_p(float(magnitude[0]), magnitude[1:]),
        q=1.0,
        accuracy=float(accuracy[0]),
        accuracy_p=above_p(float(accuracy[0]), accuracy[1:]),
        literature_p=t_test_p(scores, random_scores),
        derivatives=along[concept].mean(0),
        direction=direction.float(),
        distance=distance,
        origin=origin,
        space=geometry.space,
        weights=geometry.weights,
        alpha=alpha,
    )  # fmt: skip


def _held_out(sets: Sets, geometry: Geometry, estimator: Estimator) -> Tensor:
    """Accuracy on held-out pictures of the first run of each problem, both sides alike."""
    first = sets.where(sets.run == 0)
    right = torch.zeros_like(first.sides)
    for held in folds(first.sides[0], min(FOLDS, int((first.sides[0] > 0).sum()))):
        counts = (~held).expand_as(first.sides)
        fits = in_blocks(geometry.gram, first.rows, first.sides, counts, estimator).fits
        right[:, held] = ((fits * first.sides) > 0).double()[:, held]
    positive = first.sides[0] > 0
    return (right[:, positive].mean(1) + right[:, ~positive].mean(1)) / 2


def corrected(scores: Sequence[ConceptScore]) -> list[ConceptScore]:
    """The same scores with q values for their number."""
    found = false_discovery([score.p for score in scores])
    return [replace(score, q=q) for score, q in zip(scores, found, strict=True)]


def _by_problem(values: Tensor, problem: Tensor) -> Tensor:
    """The mean of the values (B,) over the runs of each problem."""
    count = torch.bincount(problem).to(values)
    sums: Tensor = torch.zeros_like(count).index_add_(0, problem, values)
    return sums / count


__all__ = ["Geometry", "corrected", "scored"]
