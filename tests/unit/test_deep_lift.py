"""DeepLIFT and DeepSHAP: complete on every architecture, right on cases done by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nbxplain import Baseline, explain
from nbxplain.core.errors import MethodError
from tests.architectures import ARCHITECTURES, architecture, pictures
from tests.models import CLASSES, Function, Quadratic, cnn, picture


def change(model: nn.Module, x: Tensor, baseline: Tensor, target: int = 1) -> Tensor:
    with torch.no_grad():
        difference: Tensor = (model(x) - model(baseline))[:, target]
    return difference


# HF's eager attention asks for a float32 softmax, which rules leave in float64.
ROUNDED = {"vit_eager": 1e-6}


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_completeness(name: str, dtype: torch.dtype) -> None:
    model = architecture(name).to(dtype)
    x, baseline = pictures(2, dtype=dtype), pictures(2, seed=1).to(dtype)
    result = explain(model, x, "deep_lift", target=1, baseline=baseline, progress=False)
    expected = change(model, x, baseline)
    assert float(expected.abs().min()) > 1e-3
    gap = (result.values.flatten(1).sum(1) - expected) / expected
    tolerance = 1e-4 if dtype == torch.float32 else ROUNDED.get(name, 1e-10)
    assert float(gap.abs().max()) < tolerance


@pytest.mark.parametrize("name", ["resnet", "vit", "lstm"])
def test_the_gap_it_reports_is_the_true_gap(name: str) -> None:
    model, x = architecture(name), pictures(2)
    result = explain(model, x, "deep_lift", target=1, progress=False)
    expected = change(model, x, torch.zeros_like(x))
    torch.testing.assert_close(torch.tensor(result.evidence["score_change"]), expected)
    gap = result.values.flatten(1).sum(1) - expected
    torch.testing.assert_close(
        torch.tensor(result.evidence["completeness_gap"]), gap, rtol=0, atol=3e-6
    )


def test_two_rectified_features() -> None:
    """2 relu(x1) + 2 relu(x2 - 1.5) at (1, 2) from 0: methods.md."""

    def score(x: Tensor) -> Tensor:
        return 2 * torch.relu(x[:, :1]) + 2 * torch.relu(x[:, 1:] - 1.5)

    result = explain(
        Function(score),
        torch.tensor([[1.0, 2.0]]),
        "deep_lift",
        target=0,
        baseline=torch.zeros(1, 2),
        progress=False,
    )
    torch.testing.assert_close(result.values, torch.tensor([[2.0, 1.0]]))


def test_a_square_is_split_by_features() -> None:
    """f = k/2 sum of squares: each pixel gets k/2 (x^2 - x'^2)."""
    x, baseline = picture(2), picture(2, seed=3)
    result = explain(Quadratic(), x, "deep_lift", target=2, baseline=baseline, progress=False)
    torch.testing.assert_close(result.values, 1.5 * (x**2 - baseline**2))


def test_the_same_input_as_baseline_is_zero() -> None:
    x = picture()
    result = explain(cnn(), x, "deep_lift", target=0, baseline=x.clone(), progress=False)
    assert not bool(result.values.any())


def test_a_pixel_that_is_ignored_gets_nothing() -> None:
    model = nn.Sequential(Function(lambda x: x * _left(x)), cnn())
    result = explain(model, picture(), "deep_lift", target=0, progress=False)
    assert not bool(result.values[..., 8:].any())
    assert bool(result.values[..., :8].any())


def _left(x: Tensor) -> Tensor:
    return (torch.arange(x.shape[-1]) < 8).to(x.dtype)


@pytest.mark.parametrize("name", ["vgg", "vit"])
def test_deep_shap_is_the_mean_over_backgrounds(name: str) -> None:
    model, x, background = architecture(name), pictures(2), pictures(3, seed=5)
    result = explain(model, x, "deep_shap", target=1, background=background, progress=False)
    each = torch.stack(
        [
            explain(model, x, "deep_lift", target=1, baseline=row[None], progress=False).values
            for row in background
        ]
    )
    torch.testing.assert_close(result.values, each.mean(0), rtol=1e-4, atol=1e-6)
    assert result.base_value is not None
    with torch.no_grad():
        torch.testing.assert_close(result.base_value, model(background)[:, 1].mean().expand(2))
    spread = each.std(0) / 3**0.5
    expected = spread.flatten(1).norm(dim=1) / each.mean(0).flatten(1).norm(dim=1)
    torch.testing.assert_close(
        torch.tensor(result.evidence["standard_error"]), expected, rtol=1e-3, atol=1e-6
    )


def test_deep_shap_takes_baselines_of_several_kinds() -> None:
    x = picture(2)
    kinds = Baseline(), Baseline.white(), Baseline.tensor(picture(seed=4))
    together = explain(cnn(), x, "deep_shap", target=1, background=kinds, progress=False)
    each = [
        explain(cnn(), x, "deep_lift", target=1, baseline=kind, progress=False).values
        for kind in kinds
    ]
    torch.testing.assert_close(together.values, torch.stack(each).mean(0), rtol=1e-4, atol=1e-6)


def test_an_unknown_operation_is_named() -> None:
    model = Function(lambda x: x.flatten(1)[:, :CLASSES].cumprod(1))
    with pytest.raises(MethodError, match="cumprod"):
        explain(model, picture(), "deep_lift", progress=False)


def of_maps(form: Callable[[Tensor], Tensor]) -> nn.Module:
    """A network whose first maps go through `form`."""
    torch.manual_seed(0)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(CLASSES))
    model = nn.Sequential(nn.Conv2d(3, 4, 3), Function(form), *head).double()
    model(pictures(1, dtype=torch.float64))
    return model


