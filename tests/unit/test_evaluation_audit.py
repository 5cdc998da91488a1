"""Audits and benchmarks: a shortcut that was built in is found, and what cannot be told is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nbxplain import Regions, explain
from nbxplain.core.errors import ExplanationError, InputError
from nbxplain.evaluation import audit, benchmark, deletion, infidelity
from nbxplain.evaluation.ranking import METRICS, Benchmark, Metric
from nbxplain.evaluation.tabular import Table
from tests.models import Function, cnn, linear, picture

CORNER = torch.zeros(16, 16, dtype=torch.bool)
CORNER[:4, :4] = True
MIDDLE = torch.zeros(16, 16, dtype=torch.bool)
MIDDLE[6:10, 6:10] = True


class Cheat(nn.Module):
    """Class 1 where the corner is bright; a little of the rest counts as well."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        bright = x[:, 0, :4, :4].mean((1, 2)) + 0.05 * x[:, 0].mean((1, 2))
        score = 20 * self.weight * (bright - 0.5)
        return torch.stack([-score, score], 1)


def marked(count: int = 12) -> Tensor:
    """Grey pictures; the first half has a mark in the corner."""
    x = 0.3 + 0.1 * picture(count)
    x[: count // 2, :, :4, :4] = 0.95
    return x


GROUPS = ["marked"] * 6 + ["plain"] * 6


# Audit.


def test_a_shortcut_is_found() -> None:
    found = audit(Cheat(), marked(), GROUPS, {"corner": CORNER, "middle": MIDDLE}, fill="black")
    assert found.shortcuts == ["corner"]
    assert found.verdict == "poor"
    assert "corner" in found.reading
    assert "differ at corner" not in found.reading or "points" in found.reading
    assert found.classes == ("1",) * 6 + ("0",) * 6
    # Without the mark every marked picture is class 0; the others were so before.
    assert found.flips[:, 0].tolist() == [1] * 6 + [0] * 6
    assert found.flips[:, 1].sum() == 0
    assert found.score == 0.5
    assert found.area.unique().tolist() == [16 / 256]


def test_the_numbers_are_those_of_explain_and_of_the_model() -> None:
    x = marked()
    found = audit(Cheat(), x, GROUPS, {"corner": CORNER}, "gradient", fill="black", block=5)
    attribution = explain(Cheat(), x, "gradient")
    maps = attribution.values.sum(1).double()
    share = maps[:, :4, :4].abs().sum((1, 2)) / maps.abs().sum((1, 2))
    np.testing.assert_allclose(found.share[:, 0], share, rtol=1e-4)
    np.testing.assert_allclose(found.signed[:, 0], maps[:, :4, :4].sum((1, 2)), rtol=1e-4)
    changed = x.clone()
    changed[:, :, :4, :4] = 0
    before, after = (Cheat()(given).softmax(1).detach() for given in (x, changed))
    winner = before.argmax(1, keepdim=True)
    np.testing.assert_allclose(
        found.change, before.gather(1, winner) - after.gather(1, winner), atol=1e-5
    )


def test_the_table_is_by_class_and_group() -> None:
    found = audit(Cheat(), marked(), GROUPS, {"corner": CORNER, "middle": MIDDLE})
    table = found.table()
    assert [row["region"] for row in table[:2]] == ["corner", "middle"]
    everyone = [row for row in table if row["class"] == row["group"] == "all"]
    assert [row["inputs"] for row in everyone] == [12, 12]
    marked_ones = [row for row in table if row["group"] == "marked" and row["class"] == "1"]
    assert marked_ones[0]["attribution inside"] == pytest.approx(float(found.share[:6, 0].mean()))
    assert not [row for row in table if row["group"] == "marked" and row["class"] == "0"]
    assert "corner" in repr(table)
    assert "<td>corner</td>" in table._repr_html_()
    assert isinstance(found.figure(), matplotlib.figure.Figure)


def test_regions_that_do_not_matter_are_none() -> None:
    x = picture(6)
    mean = Function(lambda x: torch.stack([x.mean((1, 2, 3)), 0.5 * x.mean((1, 2, 3))], 1))
    found = audit(mean, x, None, {"corner": CORNER}, "gradient")
    assert found.shortcuts == []
    assert found.verdict == "good"
    assert found.value == "none found"
    np.testing.assert_allclose(found.share, 16 / 256, rtol=1e-4)
    assert found.differences() == []


def test_features_of_a_table_and_the_difference_between_groups() -> None:
    """The score is x0 in group a, where x1 is always 0, and x0 + x1 in group b."""
    torch.manual_seed(0)
    x = torch.rand(40, 3) + 0.5
    x[:20, 1] = 0
    groups = ["a"] * 20 + ["b"] * 20
    model = nn.Linear(3, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, 1.0, 0.0]]))
    found = audit(model, x, groups, method="input_x_gradient", fill="baseline")
    assert found.regions == ("feature 0", "feature 1", "feature 2")
    torch.testing.assert_close(found.signed, (x * model.weight.detach()).double())
    torch.testing.assert_close(
        found.change, (x * model.weight.detach()).double(), atol=1e-5, rtol=0
    )
    assert bool(found.flips.isnan().all())
    rows = {(r["group"], r["region"]): r for r in found.differences()}
    one = rows["b", "feature 1"]
    assert one["signed"] == pytest.approx(float(x[20:, 1].mean()), abs=1e-5)
    assert 0 < one["signed from"] < one["signed"] < one["signed to"]
    none = rows["b", "feature 2"]
    assert none["signed"] == none["signed from"] == none["signed to"] == 0


