"""Gradients and their statistics under noise, against hand calculation and slow loops."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from nbxplain import ExplanationError, explain
from nbxplain.methods.gradient import Noise
from tests.models import Quadratic, cnn, linear, picture, three_layers


def test_gradient_of_the_three_layer_model() -> None:
    x = torch.arange(16.0).view(1, 1, 4, 4)
    result = explain(three_layers(), x, "gradient", target=0)
    assert float(result.prediction.scores[0, 0]) == 54
    expected = torch.tensor([[0.0, 1, 1, 1], [0, 1, 1, 1], [0, 1, 1, 1], [0, 0, 0, 0]])
    assert torch.equal(result.values[0, 0], expected)


def test_gradient_keeps_its_sign() -> None:
    model = linear()
    result = explain(model, picture(2), "gradient", target=3)
    weight = model[1].weight[3].detach()  # type: ignore[index]
    torch.testing.assert_close(result.values.flatten(1), weight.expand(2, -1))
    assert result.signed


def test_input_x_gradient_is_complete_without_biases() -> None:
    model = cnn()
    for module in model.modules():
        if getattr(module, "bias", None) is not None:
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    x = picture(3)
    result = explain(model, x, "input_x_gradient", target=2)
    score = model(x)[:, 2].detach()
    torch.testing.assert_close(result.values.flatten(1).sum(1), score, rtol=1e-4, atol=1e-6)
    assert result.evidence["conservation_gap"] == pytest.approx([0] * 3, abs=1e-6)


def test_input_x_gradient_reports_what_biases_take() -> None:
    model, x = linear(), picture(2)
    result = explain(model, x, "input_x_gradient", target=2)
    bias = float(model[1].bias[2].detach())  # type: ignore[index]
    assert result.evidence["conservation_gap"] == pytest.approx([-bias] * 2, abs=1e-5)


# SmoothGrad.


def test_without_noise_smoothgrad_is_the_gradient_bit_for_bit() -> None:
    model, x = cnn(), picture(3)
    plain = explain(model, x, "gradient", target=1).values
    smooth = explain(model, x, "smoothgrad", target=1, noise=0).values
    assert torch.equal(smooth, plain)


def gradients(model: nn.Module, x: Tensor, noise: float, seed: int, samples: int) -> Tensor:
    """Gradients at the same noisy copies, one by one, in float64: (samples, N, ...)."""
    rows, draws = len(x), Noise(x, noise, seed)
    model = model.double()
    found = []
    for copy in range(samples):
        noisy = (x + draws.take(torch.arange(copy * rows, (copy + 1) * rows))).double()
        noisy.requires_grad_()
        (gradient,) = torch.autograd.grad(model(noisy)[:, 1].sum(), noisy)
        found.append(gradient)
    return torch.stack(found)


@pytest.mark.parametrize("chunk", [1, 7, None])
@pytest.mark.parametrize("statistic", ["mean", "square", "variance"])
def test_statistics_against_a_float64_loop(statistic: str, chunk: int | None) -> None:
    x = picture(2)
    result = explain(
        cnn(), x, "smoothgrad", target=1, samples=20, seed=3, statistic=statistic, chunk=chunk
    )
    each = gradients(cnn(), x, 0.15, 3, 20)
    expected = {"mean": each.mean(0), "square": (each**2).mean(0), "variance": each.var(0)}
    torch.testing.assert_close(result.values, expected[statistic].float(), rtol=1e-4, atol=1e-9)


def test_variance_survives_a_large_mean() -> None:
    """Gradients near 1e4 that differ by 1: squares in float32 would lose the difference."""

    class Steep(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            flat = x.flatten(1)
            return (1e4 * flat + 0.5 * flat**2).sum(1, keepdim=True)

    x = picture()
    result = explain(Steep(), x, "smoothgrad", target=0, samples=50, statistic="variance")
    draws = Noise(x, 0.15, 0).take(torch.arange(50))
    torch.testing.assert_close(result.values[0], draws.var(0), rtol=0.05, atol=1e-4)


def test_noise_is_a_share_of_the_range_of_the_input() -> None:
    x = picture(2)
    x[1] = 10 * x[1] - 3
    draws = Noise(x, 0.2, 0).take(torch.arange(400))
    for row in range(2):
        expected = 0.2 * float(x[row].max() - x[row].min())
        assert float(draws[row::2].std()) == pytest.approx(expected, rel=0.01)
        assert float(draws[row::2].mean()) == pytest.approx(0, abs=0.01 * expected)


def test_noise_depends_on_copy_and_seed_alone() -> None:
    x = picture(3)
    together = Noise(x, 0.1, 5).take(torch.arange(12))
    for row in range(3):
        alone = Noise(x[row : row + 1], 0.1, 5).take(torch.arange(4))
        assert torch.equal(together[row::3], alone)
    assert not torch.equal(together[0], Noise(x, 0.1, 6).take(torch.arange(1))[0])


@pytest.mark.parametrize("statistic", ["mean", "square", "variance"])
def test_standard_error_is_honest(statistic: str) -> None:
    """On a quadratic the gradient is normal with known moments: over many seeds the true error
    must be what was reported, on average."""
    x = picture(side=8)
    sigma = 0.15 * float(x.max() - x.min())
    expected = {"mean": x, "square": x**2 + sigma**2, "variance": torch.full_like(x, sigma**2)}
    true, reported = [], []
    for seed in range(30):
        result = explain(
            Quadratic(), x, "smoothgrad", target=0, samples=64, seed=seed, statistic=statistic
        )
        true.append(float((result.values - expected[statistic]).square().sum()))
        size = float(result.values.norm())
        reported.append((result.evidence["standard_error"][0] * size) ** 2)
    assert sum(reported) / sum(true) == pytest.approx(1, abs=0.15)


def test_variance_of_one_sample_is_refused() -> None:
    with pytest.raises(ExplanationError, match="two samples"):
        explain(cnn(), picture(), "smoothgrad", samples=1, statistic="variance")
    assert explain(cnn(), picture(), "smoothgrad", samples=1).error is None
