"""Counterfactual rows: closed forms, the causal loan, and bounds that hold whatever is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import InputError, MethodError, TargetError
from nbxplain.counterfactuals import CausalGraph, counterfactuals
from nbxplain.counterfactuals.bounds import Allowed
from nbxplain.counterfactuals.find import Plan, searching
from tests.snapshot import snapshot

SEARCHES = ["gradient", "genetic", "nearest"]
every_search = pytest.mark.parametrize("search", SEARCHES)


class Line(nn.Module):
    """Two classes: the second one's score is w.x + b, the first one's is nothing."""

    def __init__(self, weights: list[float], bias: float) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(weights, dtype=torch.float64))
        self.bias = bias

    def forward(self, x: Tensor) -> Tensor:
        score = x @ self.w + self.bias
        return torch.stack([torch.zeros_like(score), score], 1)


UNIT = np.array([[-1.0, -1, -1], [1, 1, 1], [-1, 1, 1], [1, -1, -1]]) * 4.1
"""Rows whose median absolute deviation is 4.1 in every feature."""


@every_search
def test_the_cheapest_change_of_a_linear_model_is_of_one_feature(search: Any) -> None:
    """|s| / max |w| = 1.0 for w = (2, -1, .5), s = -2, by exactly one feature."""
    model = Line([2.0, -1.0, 0.5], -2.0)
    result = counterfactuals(model, np.zeros(3), 1, background=UNIT, k=1, search=search)
    assert result.valid.all()
    assert result.changed.tolist() == [[1]]
    (change,) = (result.rows[0, 0] - result.original[0])[:1].tolist()
    assert change == pytest.approx(1.0, abs=0.02)
    assert float(result.distance[0, 0]) == pytest.approx(1 / 4.1, abs=0.005)


def test_where_one_feature_is_not_enough_the_next_best_one_follows() -> None:
    """The knapsack's solution: 0.5 of the first feature is all there may be, and gains 1 of the 2
    that are wanted; the second one, of slope -1, gives the other 1 of its 1.5."""
    model = Line([2.0, -1.0, 0.5], -2.0)
    result = counterfactuals(
        model, np.zeros(3), 1, background=UNIT, k=1, search="gradient",
        ranges={"feature 0": (-4.0, 0.5), "feature 1": (-1.5, 1.5), "feature 2": (-1.0, 1.0)},
    )  # fmt: skip
    torch.testing.assert_close(
        result.rows[0, 0], torch.tensor([0.5, -1, 0]).to(result.rows), atol=0.03, rtol=0
    )


def test_a_query_alone_takes_few_passes(cancer: Any) -> None:
    """What it costs is the calls of the model: each looks at all candidates together."""
    model, x, names = cancer
    calls: list[int] = []

    class Counted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, rows: Tensor) -> Tensor:
            calls.append(len(rows))
            scores: Tensor = self.inner(rows)
            return scores

    queries = x[model(x).argmax(1) == 0][:10]
    for query in queries:
        found = counterfactuals(
            Counted(), query, 1, background=x.numpy(), feature_names=names, search="gradient"
        )
        assert found.validity == 1
    assert len(calls) / len(queries) <= 30


def test_costs_decide_which_feature_is_changed() -> None:
    model = Line([2.0, -1.0, 0.5], -2.0)
    result = counterfactuals(model, np.zeros(3), 1, background=UNIT, k=1, costs={"feature 0": 5.0})
    assert list(result.changes()[0]) == ["feature 1"]


LOAN = np.array(
    [[40000.0, 10000], [75000, 25000], [110000, 40000], [160000, 60000], [90000, 30000]]
)


def loan() -> Line:
    """Karimi et al. 2021: h = sign(x1 + 5 x2 - 225000), in thousands for the slope's sake."""
    return Line([1.0, 5.0], -225_000.0)


