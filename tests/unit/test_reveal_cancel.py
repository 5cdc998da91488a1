"""DeepLIFT's reveal-cancel rule: the paper's example, a twin in loops, complete everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from nbxplain import explain
from tests.architectures import ARCHITECTURES, architecture, pictures
from tests.models import Function, InplaceRelu, ModuleRelu, picture, seeded


def lifted(
    model: nn.Module, x: Tensor, baseline: Tensor, rule: str = "reveal_cancel", target: int = 0
) -> Tensor:
    return explain(
        model, x, "deep_lift", target=target, baseline=baseline, rule=rule, progress=False
    ).values


def gap(model: nn.Module, values: Tensor, x: Tensor, baseline: Tensor, target: int = 0) -> float:
    with torch.no_grad():
        change = (model(x) - model(baseline))[:, target]
    return float(((values.flatten(1).sum(1) - change) / change).abs().max())


def double(function: Callable[[Tensor], Tensor]) -> nn.Module:
    """A model of float64: what its one parameter is."""
    model = Function(function)
    model.register_parameter("unused", nn.Parameter(torch.zeros(1, dtype=torch.float64)))
    return model


def draw(*shape: int, seed: int = 0) -> Tensor:
    """Numbers that single precision holds too, as which a baseline is kept."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator).double()


def test_a_minimum_is_shared() -> None:
    """min(i1, i2) = i1 - relu(i1 - i2), from (0, 0): half each; rescale credits one alone."""
    model = Function(lambda x: x[:, :1] - torch.relu(x[:, :1] - x[:, 1:]))
    x = torch.tensor([[3.0, 1.0], [1.0, 2.0], [2.0, 2.0]])
    half = x.amin(1, keepdim=True) / 2
    torch.testing.assert_close(lifted(model, x, torch.zeros(1, 2)), half.expand(3, 2))
    alone = torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0]])
    torch.testing.assert_close(lifted(model, x, torch.zeros(1, 2), "rescale"), alone)


def test_where_nothing_cancels_it_is_rescale() -> None:
    """Sums of functions of one feature each, and of changes that all have one sign."""
    weight = draw(4, seed=3)
    additive = double(lambda x: torch.tanh(x * weight - 0.2).exp().sum(1, keepdim=True))
    x, baseline = draw(3, 4), draw(1, 4, seed=1)
    torch.testing.assert_close(
        lifted(additive, x, baseline), lifted(additive, x, baseline, "rescale")
    )
    rising = seeded(lambda: nn.Sequential(nn.Linear(4, 6), nn.Sigmoid(), nn.Linear(6, 2)))
    rising = rising.double()
    for parameter in rising.parameters():
        parameter.data.abs_()
    x = baseline + draw(3, 4).abs()
    torch.testing.assert_close(lifted(rising, x, baseline), lifted(rising, x, baseline, "rescale"))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_completeness(name: str) -> None:
    model = architecture(name).double()
    x, baseline = pictures(2).double(), pictures(2, seed=1).double()
    values = lifted(model, x, baseline)
    # HF's eager attention asks for a float32 softmax, which rules leave in float64.
    assert gap(model, values, x, baseline) < (1e-6 if name == "vit_eager" else 1e-10)
    plain = lifted(model, x, baseline, "rescale")
    assert float((values - plain).norm()) > 1e-3 * float(plain.norm())


@pytest.mark.parametrize("name", ["resnet", "vgg", "mobilenet", "regnet"])
def test_completeness_in_single_precision(name: str) -> None:
    model, x, baseline = architecture(name), pictures(2), pictures(2, seed=1)
    assert gap(model, lifted(model, x, baseline), x, baseline) < 1e-4


Layers = list[tuple[list[list[float]], list[float]]]


def by_hand(
    layers: Layers,
    function: Callable[[float], float],
    slope: Callable[[float], float],
    x: list[float],
    reference: list[float],
) -> list[float]:
    """Contributions by the paper's formulas, neuron by neuron: 3.5.1 for sums, 3.5.3 for the rest.

    A part that is zero has no quotient; its multiplier is the quotient's limit.
    """
    steps: list[tuple[list[float], list[list[float]], list[tuple[float, float]]]] = []
    for depth, (weights, biases) in enumerate(layers):
        changes = [a - b for a, b in zip(x, reference, strict=True)]
        following, following_reference, multipliers = [], [], []
        for row, bias in zip(weights, biases, strict=True):
            terms = [w * d for w, d in zip(row, changes, strict=True)]
            plus, minus = sum(t for t in terms if t > 0), sum(t for t in terms if t < 0)
            start = bias + sum(w * r for w, r in zip(row, reference, strict=True))
            end = start + plus + minus
            if depth == len(layers) - 1:
                multipliers.append((1.0, 1.0))
                continue
            f = function
            up = (f(start + plus) - f(start) + f(end) - f(start + minus)) / 2
            down = (f(start + minus) - f(start) + f(end) - f(start + plus)) / 2
            limit = (slope(start) + slope(end)) / 2
            multipliers.append((up / plus if plus else limit, down / minus if minus else limit))
            following.append(f(end))
            following_reference.append(f(start))
        steps.append((changes, weights, multipliers))
        x, reference = following, following_reference
    passed = [1.0] + [0.0] * (len(layers[-1][1]) - 1)
    for changes, weights, multipliers in reversed(steps):
        handed = [0.0] * len(changes)
        for i, change in enumerate(changes):
            for j, (plus, minus) in enumerate(multipliers):
                term = weights[j][i] * change
                chosen = plus if term > 0 else minus if term < 0 else (plus + minus) / 2
                handed[i] += passed[j] * chosen * weights[j][i]
        passed = handed
    return [m * d for m, d in zip(passed, steps[0][0], strict=True)]


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_perceptron_by_hand(activation: str) -> None:
    function, slope = {
        "relu": (lambda t: max(t, 0.0), lambda t: float(t > 0)),
        "tanh": (math.tanh, lambda t: 1 - math.tanh(t) ** 2),
    }[activation]
    shapes = [(7, 5), (6, 7), (2, 6)]
    weights = [draw(*shape, seed=k) for k, shape in enumerate(shapes)]
    # Shifted, so that some rectified units are silent at both points, yet not in between.
    biases = [draw(shape[0], seed=k + 5) - 1 for k, shape in enumerate(shapes)]

    def score(t: Tensor) -> Tensor:
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            t = getattr(torch, activation)(nn.functional.linear(t, w, b))
        return nn.functional.linear(t, weights[-1], biases[-1])

    x, baseline = draw(8, 5, seed=11), draw(1, 5, seed=12)
    x[0, 2] = baseline[0, 2]
    layers = [(w.tolist(), b.tolist()) for w, b in zip(weights, biases, strict=True)]
    expected = [by_hand(layers, function, slope, row.tolist(), baseline[0].tolist()) for row in x]
    values = lifted(double(score), x, baseline)
    torch.testing.assert_close(
        values, torch.tensor(expected, dtype=torch.float64), rtol=1e-10, atol=1e-12
    )


