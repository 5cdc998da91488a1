"""Grad-CAM, against hand calculation and its definition."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nbxplain import explain
from tests.models import cnn, picture, three_layers


@pytest.mark.parametrize(
    ("layer", "expected"),
    [("0", [[11.25, 13.5], [20.25, 22.5]]), ("1", [[0.0, 4.0], [28.0, 32.5]])],
)
def test_three_layer_model(layer: str, expected: list[list[float]]) -> None:
    x = torch.arange(16.0).view(1, 1, 4, 4)
    result = explain(three_layers(), x, "grad_cam", target=0, layer=layer, relu=False)
    assert torch.equal(result.values[0, 0], torch.tensor(expected))


def test_definition_at_a_layer_in_the_middle() -> None:
    model, x = cnn(), picture(2)
    activation = model.first(x).detach().requires_grad_()  # type: ignore[operator]
    scores = model.head(model.second(activation.relu()).relu().mean((2, 3)))  # type: ignore[operator]
    (gradient,) = torch.autograd.grad(scores[:, 1].sum(), activation)
    signed = (gradient.mean((2, 3), keepdim=True) * activation).sum(1, keepdim=True).detach()
    for relu, expected in ((False, signed), (True, signed.relu())):
        result = explain(model, x, "grad_cam", target=1, layer="first", relu=relu)
        torch.testing.assert_close(result.values, expected, rtol=1e-5, atol=1e-8)


def test_map_has_the_resolution_of_the_layer() -> None:
    result = explain(cnn(), picture(2, side=20), "grad_cam", layer="second")
    assert result.values.shape == (2, 1, 10, 10)
    assert result.layer == "second"


def test_evidence_against_a_class_is_zero_with_a_reason() -> None:
    model, x = cnn(), picture()
    nn.init.constant_(model.head.weight, -1.0)  # type: ignore[arg-type]
    signed = explain(model, x, "grad_cam", target=0, layer="relus.1", relu=False)
    assert bool((signed.values < 0).any())
    result = explain(model, x, "grad_cam", target=0, layer="relus.1")
    assert not bool(result.values.any())
    assert result.reason
    assert "relu off" in result.reason