def test_the_loan_without_its_graph() -> None:
    names = ["income", "balance"]
    for free, expected in (("income", 100_000), ("balance", 30_000)):
        held = [name for name in names if name != free]
        result = counterfactuals(
            loan(), [75000.0, 25000.0], 1, background=LOAN, feature_names=names,
            immutable=held, k=1,
        )  # fmt: skip
        at = names.index(free)
        assert float(result.rows[0, 0, at]) == pytest.approx(expected, rel=1e-3)


@every_search
def test_the_loan_with_its_graph(search: Any) -> None:
    """do(income = 85000), +13.3 %, carries the balance to 28000: exactly on the boundary."""
    graph = CausalGraph({"balance": (["income"], lambda income: 0.3 * income)})
    result = counterfactuals(
        loan(), {"income": 75000.0, "balance": 25000.0}, 1, background=LOAN,
        feature_names=["income", "balance"], causal_graph=graph, k=1, search=search,
        costs={"balance": 100.0},
    )  # fmt: skip
    assert result.valid.all()
    income, balance = result.rows[0, 0].tolist()
    assert income == pytest.approx(85_000, rel=2e-3)
    assert balance == pytest.approx(28_000, rel=2e-3)
    assert result.actions[0, 0, 1] == 0
    assert result.changed.tolist() == [[1]]


def test_a_cycle_is_refused() -> None:
    with pytest.raises(InputError, match="a -> b -> a"):
        CausalGraph({"a": (["b"], lambda b: b), "b": (["a"], lambda a: a)})


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    held=st.sets(st.integers(0, 4), max_size=3),
    search=st.sampled_from(SEARCHES),
    rising=st.integers(0, 4),
    ranged=st.integers(0, 4),
)
def test_bounds_hold_for_every_row(
    seed: int, held: set[int], search: Any, rising: int, ranged: int
) -> None:
    """150 random models, 5 rows each, 4 counterfactuals a row: 3000 cases, to the last bit."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2)).double()
    data = torch.randn(60, 5, generator=generator, dtype=torch.float64)
    data[:, 4] = (3 * data[:, 4]).round()
    rows = data[model(data).argmax(1) == 0][:5]
    if not len(rows):
        return
    span = (float(data[:, ranged].min()) - 1, float(data[:, ranged].max()) + 1)
    if ranged not in held | {rising} and seed % 2:
        span = (0.5, 2.0)  # the values of most rows lie outside
    result = counterfactuals(
        model, rows, 1, background=data.numpy(), search=search, steps=10, seed=seed,
        immutable=[f"feature {i}" for i in held], monotone={f"feature {rising}": "increase"},
        ranges={f"feature {ranged}": span} if ranged not in held | {rising} else {},
    )  # fmt: skip
    before = rows.unsqueeze(1)
    for place in held:
        assert torch.equal(result.rows[..., place], before[..., place].expand_as(result.valid))
    assert bool((result.rows[..., rising] >= before[..., rising]).all())
    assert float(result.rows[..., ranged].min()) >= span[0]
    assert float(result.rows[..., ranged].max()) <= span[1]
    valid = result.rows[result.valid]
    assert bool((model(valid).argmax(1) == 1).all())
    whole = valid[:, 4]
    assert torch.equal(whole, whole.round())
    assert torch.equal(result.valid, result.margin > 1e-6)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    arrows=st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=5),
    search=st.sampled_from(SEARCHES),
    held=st.integers(0, 4),
)
def test_what_follows_is_what_the_equations_say(
    seed: int, arrows: set[tuple[int, int]], search: Any, held: int
) -> None:
    """60 random graphs, 5 rows each, 4 counterfactuals a row: 1200 cases. Every effect is its
    equation at the causes' new values, with the noise that it had and what was done to it."""
    generator = torch.Generator().manual_seed(seed)
    data = torch.randn(60, 5, generator=generator, dtype=torch.float64)
    slopes = torch.randn(5, 5, generator=generator, dtype=torch.float64)
    causes = {j: sorted(i for i, k in arrows if k == j and i < j) for j in range(5)}

    def equation(effect: int) -> Any:
        def said(*values: Tensor) -> Tensor:
            pairs = zip(causes[effect], values, strict=True)
            return sum((slopes[i, effect] * torch.tanh(v) for i, v in pairs), torch.zeros(()))

        return said

    effects = {j: known for j, known in causes.items() if known}
    graph = CausalGraph(
        {
            f"feature {j}": ([f"feature {i}" for i in known], equation(j))
            for j, known in effects.items()
        }
    )
    model = Line([1.0, -0.5, 2.0, 0.3, -1.0], -0.5)
    rows = data[model(data)[:, 1] < 0][:5]
    result = counterfactuals(
        model, rows, 1, background=data.numpy(), search=search, steps=10, seed=seed,
        immutable=[f"feature {held}"], causal_graph=graph,
    )  # fmt: skip
    before, after = rows.unsqueeze(1), result.rows
    assert bool((result.actions[..., held] == 0).all())
    valid = result.valid
    for j in range(5):
        known = causes[j]
        expected = before[..., j] + result.actions[..., j]
        if known:
            old = equation(j)(*(before[..., i] for i in known))
            expected = expected + equation(j)(*(after[..., i] for i in known)) - old
        torch.testing.assert_close(after[..., j][valid], expected[valid], atol=1e-5, rtol=0)
    assert torch.equal(after[..., held][valid], before[..., held].expand_as(valid)[valid])
    assert bool((model(after[valid]).argmax(1) == 1).all())