def test_a_batch_norm_is_merged_into_the_convolution() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        convolution, norm = nn.Conv2d(3, 6, 3).double().eval(), nn.BatchNorm2d(6).double().eval()
    norm.weight.data, norm.bias.data = draw(6), draw(6, seed=1)
    norm.running_mean, norm.running_var = draw(6, seed=2), draw(6, seed=3).exp()
    assert bool((norm.weight < 0).any())
    head = seeded(lambda: nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(6 * 36, 2))).double()
    merged = nn.utils.fusion.fuse_conv_bn_eval(convolution, norm)
    x, baseline = draw(2, 3, 8, 8, seed=4), draw(2, 3, 8, 8, seed=5)
    torch.testing.assert_close(
        lifted(nn.Sequential(convolution, norm, head), x, baseline),
        lifted(nn.Sequential(merged, head), x, baseline),
    )


def test_a_sum_of_two_layers_is_one_layer() -> None:
    """relu(A x + B z), moved about and taken apart on the way, is relu of the two side by side."""
    first, second = draw(4, 3), draw(4, 3, seed=1)

    def apart(t: Tensor) -> Tensor:
        total = t[:, :3] @ first.T
        total += nn.functional.linear(t[:, 3:], second)
        low, high = total.view(-1, 2, 2).chunk(2, 1)
        return torch.cat([low, high], 1).flatten(1).relu().sum(1, keepdim=True)

    both = torch.cat([first, second], 1)
    together = double(lambda t: torch.relu(t @ both.T).sum(1, keepdim=True))
    x, baseline = draw(3, 6, seed=2), draw(1, 6, seed=3)
    torch.testing.assert_close(lifted(double(apart), x, baseline), lifted(together, x, baseline))


def test_in_place_or_not_is_the_same() -> None:
    x, baseline = picture(2), picture(2, seed=3)
    torch.testing.assert_close(
        lifted(seeded(InplaceRelu), x, baseline), lifted(seeded(ModuleRelu), x, baseline)
    )


@pytest.mark.parametrize(
    ("overwriting", "apart"),
    [(Tensor.square_, Tensor.square), (lambda h: h.mul_(h), lambda h: h * h)],
    ids=["function", "product"],
)
def test_an_overwritten_sum_leaves_no_spread_behind(
    overwriting: Callable[[Tensor], Tensor], apart: Callable[[Tensor], Tensor]
) -> None:
    weight = draw(4, 3)

    def model(change: Callable[[Tensor], Tensor]) -> nn.Module:
        return double(lambda t: torch.tanh(change(t @ weight.T)).sum(1, keepdim=True))

    x, baseline = draw(3, 3, seed=2), draw(1, 3, seed=3)
    torch.testing.assert_close(
        lifted(model(overwriting), x, baseline), lifted(model(apart), x, baseline)
    )


def test_a_mask_of_infinities() -> None:
    weight, mask = draw(4, 3), torch.tensor([0.0, -math.inf, 0.0, 0.0]).double()

    def attend(t: Tensor) -> Tensor:
        powers = (t @ weight.T + mask).exp()
        return (powers / powers.sum(1, keepdim=True))[:, :1]

    model, x, baseline = double(attend), draw(3, 3, seed=2), draw(1, 3, seed=3)
    assert gap(model, lifted(model, x, baseline), x, baseline) < 1e-10


def test_a_part_outside_the_domain_is_not_asked_for() -> None:
    """log(x1 - x2 + 1) at (3, 2) from 0: what lowers it alone would give log(-1)."""
    model = Function(lambda x: torch.log(x[:, :1] - x[:, 1:] + 1))
    x, baseline = torch.tensor([[3.0, 2.0], [3.0, 0.5]]), torch.zeros(1, 2)
    values, plain = lifted(model, x, baseline), lifted(model, x, baseline, "rescale")
    torch.testing.assert_close(values[0], plain[0])
    up = (math.log(4) + math.log(3.5) - math.log(0.5)) / 2
    torch.testing.assert_close(values[1], torch.tensor([up, math.log(3.5) - up]))