def test_features_by_name_and_together() -> None:
    x = torch.rand(6, 3)
    together = audit(nn.Linear(3, 2), x, None, {"pair": [0, 2], "one": 1}, "gradient")
    single = audit(nn.Linear(3, 2), x, None, None, "gradient")
    assert together.regions == ("pair", "one")
    assert single.regions[2] == "feature 2"
    assert together.area[0].tolist() == pytest.approx([2 / 3, 1 / 3])


def test_a_grid_is_regions_too() -> None:
    found = audit(Cheat(), marked(), GROUPS, Regions.grid(4, 4))
    assert len(found.regions) == 16
    assert found.shortcuts[0] == found.regions[0]
    np.testing.assert_allclose(found.share.sum(1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"groups": ["a", "b"]}, "2 groups"),
        ({"regions": {"m": torch.ones(8, 8, dtype=torch.bool)}}, "shape"),
        ({"regions": {}}, "no region"),
        ({"regions": None}, "no region"),
        ({"regions": Regions.superpixels(10)}, "others in each picture"),
        ({"regions": [CORNER]}, "have names"),
        ({"regions": "border"}, "'border'.*Regions.grid"),
        ({"regions": {"m": "border"}}, "'border' is no mask.*booleans"),
        ({"dataset": torch.rand(4, 3), "regions": ["age"]}, "have names"),
        ({"dataset": torch.rand(4, 3), "regions": {"a": [5]}}, "no feature 5"),
        ({"dataset": torch.rand(4, 3), "regions": {"a": "age"}}, "no feature 'age'"),
    ],
)
def test_bad_audits(options: dict[str, Any], match: str) -> None:
    dataset = options.pop("dataset", marked(4))
    model = nn.Linear(3, 2) if dataset.ndim == 2 else cnn()
    with pytest.raises(InputError, match=match):
        audit(model, dataset, **{"regions": {"corner": CORNER}, **options}, method="gradient")


def test_the_model_is_left_as_it_was() -> None:
    model = cnn().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    audit(model, picture(3), None, {"corner": CORNER})
    benchmark(model, picture(3), ["gradient", "grad_cam"], ["sparseness"], progress=False)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


# Benchmark.


