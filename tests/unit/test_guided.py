"""Guided backpropagation, deconvnet and guided Grad-CAM."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nbxplain import explain
from nbxplain.core.errors import MethodError
from tests.architectures import architecture, pictures
from tests.models import CLASSES, SIDE, Function, cnn, picture, three_layers

X = torch.arange(16.0).view(1, 1, 4, 4)

CASES = {
    "guided_backprop": [[0, 1, 1, 1], [1, 3, 3, 2], [1, 3, 3, 2], [1, 2, 2, 1]],
    "deconvnet": [[2, 3, 3, 1], [3, 5, 5, 2], [3, 5, 5, 2], [1, 2, 2, 1]],
    "gradient": [[0, 1, 1, 1], [0, 1, 1, 1], [0, 1, 1, 1], [0, 0, 0, 0]],
}


@pytest.mark.parametrize("name", CASES)
def test_three_layers(name: str) -> None:
    model = nn.Sequential(three_layers(), nn.ReLU())
    assert model(X)[0, 0].item() == 54
    result = explain(model, X, name, target=0, progress=False)
    torch.testing.assert_close(result.values[0, 0], torch.tensor(CASES[name]).float())


@pytest.mark.parametrize(
    "kind",
    [
        nn.ReLU, nn.ReLU6, nn.LeakyReLU, lambda inplace: nn.Threshold(0, 0, inplace),
        lambda inplace: nn.Hardtanh(0, 1e9, inplace=inplace),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["guided_backprop", "deconvnet"])
def test_in_place_is_the_same(name: str, kind: Callable[..., nn.Module]) -> None:
    layers = three_layers()
    apart, overwritten = (
        nn.Sequential(layers[0], kind(inplace=inplace), layers[2], layers[3])
        for inplace in (False, True)
    )
    expected = explain(apart, X, name, target=0, progress=False)
    result = explain(overwritten, X, name, target=0, progress=False)
    assert bool(expected.values.any())
    torch.testing.assert_close(result.values, expected.values)


def test_guided_is_the_gradient_where_only_positive_weights_lead() -> None:
    model = cnn()
    with torch.no_grad():
        for weight in model.parameters():
            weight.abs_()
    x = picture(2)
    for name in ("guided_backprop", "deconvnet"):
        result = explain(model, x, name, target=1, progress=False)
        expected = explain(model, x, "gradient", target=1, progress=False)
        torch.testing.assert_close(result.values, expected.values)


@pytest.mark.parametrize(
    "form",
    [
        F.relu, torch.relu, Tensor.relu_, nn.ReLU(inplace=True), lambda h: h.clamp(min=0),
        lambda h: h.clamp_min(0.0), lambda h: F.threshold(h, 0.0, 0.0), nn.Threshold(0.0, 0.0),
        lambda h: F.leaky_relu(h, 0.0), lambda h: F.hardtanh(h, 0.0, 1e9),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["guided_backprop", "deconvnet"])
def test_whatever_cuts_off_one_side_is_a_relu(name: str, form: Callable[[Tensor], Tensor]) -> None:
    layers = three_layers()
    model = nn.Sequential(layers[0], Function(form), layers[2], layers[3], Function(form))
    result = explain(model, X, name, target=0, progress=False)
    torch.testing.assert_close(result.values[0, 0], torch.tensor(CASES[name]).float())


@pytest.mark.parametrize("name", ["guided_backprop", "deconvnet", "guided_grad_cam"])
def test_a_model_without_a_relu_is_refused(name: str) -> None:
    with pytest.raises(MethodError, match="no ReLU"):
        explain(architecture("convnext"), pictures(), name, target=1, progress=False)


def test_guided_grad_cam_is_the_product() -> None:
    model, x = cnn(), picture(2)
    result = explain(model, x, "guided_grad_cam", target=1, layer="second", progress=False)
    cam = explain(model, x, "grad_cam", target=1, layer="second", progress=False).values
    guided = explain(model, x, "guided_backprop", target=1, progress=False).values
    assert bool(cam.any())
    expected = guided * F.interpolate(cam, x.shape[2:], mode="bilinear")
    torch.testing.assert_close(result.values, expected)


class Biased(nn.Module):
    """Its only ReLU is of a constant, as in networks that compute their position biases."""

    def __init__(self) -> None:
        super().__init__()
        self.places = nn.Parameter(torch.randn(3, SIDE, SIDE))
        self.head = nn.Linear(3 * SIDE * SIDE, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head((x.tanh() + self.places.relu()).flatten(1))
        return scores


@pytest.mark.parametrize("method", ["guided_backprop", "deconvnet"])
def test_a_relu_of_constants_is_none(method: str) -> None:
    with pytest.raises(MethodError, match="no ReLU"):
        explain(Biased(), torch.rand(1, 3, SIDE, SIDE), method, target=0, progress=False)
