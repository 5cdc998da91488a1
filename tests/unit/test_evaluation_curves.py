"""Deletion and insertion, on linear models whose best order is known and against slow loops."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import matplotlib.figure
import numpy as np
import pytest
import torch
from sklearn.ensemble import GradientBoostingClassifier
from torch import Tensor, nn

from nbxplain import Baseline, Contrast, ExplanationError, Regions, explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import InputError, MethodError, TargetError
from nbxplain.core.inputs import read
from nbxplain.core.passes import Passes
from nbxplain.evaluation import Case, deletion, deletion_steps, insertion, insertion_steps
from nbxplain.evaluation.case import spread
from nbxplain.evaluation.curves import area
from nbxplain.explain import ask
from tests.models import Function, cnn, linear, picture

WEIGHTS = torch.tensor([3.0, -1.0, 0.5, 2.0, -2.5])
ROW = torch.tensor([[1.0, 2.0, -1.0, 0.5, 1.0]])


def weighted() -> nn.Module:
    """One score, w . x; its contributions are 3, -2, -.5, 1, -2.5."""
    model = nn.Linear(5, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(WEIGHTS)
    return model.eval()


TERMS = ROW * WEIGHTS


def test_area_is_rises() -> None:
    """The sum less the mean of both ends, over the intervals: by hand, and as trapezoids."""
    assert float(area(torch.tensor([1.0, 0.5, 0.0]))) == 0.5
    assert float(area(torch.tensor([1.0, 0.0, 0.0, 0.0]))) == pytest.approx(1 / 6)
    curve = torch.rand(7, generator=torch.Generator().manual_seed(0))
    assert float(area(curve)) == pytest.approx(np.trapezoid(curve.numpy(), dx=1 / 6))


def test_the_curve_of_a_linear_model_by_hand() -> None:
    down = deletion(weighted(), ROW, TERMS)
    # Taken away in the order 3, 1, -.5, -2, -2.5.
    assert down.curve[0].tolist() == pytest.approx([-1, -4, -5, -4.5, -2.5, 0])
    assert down.unit == "score"
    up = insertion(weighted(), ROW, TERMS)
    assert up.curve[0].tolist() == pytest.approx([0, 3, 4, 3.5, 1.5, -1])
    assert up.score == pytest.approx((0 + 3 + 4 + 3.5 + 1.5 - 1 - (0 - 1) / 2) / 5)
    assert float(down.aopc) == pytest.approx((0 + 3 + 4 + 3.5 + 1.5 - 1) / 6)
    assert down.share.tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])


def test_true_contributions_of_a_linear_model_are_the_best_order_and_their_negative_the_worst() -> (
    None
):
    def areas(check: Callable[..., Any], terms: Tensor) -> float:
        return float(check(weighted(), ROW, terms, random=2).score)

    every = [torch.tensor([order], dtype=torch.float) for order in permutations(range(5))]
    for check, best in ((deletion, min), (insertion, max)):
        worst = max if best is min else min
        found = [areas(check, order) for order in every]
        assert areas(check, TERMS) == pytest.approx(best(found))
        assert areas(check, -TERMS) == pytest.approx(worst(found))


def test_metrics_order_maps_of_known_quality() -> None:
    """On the pixels of a linear model: its terms, terms under noise, their negative."""
    x = picture()
    weight = linear()[1].weight[1].detach().view(1, 3, 16, 16)  # type: ignore[index,union-attr]
    terms = weight * x
    noise = torch.randn(terms.shape, generator=torch.Generator().manual_seed(1))
    maps = [terms, terms + terms.std() * noise, -terms]
    for check in (deletion, insertion):
        found = [check(linear(), x, m, target=1, unit="score", fill="baseline") for m in maps]
        sigmas = [f.beats for f in found]
        assert sigmas[0] > sigmas[1] > 2 > 0 > sigmas[2]
        assert [f.verdict for f in found] == ["good", "good", "poor"]
        assert "beats a random order" in found[0].reading
        assert "does worse than a random order" in found[2].reading


def slow(model: nn.Module, x: Tensor, values: Tensor, fill: Tensor, points: int, up: bool) -> Any:
    """Pixel flipping, pixel by pixel in float64 (in Quantus' definition); no ties."""
    model, x, fill = model.double(), x.double(), fill.double()
    height, width = x.shape[2:]
    order = sorted(range(height * width), key=lambda p: -float(values.flatten()[p]))
    levels = np.linspace(0, height * width, points).round().astype(int)
    curve = []
    for level in levels:
        changed = (fill if up else x).clone()
        for p in order[:level]:
            r, c = divmod(p, width)
            changed[0, :, r, c] = (x if up else fill)[0, :, r, c]
        curve.append(float(model(changed).softmax(1)[0, 3].detach()))
    return curve


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("points", [2, 9])
def test_the_curve_is_that_of_a_slow_loop(up: bool, points: int) -> None:
    x, values = picture(), torch.rand(16, 16, generator=torch.Generator().manual_seed(3))
    check = insertion if up else deletion
    found = check(cnn(), x, values, target=3, points=points, fill="mean", random=2)
    fill = x.mean((2, 3), keepdim=True).expand_as(x)
    expected = slow(cnn(), x, values, fill, points, up)
    assert found.unit == "probability"
    np.testing.assert_allclose(found.curve[0], expected, atol=1e-5)


def test_what_is_put_in() -> None:
    x = picture()
    for fill in ("baseline", "blur", "mean", Baseline.white()):
        kind = fill if isinstance(fill, str) else "white"
        kind = "black" if kind == "baseline" else kind
        found = deletion(cnn(), x, "gradient", target=1, fill=fill, points=3, random=2)
        assert found.fill == kind
        baseline = Baseline(kind=kind)
        empty = baseline.tensor_for(read(x, None), torch.device("cpu"))
        expected = cnn()(empty).softmax(1)[0, 1]
        assert float(found.curve[0, -1]) == pytest.approx(float(expected.detach()), abs=1e-5)


def test_what_is_usual_is_put_into_tables() -> None:
    """A method that averages over a background has no baseline; 0 may never occur."""
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    background = 5 + torch.rand(20, 4, generator=torch.Generator().manual_seed(0))
    found = deletion(
        model, torch.ones(1, 4), "shapley", background=background, target=0, unit="score", random=2
    )
    with torch.no_grad():
        usual = float(model(background.mean(0, keepdim=True))[0, 0])
    assert found.fill == "mean"
    assert float(found.curve[0, -1]) == pytest.approx(usual, abs=1e-5)


def test_the_methods_own_baseline_is_the_fill() -> None:
    x = picture()
    attribution = explain(cnn(), x, "integrated_gradients", baseline="white", steps=4, target=1)
    found = deletion(cnn(), x, attribution, points=3, random=2)
    assert float(found.curve[0, -1]) == pytest.approx(
        float(cnn()(torch.ones_like(x)).softmax(1)[0, 1].detach()), abs=1e-5
    )


def test_random_orders_are_as_coarse_as_the_map() -> None:
    """Of a map of 2 x 2 cells a quarter taken away is one connected corner of the picture."""
    seen: list[Tensor] = []

    def keep(x: Tensor) -> Tensor:
        seen.append(x.detach().clone())
        return x.flatten(1).sum(1, keepdim=True) * torch.ones(1, 2)

    deletion(Function(keep), picture(), torch.rand(2, 2), points=5, random=2, chunk=64)
    gone = (torch.cat(seen) == 0).all(1).float()
    quarters = [g for g in gone if 0.2 < float(g.mean()) < 0.3]
    edges = [float((g[1:] != g[:-1]).sum() + (g[:, 1:] != g[:, :-1]).sum()) for g in quarters]
    assert len(edges) == 3
    assert max(edges) < 60  # scattered single pixels would have about 170


def test_a_constant_map_cannot_tell() -> None:
    for check in (deletion, insertion):
        found = check(linear(), picture(), torch.ones(16, 16), random=3, points=5)
        assert np.isnan(found.score)
        assert np.isnan(found.beats)
        assert found.verdict == "plain"
        assert found.value == "cannot tell"
        assert found.reading.startswith("cannot tell")


def test_equal_scores_cannot_tell() -> None:
    flat = Function(lambda x: torch.ones(len(x), 3) + 0 * x.flatten(1).sum(1, keepdim=True))
    found = deletion(flat, picture(), torch.rand(16, 16), random=3, points=5)
    assert found.value == "cannot tell"
    assert found.verdict == "plain"


def test_ties_fall_at_random_and_not_along_rows() -> None:
    """A map of two levels: half of the upper half, taken away first, is spread over all of it."""
    values = torch.zeros(16, 16)
    values[:8] = 1
    seen: list[Tensor] = []

    def keep(x: Tensor) -> Tensor:
        seen.append(x.detach().clone())
        return x.flatten(1).sum(1, keepdim=True) * torch.ones(1, 2)

    deletion(Function(keep), picture(), values, points=5, random=2, chunk=64)
    gone = (torch.cat(seen) == 0).all(1)
    quarter = next(g for g in gone if int(g.sum()) == 64)
    assert not quarter[8:].any()
    assert 16 < int(quarter[:4].sum()) < 48


def test_same_seed_same_bytes_whatever_the_chunk() -> None:
    x, values = picture(3), picture(3, seed=1)[:, 0]
    runs = [
        deletion(cnn(), x, values, target=1, points=5, random=3, chunk=chunk)
        for chunk in (1, 7, None)
    ]
    for run in runs[1:]:
        torch.testing.assert_close(run.curve, runs[0].curve, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(run.random, runs[0].random, rtol=1e-4, atol=1e-6)
    again = deletion(cnn(), x, values, target=1, points=5, random=3, chunk=7)
    assert torch.equal(again.random, runs[1].random)
    other = deletion(cnn(), x, values, target=1, points=5, random=3, seed=1)
    assert not torch.equal(other.random, runs[2].random)


def test_a_batch_is_judged_as_one_by_one() -> None:
    x, values = picture(3), picture(3, seed=1)[:, 0]
    together = insertion(cnn(), x, values, target=1, points=5, random=3)
    for row in range(3):
        alone = insertion(cnn(), x[row], values[row], target=1, points=5, random=3)
        torch.testing.assert_close(alone.curve[0], together.curve[row], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(alone.random[0], together.random[row], rtol=1e-4, atol=1e-6)
    assert together.score == pytest.approx(float(together.auc.mean()))


def test_every_point_is_evaluated_once() -> None:
    """The ends, which all orders share, cost one evaluation each."""
    calls: list[int] = []

    def count(x: Tensor) -> Tensor:
        calls.append(len(x))
        return x.flatten(1)[:, :4] * 2

    steps = list(
        deletion_steps(
            _case(Function(count), picture(2), torch.rand(2, 16, 16)), points=6, random=3, seed=0
        )
    )
    wanted = 2 * (2 + 4 * 4)
    assert steps[-1].total == wanted
    # One more for the prediction of each, and a few to settle the memory layout.
    assert wanted <= sum(calls) - 2 <= wanted + 24
    assert [s.done for s in steps] == sorted(s.done for s in steps)
    assert steps[-1].complete
    assert bool(steps[-1].random.isfinite().all())


def _case(model: nn.Module, x: Tensor, values: Tensor) -> Case:
    adapter = ModelAdapter(model)
    setting = ask(adapter, adapter.read(x), 0)
    return Case(setting, values.unsqueeze(1), lambda: Passes(adapter, chunk=4))


def test_steps_begin_with_the_maps_own_curve() -> None:
    steps = insertion_steps(_case(cnn(), picture(), torch.rand(1, 16, 16)), points=9, random=3)
    first = next(s for s in steps if s.curve.isfinite().all())
    assert not first.complete
    assert not bool(first.random.isfinite().all(2).any())
    assert np.isnan(first.beats)
    assert "evaluations" in first.reading
    assert isinstance(first.figure(), matplotlib.figure.Figure)


def test_regions_are_taken_away_whole() -> None:
    x = picture()
    attribution = explain(linear(), x, "feature_ablation", target=1, regions=Regions.grid(2, 2))
    found = deletion(linear(), x, attribution, target=1, points=5, random=4, unit="score")
    values = attribution.heatmap()[::8, ::8].flatten()
    weight = linear()[1].weight[1].detach().view(1, 3, 16, 16)  # type: ignore[index,union-attr]
    terms = (weight * x).sum(1).view(2, 8, 2, 8).sum((1, 3)).flatten()
    intact = float(linear()(x)[0, 1].detach())
    falls = terms[values.argsort(descending=True)].cumsum(0)
    expected = [intact, *(intact - falls).tolist()]
    assert found.curve[0].tolist() == pytest.approx(expected, abs=1e-4)


def test_the_model_is_left_as_it_was() -> None:
    model = cnn().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    deletion(model, picture(), "gradient", points=3, random=2)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_an_attribution_brings_its_inputs_and_its_target() -> None:
    x = picture(2)
    attribution = explain(cnn(), x, "gradient", target=[Contrast(1, 2), 3])
    found = deletion(cnn(), None, attribution, points=3, random=2)
    scores = cnn()(x).detach()
    assert found.unit == "score"
    expected = [float(scores[0, 1] - scores[0, 2]), float(scores[1, 3])]
    assert found.curve[:, 0].tolist() == pytest.approx(expected, abs=1e-5)


def test_coarse_maps_are_spread_smoothly() -> None:
    values = torch.tensor([[[0.0, 1.0], [2.0, 3.0]]])
    wide = spread(values, read(picture(), None))[0]
    assert wide.shape == (16, 16)
    assert bool((wide[0].diff() >= 0).all())
    assert len(wide.unique()) > 30


@pytest.mark.parametrize(
    ("inputs", "given", "options", "error", "match"),
    [
        (picture(), torch.rand(17, 16), {}, InputError, "shape"),
        (picture(), torch.rand(4, 16), {}, InputError, "shape"),
        (picture(), torch.rand(2, 16, 16), {}, InputError, "shape"),
        (picture(), torch.full((16, 16), float("nan")), {}, InputError, "NaN"),
        (picture(2), explain(cnn(), picture(), "gradient"), {}, InputError, "another input"),
        (None, torch.rand(16, 16), {}, InputError, "no input"),
        (picture(), "gradiant", {}, MethodError, "gradient"),
        (picture(), explain(cnn(), picture(seed=1), "gradient"), {}, InputError, "other values"),
        (picture(), "gradient", {"fill": "nonsense"}, InputError, "no fill 'nonsense'"),
        (picture(), "gradient", {"points": 1}, InputError, "two"),
        (picture(), "gradient", {"random": 1}, InputError, "two"),
        (
            picture(),
            "gradient",
            {"target": Contrast(1, 2), "unit": "probability"},
            TargetError,
            "probability",
        ),
        (torch.rand(2, 5), torch.rand(2, 4), {}, InputError, "shape"),
        (torch.rand(2, 5), torch.rand(2, 5), {"fill": "blur"}, InputError, "blur"),
    ],
)
def test_bad_input(
    inputs: Any, given: Any, options: dict[str, Any], error: type[ExplanationError], match: str
) -> None:
    model = weighted() if inputs is not None and inputs.ndim == 2 else cnn()
    with pytest.raises(error, match=match):
        deletion(model, inputs, given, **options)


def test_a_target_known_by_name_only_must_be_given_again() -> None:
    attribution = explain(cnn(), picture(), "gradient", target=lambda out: out[:, 0])
    with pytest.raises(TargetError, match="again"):
        deletion(cnn(), None, attribution)
    found = deletion(cnn(), None, attribution, target=lambda out: out[:, 0], points=3, random=2)
    assert found.unit == "score"


def test_figure_and_finding() -> None:
    found = deletion(cnn(), picture(), "gradient", points=4, random=3)
    drawing = found.figure(width="single")
    assert len(drawing.axes[0].lines) == 2
    assert "deletion" in drawing.axes[0].get_title(loc="left").lower()
    assert found.finding().help == found.reading
    assert found._repr_png_()[:4] == b"\x89PNG"


def test_probabilities_are_those_of_the_model_also_behind_log_odds() -> None:
    """Boosting is explained in log odds (-m, m), whose softmax is no probability."""
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(80, 3))
    model = GradientBoostingClassifier(n_estimators=5, random_state=0)
    model.fit(rows, rows[:, 0] > 0.3)
    setting = ask(ModelAdapter(model), ModelAdapter(model).read(rows[:4]), 1)
    case = Case(setting, torch.ones(4, 3), lambda: Passes(setting.adapter))
    assert case.unit(None) == "probability"
    question = case.question("probability")
    expected = torch.from_numpy(model.predict_proba(rows[:4])[:, 1])
    torch.testing.assert_close(question.scores(question.tensor), expected)