@pytest.fixture(scope="module")
def cancer() -> tuple[nn.Module, Tensor, list[str]]:
    """The ten mean features, and a network of 20 units."""
    data = load_breast_cancer()
    x, y = torch.tensor(data.data[:, :10]).float(), torch.tensor(data.target)
    torch.manual_seed(0)

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 2))
            self.register_buffer("mean", x.mean(0))
            self.register_buffer("std", x.std(0))

        def forward(self, rows: Tensor) -> Tensor:
            scores: Tensor = self.net((rows - self.mean) / self.std)
            return scores

    model = Scaled()
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(200):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimiser.step()
    return model.eval(), x, [str(name) for name in data.feature_names[:10]]


@every_search
def test_breast_cancer_is_valid_and_sparse(cancer: Any, search: Any) -> None:
    model, x, names = cancer
    before = snapshot(model)
    queries = x[model(x).argmax(1) == 0][:20]
    result = counterfactuals(
        model, queries, 1, background=x.numpy(), feature_names=names, search=search,
        immutable=["mean texture"],
    )  # fmt: skip
    assert snapshot(model) == before
    assert result.validity >= 0.98
    assert float(result.changed.double().mean()) <= 3
    assert torch.equal(result.rows[..., 1], result.original[:, None, 1].expand_as(result.valid))
    assert float(result.diversity.mean()) > 1
    again = counterfactuals(
        model, queries, 1, background=x.numpy(), feature_names=names, search=search,
        immutable=["mean texture"],
    )  # fmt: skip
    assert torch.equal(again.rows, result.rows)


def test_a_forest_and_its_categories() -> None:
    generator = np.random.default_rng(0)
    colour = generator.choice(["red", "green", "blue"], 300)
    size = generator.normal(size=300)
    answer = (size + 2 * (colour == "red") > 1).astype(int)
    codes = {"red": 0.0, "green": 1.0, "blue": 2.0}

    def encoded(rows: Any) -> Any:
        return np.array([[codes[str(c)], float(s)] for c, s in rows])

    rows = [{"colour": str(c), "size": float(s)} for c, s in zip(colour, size, strict=True)]
    forest = RandomForestClassifier(30, random_state=0).fit(
        encoded(list(zip(colour, size, strict=True))), answer
    )
    result = counterfactuals(
        lambda table: forest.predict_proba(encoded(table)), {"colour": "blue", "size": -0.2}, "1",
        background=rows, labels=["0", "1"],
    )  # fmt: skip
    assert result.search == "genetic"
    assert result.valid.all()
    kinds = [set(changed) for changed in result.changes()]
    assert {"colour"} in kinds or {"colour", "size"} in kinds
    assert result.describe()["queries"][0]["counterfactuals"][0]["valid"]
    assert "to be 1" in result.summary()
    assert result.figure().axes