@pytest.fixture(scope="module")
def ranked() -> Benchmark:
    """On a linear model input times gradient is exact, the gradient is not."""
    return benchmark(
        linear(),
        picture(10),
        ["gradient", "input_x_gradient", "attention_raw"],
        ("deletion", "infidelity", "sensitivity_n", "max_sensitivity"),
        target=1,
        block=4,
        progress=False,
    )


def test_the_values_are_those_of_the_metrics(ranked: Benchmark) -> None:
    x = picture(10)
    expected = deletion(linear(), x, "gradient", target=1).auc
    np.testing.assert_allclose(ranked.values[0, 0], expected, rtol=1e-3)
    shares = infidelity(linear(), x, "gradient", target=1).shares
    np.testing.assert_allclose(ranked.values[0, 1], shares, rtol=1e-2)
    np.testing.assert_allclose(ranked.values[1, 2], 1, atol=1e-3)


def test_a_better_method_ranks_first(ranked: Benchmark) -> None:
    # What cannot run is listed, and does not take part with a made-up value.
    assert list(ranked.failures) == ["Attention"]
    assert bool(ranked.values[2].isnan().all())
    assert bool(ranked.ranks[2].isnan())
    assert bool((ranked.ranks[:2] <= 2).all())
    assert ranked.table()[-1]["method"] == "Attention"
    faithful = benchmark(
        linear(),
        picture(10),
        ["gradient", "input_x_gradient"],
        ("infidelity", "sensitivity_n"),
        target=1,
        progress=False,
    )
    assert faithful.best == "Input × Gradient"
    assert faithful.ranks.tolist() == [2, 1]
    assert "ranks first" in faithful.reading
    assert [row["method"] for row in faithful.table()] == ["Input × Gradient", "Gradient"]
    assert isinstance(faithful.figure(), matplotlib.figure.Figure)


USUAL, ROWS = torch.tensor([[3.0, 1.0], [5.0, 1.0]]), torch.tensor([[2.0, 2.0], [6.0, 3.0]])
"""A background whose mean is (4, 1), and rows of a table."""


def weighed() -> nn.Module:
    """The score 2 a + 10 b: of a row, 2 (a - 4) and 10 (b - 1) are due to its features."""
    model = nn.Linear(2, 1, bias=False).eval()
    nn.init.constant_(model.weight, 2.0)
    model.weight.data[0, 1] = 10.0
    return model


METHODS = ["integrated_gradients", "shapley", "gradient_shap"]


@pytest.mark.parametrize("method", METHODS)
def test_an_audit_of_a_table_is_against_its_background(method: str) -> None:
    found = audit(weighed(), ROWS, method=method, background=USUAL, progress=False)
    expected = torch.tensor([[-4.0, 10.0], [4.0, 20.0]], dtype=torch.float64)
    torch.testing.assert_close(found.signed, expected, rtol=1e-4, atol=1e-4)