def given(model: nn.Module, **parameters: Any) -> tuple[Tensor, Tensor]:
    """DeepLIFT's values for two pictures, and what they should sum to."""
    x, baseline = pictures(2, dtype=torch.float64), pictures(2, seed=1).double()
    result = explain(
        model, x, "deep_lift", target=1, baseline=baseline, progress=False, **parameters
    )
    return result.values, change(model, x, baseline)


def squashed_first(h: Tensor) -> Tensor:
    squashed = h.sigmoid()
    h[:, 0].relu_()
    return squashed + h


@pytest.mark.parametrize("rule", ["rescale", "reveal_cancel"])
@pytest.mark.parametrize(
    ("overwriting", "apart"),
    [
        (lambda h: h.mul_(h.sigmoid()), lambda h: h * h.sigmoid()),
        (lambda h: h.tanh() + h.relu_(), lambda h: h.tanh() + h.relu()),
        (
            lambda h: torch.cat([h.sigmoid(), F.relu(h, inplace=True)], 1),
            lambda h: torch.cat([h.sigmoid(), F.relu(h)], 1),
        ),
        (squashed_first, lambda h: h.sigmoid() + torch.cat([h[:, :1].relu(), h[:, 1:]], 1)),
    ],
)
def test_what_an_earlier_operation_read_may_be_overwritten(
    overwriting: Callable[[Tensor], Tensor], apart: Callable[[Tensor], Tensor], rule: str
) -> None:
    values, expected = given(of_maps(overwriting), rule=rule)
    torch.testing.assert_close(values.flatten(1).sum(1), expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(values, given(of_maps(apart), rule=rule)[0])


def zeroed(h: Tensor) -> Tensor:
    h = h.clone()
    h[h < 0] = 0
    return h


@pytest.mark.parametrize(
    ("written_out", "function"),
    [
        (lambda h: h * (h > 0), F.relu),
        (lambda h: (h > 0).to(h) * h, F.relu),
        (lambda h: torch.where(h > 0, h, 0), F.relu),
        (lambda h: torch.where(h > 0, h, 0.1 * h), lambda h: F.leaky_relu(h, 0.1)),
        (lambda h: h.masked_fill(h < 0, 0), F.relu),
        (zeroed, F.relu),
        (lambda h: torch.where(h > 0, h, h.exp() - 1), F.elu),
    ],
)
def test_an_activation_may_be_written_out(
    written_out: Callable[[Tensor], Tensor], function: Callable[[Tensor], Tensor]
) -> None:
    values, expected = given(of_maps(written_out))
    torch.testing.assert_close(values.flatten(1).sum(1), expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(values, given(of_maps(function))[0])


def test_a_choice_that_nothing_else_shows_is_refused() -> None:
    """Which of two constants it is depends on the input, and no value that changes says so."""
    model = of_maps(lambda h: h + torch.where(h > 0, torch.ones(()), torch.zeros(())))
    with pytest.raises(MethodError, match="no rule sees"):
        given(model)
