"""The same answers as captum's perturbation and layer methods."""

from __future__ import annotations

import copy

import pytest
import torch
from captum.attr import FeatureAblation, LayerGradCam, Occlusion
from torch import Tensor

from nbxplain import Regions, explain
from tests.models import cnn, picture

TARGET = 2


@pytest.fixture
def x() -> Tensor:
    return picture(3, side=20)


def test_feature_ablation(x: Tensor) -> None:
    labels = (torch.arange(400).view(20, 20) * 7 % 400) // 45
    expected = FeatureAblation(cnn()).attribute(
        x, baselines=1.0, target=TARGET, feature_mask=labels.expand(1, 3, 20, 20)
    )
    result = explain(
        cnn(), x, "feature_ablation", target=TARGET, regions=Regions.map(labels), baseline="white"
    )
    torch.testing.assert_close(result.values, expected[:, :1], rtol=1e-4, atol=1e-6)


def test_feature_ablation_of_a_table() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 4))
    rows, groups = torch.rand(5, 6), torch.tensor([0, 0, 1, 2, 2, 2])
    expected = FeatureAblation(copy.deepcopy(model)).attribute(
        rows, target=TARGET, feature_mask=groups.unsqueeze(0)
    )
    result = explain(model, rows, "feature_ablation", target=TARGET, regions=groups)
    torch.testing.assert_close(result.values, expected.detach(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("window", "stride"), [(4, 4), (6, 3), (7, 5), (20, 1)])
def test_occlusion(x: Tensor, window: int, stride: int) -> None:
    expected = Occlusion(cnn()).attribute(
        x, (3, window, window), strides=(3, stride, stride), target=TARGET
    )
    result = explain(cnn(), x, "occlusion", target=TARGET, window=window, stride=stride)
    torch.testing.assert_close(result.values, expected[:, :1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("relu", [False, True])
def test_grad_cam(x: Tensor, relu: bool) -> None:
    model = cnn()
    expected = LayerGradCam(model, model.second).attribute(x, target=TARGET, relu_attributions=relu)  # type: ignore[arg-type]
    result = explain(cnn(), x, "grad_cam", target=TARGET, layer="second", relu=relu)
    torch.testing.assert_close(result.values, expected.detach(), rtol=1e-4, atol=1e-7)