def test_wine_with_a_logistic_regression() -> None:
    data = load_wine()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data, data.target)
    rows = data.data[model.predict(data.data) == 0][:5]
    result = counterfactuals(model, rows, 2, background=data.data, feature_names=data.feature_names)
    assert result.validity == 1
    found = result.rows.flatten(0, 1).numpy()
    assert set(model.predict(found)) == {2}


def test_a_stopped_search_has_the_best_so_far(cancer: Any) -> None:
    model, x, names = cancer
    adapter = ModelAdapter(model, background=x.numpy(), feature_names=names)
    inputs = adapter.read(x[model(x).argmax(1) == 0][:1])
    steps = list(searching(adapter, inputs, 1, Allowed(), Plan(), every=0))
    assert [step.done for step in steps] == [*range(1, len(steps) + 1)]
    assert steps[-1].done == steps[-1].total
    assert all(step.validity == 1 for step in steps)
    assert float(steps[-1].distance.mean()) < float(steps[0].distance.mean())
    whole = list(searching(adapter, inputs, 1, Allowed(), Plan()))
    assert len(whole) == 1
    assert torch.equal(whole[0].rows, steps[-1].rows)


def test_the_code_finds_the_same_rows(cancer: Any) -> None:
    model, x, names = cancer
    row, background = x[model(x).argmax(1) == 0][0].numpy(), x.numpy()
    first = counterfactuals(
        model, row, "benign", background=background, k=2, seed=3, immutable=[names[1]],
        monotone={names[2]: "decrease"}, ranges={names[0]: (5.0, 30.0)}, costs={names[3]: 2.0},
        feature_names=names, labels=["malignant", "benign"],
    )  # fmt: skip
    space: dict[str, Any] = {"model": model, "row": row, "background": background}
    exec(first.code(), space)
    assert torch.equal(space["found"].rows, first.rows)


def test_rows_that_repeat_each_other_are_one() -> None:
    """A step has one nearest row beyond it, however many are asked for."""

    def step(rows: Any) -> Any:
        return np.where(rows[:, :1] > 3, [[0.0, 1.0]], [[1.0, 0.0]])

    background = np.array([[0.0, 0], [1, 1], [2, 0], [4, 1], [5, 0], [6, 1]])
    result = counterfactuals(step, [0.0, 0.0], 1, background=background, k=4)
    assert result.rows.tolist() == [[[4.0, 0.0]]]
    assert result.validity == 1
    assert result.notices == ["1 instead of 4: no others that differ were found."]


@every_search
def test_rows_that_all_but_repeat_each_other_are_one(search: Any) -> None:
    """One feature may change, and every way ends at its boundary, 1, or a rounding beyond it."""
    several = np.concatenate([UNIT, UNIT * 0.7, UNIT * 0.3])
    result = counterfactuals(
        Line([2.0, -1.0, 0.5], -2.0), np.zeros(3), 1, background=several, search=search,
        immutable=["feature 1", "feature 2"],
    )  # fmt: skip
    assert result.rows.shape[1] == 1
    assert float(result.rows[0, 0, 0]) == pytest.approx(1, abs=0.02)
    assert result.notices == ["1 instead of 4: no others that differ were found."]


def test_rows_that_change_different_features_are_two() -> None:
    """However little they change: beyond 0.1 in one feature or in the other, of scale 4.1."""
    result = counterfactuals(
        Line([2.0, 2.0, 0.0], -0.2), np.zeros(3), 1, background=UNIT, immutable=["feature 2"]
    )
    kinds = [tuple(changed) for changed in result.changes()]
    assert {("feature 0",), ("feature 1",)} <= set(kinds)
    assert len(kinds) == len(set(kinds))


def test_an_interval_of_one_score() -> None:
    def price(rows: Any) -> Any:
        return rows[:, 0] * 3 + rows[:, 1]

    background = np.random.default_rng(0).normal(size=(50, 2)) * 3
    result = counterfactuals(price, [0.0, 0.0], (4.0, 5.0), background=background, k=2)
    scores = price(result.rows[0].numpy())
    assert ((scores > 4) & (scores < 5)).all()


