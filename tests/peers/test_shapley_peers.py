"""Shapley values beside shap and captum, on a network of a table and one of pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shap
import torch
from captum.attr import GradientShap, ShapleyValueSampling
from numpy.typing import NDArray
from torch import Tensor, nn

from nbxplain import Regions, explain
from tests.models import cnn, picture, seeded

TARGET = 1
FEATURES = 6


def network() -> nn.Module:
    return seeded(
        lambda: nn.Sequential(nn.Linear(FEATURES, 12), nn.Tanh(), nn.Linear(12, 3)), seed=3
    )


def rows(count: int, seed: int = 0) -> Tensor:
    return 2 * torch.randn(count, FEATURES, generator=torch.Generator().manual_seed(seed))


def scores(x: NDArray[Any]) -> NDArray[np.float64]:
    with torch.no_grad():
        found: NDArray[np.float64] = network()(torch.from_numpy(x).float())[:, TARGET].numpy()
    return found


def test_exact_values_with_a_background_equal_those_of_shap() -> None:
    x, background = rows(3), rows(8, seed=1)
    ours = explain(
        network(), x, "exact_shapley", target=TARGET, background=background, progress=False
    )
    explainer = shap.ExactExplainer(scores, background.numpy().astype(float))
    theirs = explainer(x.numpy().astype(float))
    np.testing.assert_allclose(ours.values.numpy(), theirs.values, atol=1e-5)
    assert ours.base_value is not None
    np.testing.assert_allclose(ours.base_value.numpy(), theirs.base_values, atol=1e-5)


def test_permutations_agree_with_those_of_shap() -> None:
    x, background = rows(1), rows(1, seed=1)
    ours = explain(
        network(), x, "permutation_shapley", target=TARGET, budget=62, background=background,
        progress=False,
    )  # fmt: skip
    explainer = shap.PermutationExplainer(scores, background.numpy().astype(float), seed=0)
    theirs = explainer(x.numpy().astype(float), max_evals=400, silent=True).values
    assert ours.players is not None
    assert ours.players.errors is not None
    off = np.abs(ours.values.numpy() - theirs)
    assert (off <= 3 * ours.players.errors.numpy()).all()


def test_kernel_shap_with_all_coalitions_equals_that_of_shap() -> None:
    x, background = rows(2), rows(4, seed=1)
    ours = explain(
        network(), x, "kernel_shap", target=TARGET, background=background, progress=False
    )
    explainer = shap.KernelExplainer(scores, background.numpy().astype(float), silent=True)
    theirs = explainer.shap_values(x.numpy().astype(float), nsamples=2**FEATURES, l1_reg=0)
    np.testing.assert_allclose(ours.values.numpy(), theirs, atol=1e-4)


def test_regions_of_a_picture_agree_with_captum() -> None:
    torch.manual_seed(0)
    model, x, regions = cnn(), 3 * picture(), Regions.grid(2, 3)
    ours = explain(model, x, "exact_shapley", target=TARGET, regions=regions, progress=False)
    assert ours.players is not None
    mask = ours.players.labels.unsqueeze(1)
    theirs = ShapleyValueSampling(model).attribute(
        x, target=TARGET, feature_mask=mask, n_samples=200
    )
    size = float(ours.values.norm())
    for player in range(6):
        value = float(theirs[0, 0][mask[0, 0] == player][0])
        assert value == pytest.approx(float(ours.values[0, player]), abs=0.06 * size)


def test_gradient_shap_agrees_with_captum() -> None:
    torch.manual_seed(0)
    x, background = rows(1), rows(5, seed=1)
    ours = explain(
        network(), x, "gradient_shap", target=TARGET, background=background, samples=4000,
        progress=False,
    )  # fmt: skip
    theirs = GradientShap(network()).attribute(
        x, background, target=TARGET, n_samples=4000, stdevs=0.0
    )
    off = float((ours.values - theirs).norm() / ours.values.norm())
    assert off < 0.08
