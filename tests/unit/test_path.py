"""Integrated gradients: its axioms, its quadratures, its evidence and its path."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nbxplain import Attribution, Baseline, explain
from nbxplain.methods.path import PATH_MAPS
from nbxplain.methods.quadrature import rule, van_der_corput
from tests.models import SIDE, Function, cnn, linear, picture

RULES = ("nested", "gauss_legendre", "midpoint", "trapezoid")
every_rule = pytest.mark.parametrize("quadrature", RULES)


def ig(model: torch.nn.Module, x: Tensor, **options: object) -> Attribution:
    return explain(model, x, "integrated_gradients", progress=False, **options)  # type: ignore[arg-type]


def slow_twin(model: torch.nn.Module, x: Tensor, baseline: Tensor, target: int) -> Tensor:
    """The integral in float64 with 4000 midpoints, one by one."""
    model, x, baseline = model.double(), x.double(), baseline.double()
    total = torch.zeros_like(x)
    for k in range(400):
        alphas = (torch.arange(10) + 10 * k + 0.5).div(4000).view(-1, 1, 1, 1).double()
        points = (baseline + alphas * (x - baseline)).requires_grad_()
        (gradient,) = torch.autograd.grad(model(points)[:, target].sum(), points)
        total += gradient.sum(0, keepdim=True)
    return ((x - baseline) * total / 4000).float()


# Quadrature.


@every_rule
@pytest.mark.parametrize("steps", [2, 3, 7, 8, 64, 1000])
def test_weights_sum_to_one_and_points_lie_on_the_path(quadrature: str, steps: int) -> None:
    points, weights = rule(quadrature, steps)  # type: ignore[arg-type]
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert (weights > 0).all()
    assert points.min() >= 0
    assert points.max() <= 1
    assert len(set(points.tolist())) == len(points)


@every_rule
@pytest.mark.parametrize("steps", [2, 4, 8, 64])
def test_every_rule_is_exact_where_the_gradient_is_a_straight_line(
    quadrature: str, steps: int
) -> None:
    points, weights = rule(quadrature, steps)  # type: ignore[arg-type]
    assert weights @ points == pytest.approx(0.5, abs=1e-12)


def test_gauss_legendre_is_exact_to_degree_2n_minus_1() -> None:
    points, weights = rule("gauss_legendre", 5)
    for degree in range(10):
        assert weights @ points**degree == pytest.approx(1 / (degree + 1), abs=1e-12)
    assert weights @ points**10 != pytest.approx(1 / 11, abs=1e-12)


def test_nested_is_the_trapezoid_at_powers_of_two() -> None:
    for steps in (2, 4, 16, 64):
        nested = dict(zip(*rule("nested", steps), strict=True))
        trapezoid = dict(zip(*rule("trapezoid", steps), strict=True))
        assert nested == pytest.approx(trapezoid)


def test_nested_uses_every_earlier_point_again() -> None:
    longest, _ = rule("nested", 100)
    for steps in range(2, 100):
        points, _ = rule("nested", steps)
        assert points.tolist() == longest[: steps + 1].tolist()


def test_van_der_corput() -> None:
    expected = [0, 1 / 2, 1 / 4, 3 / 4, 1 / 8, 5 / 8, 3 / 8, 7 / 8, 1 / 16]
    assert [van_der_corput(i) for i in range(9)] == expected


@every_rule
def test_any_first_part_covers_the_path(quadrature: str) -> None:
    points, weights = rule(quadrature, 64)  # type: ignore[arg-type]
    for part in (8, 16, 32):
        mean = (points[:part] @ weights[:part]) / weights[:part].sum()
        assert mean == pytest.approx(0.5, abs=0.08)


# Axioms.


@every_rule
@pytest.mark.parametrize("steps", [2, 3, 10])
def test_exact_on_linear_models(quadrature: str, steps: int) -> None:
    model, x = linear(), picture(3)
    result = ig(model, x, target=2, quadrature=quadrature, steps=steps)
    weight = model[1].weight[2].view(1, 3, SIDE, SIDE)  # type: ignore[index]
    torch.testing.assert_close(result.values, weight.detach() * x, rtol=1e-5, atol=1e-7)
    assert max(map(abs, result.evidence["completeness_gap"])) < 1e-5


@every_rule
def test_agrees_with_a_slow_float64_twin(quadrature: str) -> None:
    model, x = cnn(), picture()
    baseline = torch.full_like(x, 0.2)
    result = ig(model, x, target=1, quadrature=quadrature, steps=256, baseline=baseline)
    expected = slow_twin(cnn(), x, baseline, 1)
    assert float((result.values - expected).norm() / expected.norm()) < 0.01


@pytest.mark.parametrize(
    "function",
    [
        lambda x: F.relu(F.relu(x[:, :1]) - 1 - F.relu(x[:, 1:])),
        lambda x: F.relu(F.relu(x[:, :1] - 1) - F.relu(x[:, 1:])),
    ],
)
def test_equal_functions_have_equal_attributions(function: object) -> None:
    """Sundararajan et al. 2017, figure 5: two networks that compute one function."""
    x = torch.tensor([[3.0, 1.0]])
    result = ig(Function(function), x, target=0, steps=1024)  # type: ignore[arg-type]
    torch.testing.assert_close(result.values, torch.tensor([[1.5, -0.5]]), rtol=0, atol=2e-3)


def test_input_that_equals_the_baseline_gets_nothing() -> None:
    x = picture()
    x[:, :, :8] = 0
    result = ig(cnn(), x, target=1)
    assert not bool(result.values[:, :, :8].any())
    assert bool(result.values[:, :, 8:].any())


# Evidence.


@every_rule
@pytest.mark.parametrize("steps", [2, 5, 16])
def test_reported_gap_is_the_true_gap(quadrature: str, steps: int) -> None:
    model, x = cnn(), picture(2)
    result = ig(model, x, target=[1, 3], steps=steps, quadrature=quadrature)
    with torch.no_grad():
        change = (model(x) - model(torch.zeros_like(x)))[[0, 1], [1, 3]]
    gap = result.values.flatten(1).double().sum(1) - change
    assert result.evidence["completeness_gap"] == pytest.approx(gap.tolist(), abs=1e-6)
    assert result.evidence["score_change"] == pytest.approx(change.tolist(), abs=1e-6)
    assert result.base_value is not None
    torch.testing.assert_close(
        result.base_value, model(torch.zeros_like(x))[[0, 1], [1, 3]].detach()
    )


def test_more_steps_close_the_gap() -> None:
    model, x = cnn(), picture()
    gaps = [
        abs(ig(model, x, target=1, steps=n).evidence["completeness_gap"][0]) for n in (2, 16, 256)
    ]
    assert gaps[2] < 0.2 * gaps[0]


# Baselines.


def test_several_baselines_are_averaged() -> None:
    model, x = cnn(), picture(2)
    kinds = (Baseline.black(), Baseline.white(), Baseline.blur(2))
    alone = [ig(model, x, target=1, baseline=kind) for kind in kinds]
    together = ig(model, x, target=1, baseline=kinds)
    mean = torch.stack([one.values for one in alone]).mean(0)
    torch.testing.assert_close(together.values, mean, rtol=1e-4, atol=1e-7)
    assert together.base_value is not None
    bases = torch.stack([one.base_value for one in alone if one.base_value is not None])
    torch.testing.assert_close(together.base_value, bases.mean(0))


def test_a_tensor_is_one_baseline_and_not_one_a_channel() -> None:
    model, x = cnn(), picture(2)
    tensor = torch.rand(3, SIDE, SIDE)
    plain = ig(model, x, target=1, baseline=tensor)
    named = ig(model, x, target=1, baseline=Baseline.tensor(tensor))
    assert torch.equal(plain.values, named.values)
    change = (model(x) - model(tensor.unsqueeze(0)))[:, 1]
    assert plain.evidence["score_change"] == pytest.approx(change.tolist(), abs=1e-6)


# The path.


@every_rule
def test_path_ends_where_the_attribution_is(quadrature: str) -> None:
    result = ig(cnn(), picture(), target=1, quadrature=quadrature, steps=20)
    path = result.path
    assert path is not None
    assert path.maps is not None
    assert path.map_alpha is not None
    total = result.values.flatten(1).sum(1)
    torch.testing.assert_close(path.accumulated[:, -1], total, rtol=1e-4, atol=1e-6)
    assert path.maps.shape == (PATH_MAPS + 1, 1, SIDE, SIDE)
    assert not bool(path.maps[0].any())
    torch.testing.assert_close(path.maps[-1, 0], result.heatmap(), rtol=1e-4, atol=1e-6)
    assert path.map_alpha.tolist() == pytest.approx([i / PATH_MAPS for i in range(PATH_MAPS + 1)])


def test_path_tells_the_score_at_each_alpha() -> None:
    model, x = cnn(), picture(2)
    path = ig(model, x, target=1, steps=8, baseline="white").path
    assert path is not None
    assert path.maps is None
    assert path.alpha.tolist() == [i / 8 for i in range(9)]
    for k, alpha in enumerate(path.alpha.tolist()):
        point = alpha * x + (1 - alpha) * torch.ones_like(x)
        torch.testing.assert_close(path.score[:, k], model(point)[:, 1].detach(), atol=1e-5, rtol=0)
    assert torch.equal(path.baseline, torch.ones_like(x))


def test_partial_has_no_path_yet() -> None:
    from nbxplain.core.adapter import ModelAdapter
    from nbxplain.core.passes import Passes
    from nbxplain.explain import ask, attributions
    from nbxplain.methods.base import make

    adapter = ModelAdapter(cnn())
    setting = ask(adapter, adapter.read(picture()), 1)
    parts = list(
        attributions(setting, make("integrated_gradients"), Passes(adapter, chunk=8), None)
    )
    assert [part.path is None for part in parts] == [True] * (len(parts) - 1) + [False]


def test_table_rows() -> None:
    model, x = torch.nn.Linear(4, 3), torch.rand(2, 4)
    result = ig(model, x, target=1)
    torch.testing.assert_close(result.values, x * model.weight[1].detach(), rtol=1e-5, atol=1e-6)