@every_search
@pytest.mark.parametrize(
    ("span", "first", "second"),
    [
        # From (1.2, 0, 0) the score is 2 * 1.2 - x1 - 2: positive as it is.
        ((1.2, 3.0), 1.2, 0.0),
        # From (0.5, 0, 0) it is -1: half a unit of the same feature is nearest.
        ((0.5, 3.0), 1.0, 0.0),
        # What lies below the row's own value takes it away from the class.
        ((-3.0, -0.5), -0.5, -3.0),
    ],
)
def test_a_range_may_exclude_the_row_itself(
    search: Any, span: tuple[float, float], first: float, second: float
) -> None:
    several = np.concatenate([UNIT, UNIT * 0.7, UNIT * 0.3, -UNIT * 0.4])
    result = counterfactuals(
        Line([2.0, -1.0, 0.0], -2.0), np.zeros(3), 1, background=several, k=1, search=search,
        ranges={"feature 0": span}, immutable=["feature 2"],
    )  # fmt: skip
    assert result.valid.all()
    found = result.rows[0, 0]
    assert span[0] <= float(found[0]) <= span[1]
    torch.testing.assert_close(found, torch.tensor([first, second, 0]).to(found), atol=0.05, rtol=0)


@every_search
def test_whole_numbers_stay_whole_in_a_range_that_excludes_the_row(search: Any) -> None:
    result = counterfactuals(
        Line([2.0, -1.0, 0.5], -2.0), [0, 0, 0], 1, background=(UNIT * 10).round(), search=search,
        ranges={"feature 0": (1.5, 7.5)},
    )  # fmt: skip
    assert result.validity == 1
    assert float(result.rows[..., 0].min()) == 2
    assert torch.equal(result.rows, result.rows.round())


def test_what_cannot_be_reached_is_said() -> None:
    model = Line([1.0, 0.0, 0.0], -100.0)
    result = counterfactuals(model, np.zeros(3), 1, background=UNIT, k=2)
    assert not result.valid.any()
    assert "95.9 short" in result.notices[0]
    assert "not reached" in result.summary()


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"desired": 0}, TargetError, "already.*that to 1, 2 away"),
        ({"desired": "cat"}, TargetError, "cat"),
        ({"desired": (0.0, 1.0)}, TargetError, "interval"),
        ({"immutable": ["size"]}, InputError, "no feature 'size'"),
        ({"ranges": {"feature 0": (2.0, 1.0)}}, InputError, "empty"),
        ({"ranges": {"feature 0": (2.0, float("nan"))}}, InputError, "empty"),
        (
            {"ranges": {"feature 0": (0.2, 0.8)}, "background": (UNIT * 10).round()},
            InputError,
            "range of whole numbers of 'feature 0', 0.2 to 0.8, is empty",
        ),
        (
            {"ranges": {"feature 0": (2.0, 3.0)}, "monotone": {"feature 0": "decrease"}},
            InputError,
            "may only decrease, which never ends in its range, 2 to 3",
        ),
        (
            {"ranges": {"feature 0": (2.0, 3.0)}, "immutable": ["feature 0"]},
            InputError,
            "immutable and asked to change",
        ),
        ({"monotone": {"feature 0": "up"}}, InputError, "up"),
        ({"costs": {"feature 0": 0.0}}, InputError, "above 0"),
        ({"k": 0}, MethodError, "k = 0"),
        ({"search": "luck"}, MethodError, "luck"),
        ({"causal_graph": CausalGraph({"rain": ([], lambda: 0)})}, InputError, "rain"),
    ],
)
def test_bad_input_is_refused_by_name(
    changes: dict[str, Any], error: type[Exception], says: str
) -> None:
    options: dict[str, Any] = {"desired": 1, "background": UNIT, **changes}
    with pytest.raises(error, match=says):
        counterfactuals(Line([2.0, -1.0, 0.5], -2.0), np.zeros(3), **options)