def test_a_benchmark_of_a_table_is_against_its_background(tmp_path: Path) -> None:
    first = {"first": Metric(lambda case: case.values[:, 0], 1)}
    model, path = weighed(), tmp_path / "kept.json"

    def run(background: Tensor | None) -> Benchmark:
        given = {"background": background, "path": path, "progress": False}
        return benchmark(model, ROWS, METHODS, first, **given)

    expected = torch.tensor([[-4.0, 4.0]], dtype=torch.float64).expand(3, 1, 2)
    torch.testing.assert_close(run(USUAL).values, expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(InputError, match="another model, data set, background"):
        run(USUAL + 1)
    path.unlink()
    assert "Give background=" in run(None).failures["GradientSHAP"]


def values(*rows: list[list[float]], better: int = 1) -> Benchmark:
    """A benchmark with these values (methods, metrics, N)."""
    found = torch.tensor(rows, dtype=torch.float64)
    names = tuple("abcdef"[: len(found)])
    metrics = tuple(f"m{i}" for i in range(found.shape[1]))
    return Benchmark(names, metrics, (better,) * len(metrics), found, {})


def test_ranks_by_hand() -> None:
    found = values([[1.0, 1.0], [5.0, 5.0]], [[2.0, 2.0], [5.0, 5.0]], [[3.0, 3.0], [5.0, 5.0]])
    # The second metric gives the same for all: it cannot tell, and does not enter.
    assert found.telling() == [True, False]
    assert found.ranks.tolist() == [3, 2, 1]
    assert found.best == "c"
    assert "m1 cannot tell" in found.reading
    assert found.table()[0]["m1 ↑"] == "cannot tell"
    assert values([[1.0]], [[2.0]], better=-1).ranks.tolist() == [1, 2]
    tied = values([[1.0], [1.0]], [[1.0], [2.0]], [[0.0], [0.0]])
    assert tied.ranks.tolist() == [(1.5 + 2) / 2, (1.5 + 1) / 2, 3]


def test_equal_values_are_no_rank() -> None:
    found = values([[1.0, 2.0]], [[2.0, 1.0]])
    assert found.telling() == [False]
    assert np.isnan(found.score)
    assert found.best is None
    assert found.reading.startswith("cannot tell")
    unknown = values([[float("nan")] * 2], [[1.0, 1.0]])
    assert unknown.telling() == [False]


def test_no_best_where_inputs_differ() -> None:
    noise = torch.randn(8, generator=torch.Generator().manual_seed(0)).tolist()
    found = values([noise], [[0.0] * 8])
    assert found.best is None
    assert "no method" in found.reading


def test_intervals_are_those_of_the_mean() -> None:
    drawn = torch.randn(200, generator=torch.Generator().manual_seed(0)).tolist()
    low, high = values([drawn], [[0.0] * 200]).intervals()
    width = 2 * 1.96 * float(np.std(drawn)) / 200**0.5
    assert float(high[0, 0] - low[0, 0]) == pytest.approx(width, rel=0.15)
    assert float(low[1, 0]) == float(high[1, 0]) == 0


def test_it_goes_on_from_where_it_was(tmp_path: Path) -> None:
    path, calls = tmp_path / "bench.json", list[int]()

    def count(limit: int) -> Metric:
        def measure(case: Any) -> Tensor:
            if len(calls) >= limit:
                raise KeyboardInterrupt
            calls.append(len(case))
            return METRICS["sparseness"].measure(case)

        return Metric(measure, 1)

    def run(limit: int) -> Benchmark:
        return benchmark(
            cnn(), picture(6), ["gradient", "input_x_gradient"], {"gini": count(limit)},
            path=path, block=2, target=1, progress=False,
        )  # fmt: skip

    with pytest.raises(KeyboardInterrupt):
        run(2)
    assert len(json.loads(path.read_text())["known"]) == 2
    found = run(100)
    assert len(calls) == 6
    again = run(0)
    assert torch.equal(found.values, again.values)
    with pytest.raises(InputError, match="another model"):
        benchmark(linear(), picture(6), ["gradient"], ["sparseness"], path=path, progress=False)
    path.write_text("{}")
    with pytest.raises(InputError, match="no benchmark"):
        run(100)


@pytest.mark.parametrize(
    ("methods", "metrics", "error", "match"),
    [
        ([], ["sparseness"], InputError, "no method"),
        (["gradient"], ["sparsness"], InputError, "sparseness"),
        (["gradient", "gradient"], ["sparseness"], InputError, "twice"),
        (["gradiant"], ["sparseness"], ExplanationError, "gradient"),
    ],
)
def test_bad_benchmarks(
    methods: list[str], metrics: list[str], error: type[ExplanationError], match: str
) -> None:
    with pytest.raises(error, match=match):
        benchmark(cnn(), picture(), methods, metrics, progress=False)


def test_a_table_says_what_is_not_known() -> None:
    table = Table([{"a": float("nan"), "b": "<x>"}, {"a": 1.23456, "b": "y"}])
    assert repr(table).splitlines() == ["a     b", "–     <x>", "1.23  y"]
    assert "&lt;x&gt;" in table._repr_html_()
    assert repr(Table()) == ""
