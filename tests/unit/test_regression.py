"""The weighted regression in blocks, against scikit-learn and formulas on the whole matrix."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from sklearn.linear_model import Lasso, Ridge
from torch import Tensor, nn

from nbxplain import explain
from nbxplain.methods.coalitions import Draws
from nbxplain.methods.lime import BLOCK
from nbxplain.methods.regression import Floats, Moments, Samples, lasso, ridge

COUNTS = (300, 8)
"""More samples than players, and fewer."""
PLAYERS = 12


def data(count: int) -> tuple[Floats, Floats, Floats]:
    """Coalitions less the whole input, their weights, scores that are not quite linear."""
    rng = np.random.default_rng(3)
    z = np.where(rng.random((count, PLAYERS)) < 0.5, 0.0, -1.0)
    z[0] = 0
    y = z @ rng.normal(size=PLAYERS) + z[:, 0] * z[:, 1] + 0.3 * rng.normal(size=count)
    near: Floats = rng.random(count) ** 2
    return z, near, y


def in_blocks(*whole: Floats, size: int = 7) -> Samples:
    def samples() -> Iterator[tuple[Floats, Floats, Floats]]:
        for start in range(0, len(whole[0]), size):
            x, near, y = (part[start : start + size] for part in whole)
            yield x, near, y

    return samples


def centred(z: Floats, near: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    share = near / near.sum()
    return z - share @ z, share, y - share @ y


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("strength", [2.5e-7, 2.5e-3, 0.25])
def test_ridge_is_that_of_the_whole_matrix(count: int, strength: float) -> None:
    x, share, y = centred(*data(count))
    peer = Ridge(alpha=strength, fit_intercept=False, solver="svd").fit(x, y, sample_weight=share)
    moments = Moments.of(in_blocks(*data(count)))
    ours = ridge(moments.gram, moments.moment, strength)
    np.testing.assert_allclose(ours, peer.coef_, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("penalty", [0.02, 0.1, 0.6])
def test_lasso_is_that_of_the_whole_matrix(count: int, penalty: float) -> None:
    """No worse than scikit-learn's, by what both make small."""
    x, share, y = centred(*data(count))
    moments = Moments.of(in_blocks(*data(count)))
    strength = penalty * float(np.abs(moments.moment).max())

    def loss(weights: Floats) -> float:
        return float(share @ (y - x @ weights) ** 2 / 2 + strength * np.abs(weights).sum())

    peer = Lasso(alpha=strength, fit_intercept=False, tol=1e-10, max_iter=100_000)
    best = loss(peer.fit(x, y, sample_weight=share).coef_)
    ours = lasso(moments.gram, moments.moment, strength)
    assert best * (1 - 1e-9) <= loss(ours) <= best * (1 + 1e-3)


def test_errors_and_agreement_are_those_of_the_whole_matrix() -> None:
    x, share, y = centred(*data(300))
    moments = Moments.of(in_blocks(*data(300)))
    fit = moments.fit(in_blocks(*data(300)), ridge(moments.gram, moments.moment, 0.01), 0.01)
    residual = y - x @ fit.weights
    bread = np.linalg.inv((x.T * share) @ x + 0.01 * np.eye(PLAYERS))
    meat = (x.T * (share * residual) ** 2) @ x
    errors = np.sqrt(np.diag(bread @ meat @ bread) * 300 / (300 - PLAYERS - 1))
    np.testing.assert_allclose(fit.errors, errors, rtol=1e-6)
    assert fit.agreement == pytest.approx(1 - (share @ residual**2) / (share @ y**2), abs=1e-12)


def test_errors_of_too_few_samples_are_not_known() -> None:
    samples = in_blocks(*data(8))
    assert np.isnan(Moments.of(samples).fit(samples, np.zeros(PLAYERS)).errors).all()


def test_one_sample_that_outweighs_all_others_leaves_them_their_digits() -> None:
    z, near, y = data(300)
    y, near = y - y[0], near * 1e-12
    near[0] = 1.0
    gram = Moments.of(in_blocks(z, near, y)).gram
    x, share, _ = centred(z, near, y)
    np.testing.assert_allclose(gram, (x.T * share) @ x, rtol=1e-6)


def test_lime_holds_one_block_however_many_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    take = Draws.take

    def note(draws: Draws, numbers: Tensor) -> Tensor:
        asked.append(len(numbers))
        return take(draws, numbers)

    monkeypatch.setattr(Draws, "take", note)
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 2))
    peaks = []
    for samples in (2 * BLOCK, 16 * BLOCK):
        tracemalloc.start()
        explain(
            model, torch.ones(1, 3, 8, 8), "lime", target=1, samples=samples, chunk=BLOCK,
            regions=torch.arange(64).view(8, 8), progress=False,
        )  # fmt: skip
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(asked) == BLOCK
    assert peaks[1] < 1.2 * peaks[0]
