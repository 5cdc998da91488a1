"""The same answers as captum where captum supports the network; who is right where it does not."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from captum.attr import (
    LRP,
    Deconvolution,
    DeepLift,
    DeepLiftShap,
    GuidedBackprop,
    GuidedGradCam,
)
from captum.attr._utils.lrp_rules import EpsilonRule
from torch import Tensor, nn

from nbxplain import explain
from tests.architectures import architecture, drawn, pictures

TARGET = 2

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*(Setting|set) (forward|backward|gradients)"),
    pytest.mark.filterwarnings("ignore:Input Tensor 0 did not already require gradients"),
]


def plain(pool: type[nn.Module] = nn.MaxPool2d) -> nn.Sequential:
    """Modules used once, nothing in place, no overlap: what captum supports."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), pool(2),
            nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
            nn.Linear(512, 12), nn.ReLU(), nn.Linear(12, 5),
        )  # fmt: skip
    return drawn(layers)  # type: ignore[return-value]


def ours(model: nn.Module, x: Tensor, name: str, **options: Any) -> Tensor:
    return explain(model, x, name, target=TARGET, progress=False, **options).values


def assert_same(result: Tensor, theirs: Tensor, tolerance: float = 1e-4) -> None:
    theirs = theirs.detach()
    difference = float((result - theirs).norm() / theirs.norm())
    assert difference < tolerance, f"relative difference {difference:.2g}"


def gap(model: nn.Module, values: Tensor, x: Tensor, baseline: Tensor) -> float:
    """How far a map is from the change of the score, as a share of it."""
    with torch.no_grad():
        change = (model(x) - model(baseline))[:, TARGET]
    return float(((values.detach().flatten(1).sum(1) - change) / change).abs().max())


def test_deep_lift() -> None:
    x, baseline, model = pictures(2), pictures(2, seed=1), plain(nn.AvgPool2d)
    theirs = DeepLift(copy.deepcopy(model)).attribute(x, baseline, target=TARGET)
    assert_same(ours(model, x, "deep_lift", baseline=baseline), theirs)


def test_deep_shap() -> None:
    x, background, model = pictures(2), pictures(3, seed=1), plain(nn.AvgPool2d)
    theirs = DeepLiftShap(copy.deepcopy(model)).attribute(x, background, target=TARGET)
    assert_same(ours(model, x, "deep_shap", background=background), theirs)


def test_deep_lift_through_max_pooling_where_captum_leaves_a_gap() -> None:
    x, baseline, model = pictures(2), pictures(2, seed=1), plain()
    theirs = DeepLift(copy.deepcopy(model)).attribute(x, baseline, target=TARGET)
    assert gap(model, theirs, x, baseline) > 0.02
    assert gap(model, ours(model, x, "deep_lift", baseline=baseline), x, baseline) < 1e-4


@pytest.mark.parametrize("name", ["swin", "vit"])
def test_deep_lift_where_captum_leaves_a_gap(name: str) -> None:
    x, baseline = pictures(2), pictures(2, seed=1)
    theirs = DeepLift(copy.deepcopy(architecture(name))).attribute(x, baseline, target=TARGET)
    model = architecture(name)
    assert gap(model, theirs, x, baseline) > 0.02
    assert gap(model, ours(model, x, "deep_lift", baseline=baseline), x, baseline) < 1e-4


class Reused(nn.Module):
    """One ReLU that is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 5)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.last(self.relu(self.first(self.relu(x))))
        return scores


def test_deep_lift_with_a_reused_relu() -> None:
    # A fixed draw: a row whose ReLUs are all off has no change to be complete about.
    x = torch.randn(3, 6, generator=torch.Generator().manual_seed(0)).abs() + 0.5
    baseline, model = torch.zeros(3, 6), drawn(Reused())
    try:
        theirs = DeepLift(copy.deepcopy(model)).attribute(x, baseline, target=TARGET)
    except RuntimeError:
        pass
    else:
        assert gap(model, theirs, x, baseline) > 1e-3
    assert gap(model, ours(model, x, "deep_lift", baseline=baseline), x, baseline) < 1e-4


def test_lrp_epsilon() -> None:
    """captum's rule for a linear layer and a convolution; biases absorb their share in both."""
    model = plain()
    for module in model:
        module.rule = EpsilonRule(epsilon=1e-6)  # type: ignore[assignment]
    x = pictures(2)
    theirs = LRP(model).attribute(x, target=TARGET)
    assert_same(ours(plain(), x, "lrp", composite="epsilon", epsilon=1e-6), theirs, 1e-3)


@pytest.mark.parametrize(
    ("name", "peer"), [("guided_backprop", GuidedBackprop), ("deconvnet", Deconvolution)]
)
def test_guided_and_deconvnet(name: str, peer: Any) -> None:
    x = pictures(2)
    assert_same(ours(plain(), x, name), peer(plain()).attribute(x, target=TARGET))


def test_guided_grad_cam() -> None:
    x, model = pictures(2), plain()
    theirs = GuidedGradCam(model, model[3]).attribute(x, target=TARGET, interpolate_mode="bilinear")
    assert_same(ours(plain(), x, "guided_grad_cam", layer="3"), theirs)
