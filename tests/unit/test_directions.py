"""Directions from Gram matrices equal those from the features themselves."""

from __future__ import annotations

import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from torch import Tensor

from nbxplain.concepts.directions import PENALTY, Directions, Estimator, directions, in_blocks
from nbxplain.concepts.sets import folds

ESTIMATORS: list[Estimator] = ["mean", "ridge", "logistic", "pattern"]
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS)


def clouds(seed: int, rows: int = 24, features: int = 5) -> tuple[Tensor, Tensor]:
    """Two overlapping clouds of unequal size, and their sides."""
    generator = torch.Generator().manual_seed(seed)
    sides = torch.ones(rows, dtype=torch.float64)
    sides[: rows // 3] = -1
    x = torch.randn(rows, features, generator=generator, dtype=torch.float64)
    x[:, 0] += 0.8 * sides
    return x, sides


def solved(x: Tensor, sides: Tensor, estimator: Estimator) -> tuple[Tensor, Directions]:
    everyone = torch.ones_like(sides, dtype=torch.bool)
    found = directions((x @ x.T)[None], sides[None], everyone[None], estimator)
    return found.weights[0] @ x, found


def shares(sides: Tensor) -> Tensor:
    positive, negative = (sides > 0).to(sides), (sides < 0).to(sides)
    return 0.5 * positive / positive.sum() + 0.5 * negative / negative.sum()


def strength(x: Tensor, sides: Tensor) -> float:
    share = shares(sides)
    centred = x - share @ x
    return PENALTY * float(share @ (centred**2).sum(1))


def test_mean_is_the_difference_of_the_means() -> None:
    x, sides = clouds(0)
    direction, _ = solved(x, sides, "mean")
    torch.testing.assert_close(direction, x[sides > 0].mean(0) - x[sides < 0].mean(0))


def test_ridge_is_that_of_scikit_learn() -> None:
    x, sides = clouds(1)
    direction, found = solved(x, sides, "ridge")
    peer = Ridge(alpha=strength(x, sides))
    peer.fit(x.numpy(), sides.numpy(), sample_weight=shares(sides).numpy())
    torch.testing.assert_close(direction, torch.from_numpy(peer.coef_))
    torch.testing.assert_close(found.fits[0], torch.from_numpy(peer.predict(x.numpy())))


def test_logistic_is_that_of_scikit_learn() -> None:
    x, sides = clouds(2)
    direction, found = solved(x, sides, "logistic")
    peer = LogisticRegression(C=1 / strength(x, sides), tol=1e-12, max_iter=10_000)
    peer.fit(x.numpy(), (sides > 0).numpy(), sample_weight=shares(sides).numpy())
    torch.testing.assert_close(direction, torch.from_numpy(peer.coef_[0]), atol=1e-5, rtol=1e-4)
    fits = torch.from_numpy(peer.decision_function(x.numpy()))
    torch.testing.assert_close(found.fits[0], fits, atol=1e-5, rtol=1e-4)


def test_pattern_is_the_covariance_with_what_the_filter_says() -> None:
    x, sides = clouds(3)
    direction, _ = solved(x, sides, "pattern")
    _, ridge = solved(x, sides, "ridge")
    share, said = shares(sides), ridge.fits[0]
    expected = (share * (said - share @ said)) @ x
    torch.testing.assert_close(direction, expected)


def test_pattern_does_not_follow_a_distractor() -> None:
    """Haufe's example: a channel that holds only noise shared with the signal's channel."""
    generator = torch.Generator().manual_seed(0)
    sides = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(500)
    noise = torch.randn(1000, generator=generator, dtype=torch.float64)
    x = torch.stack([sides + noise, noise], 1)
    filter, _ = solved(x, sides, "ridge")
    pattern, _ = solved(x, sides, "pattern")
    assert float(filter[1] / filter[0]) < -0.9
    assert abs(float(pattern[1] / pattern[0])) < 0.15


@every_estimator
def test_separable_clouds_give_the_separating_direction(estimator: Estimator) -> None:
    generator = torch.Generator().manual_seed(4)
    sides = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(20)
    x = 0.1 * torch.randn(40, 6, generator=generator, dtype=torch.float64)
    x[:, 2] += 3 * sides
    direction, found = solved(x, sides, estimator)
    assert float(direction[2] / direction.norm()) > 0.99
    assert bool((found.fits[0] * sides > 0).all())


@every_estimator
def test_a_batch_equals_one_by_one(estimator: Estimator) -> None:
    x, _ = clouds(5, rows=40)
    generator = torch.Generator().manual_seed(0)
    rows = torch.stack([torch.randperm(40, generator=generator)[:12] for _ in range(300)])
    sides = torch.ones(12, dtype=torch.float64)
    sides[6:] = -1
    gram = x @ x.T
    everyone = torch.ones(300, 12, dtype=torch.bool)
    batch = in_blocks(gram, rows, sides.expand(300, -1), everyone, estimator)
    for number in (0, 7, 299):
        _, alone = solved(x[rows[number]], sides, estimator)
        torch.testing.assert_close(batch.weights[number], alone.weights[0])
        torch.testing.assert_close(batch.fits[number], alone.fits[0])


@every_estimator
def test_held_out_rows_have_no_say(estimator: Estimator) -> None:
    x, sides = clouds(6)
    counts = ~folds(sides, 4)[1]
    found = directions((x @ x.T)[None], sides[None], counts[None], estimator)
    alone, kept = solved(x[counts], sides[counts], estimator)
    torch.testing.assert_close(found.weights[0] @ x, alone)
    torch.testing.assert_close(found.fits[0][counts], kept.fits[0])
    assert not bool(found.weights[0][~counts].any())


def test_folds_share_out_both_sides() -> None:
    _, sides = clouds(7)
    held = folds(sides, 4)
    assert torch.equal(sum(h.int() for h in held), torch.ones(24, dtype=torch.int32))
    assert all(int((h & (sides < 0)).sum()) == 2 for h in held)
