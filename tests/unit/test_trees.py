"""TreeSHAP against every subset of the features, and what a method must be besides."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import ensemble, linear_model, pipeline, preprocessing, tree
from torch import nn

from nbxplain import Background, Contrast, ExplanationError, explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import Cancelled, InputError, ModelError, TargetError
from nbxplain.core.passes import Passes
from nbxplain.explain import ask, attributions
from nbxplain.methods.base import make
from nbxplain.methods.trees import TreeShap, interventional, lookup, method, path_dependent
from nbxplain.methods.trees.forest import CATEGORIES
from nbxplain.methods.trees.paths import Paths

Array = NDArray[Any]

KINDS: dict[str, Callable[[int], Any]] = {
    "tree": lambda seed: tree.DecisionTreeClassifier(max_depth=4, random_state=seed),
    "tree of values": lambda seed: tree.DecisionTreeRegressor(max_depth=5, random_state=seed),
    "forest": lambda seed: ensemble.RandomForestClassifier(4, random_state=seed),
    "forest of values": lambda seed: ensemble.RandomForestRegressor(4, random_state=seed),
    "extra trees": lambda seed: ensemble.ExtraTreesClassifier(4, max_depth=5, random_state=seed),
    "extra trees of values": lambda seed: ensemble.ExtraTreesRegressor(
        4, max_depth=5, random_state=seed
    ),
    "boosting": lambda seed: ensemble.GradientBoostingClassifier(n_estimators=4, random_state=seed),
    "boosting of values": lambda seed: ensemble.GradientBoostingRegressor(
        n_estimators=4, random_state=seed
    ),
    "histograms": lambda seed: ensemble.HistGradientBoostingClassifier(
        max_iter=4, min_samples_leaf=2, random_state=seed
    ),
    "histograms of values": lambda seed: ensemble.HistGradientBoostingRegressor(
        max_iter=4, min_samples_leaf=2, random_state=seed
    ),
}
NO_MISSING = ("boosting", "boosting of values")
every_kind = pytest.mark.parametrize("kind", KINDS)
every_mode = pytest.mark.parametrize("mode", ["path_dependent", "interventional"])


def case(
    kind: str, seed: int = 0, features: int = 4, classes: int = 2, missing: bool = False
) -> tuple[Any, Array]:
    """A fitted estimator, and the rows (60, features) that it was fitted to."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 8, (60, features)) / 4.0
    value = rows[:, 0] * rows[:, 1] + rows[:, -1] + rng.normal(0, 0.3, 60)
    if missing:
        rows[rng.random(rows.shape) < 0.2] = np.nan
    cuts = np.quantile(value, np.arange(1, classes) / classes)
    y = value if kind.endswith("values") else np.digitize(value, cuts)
    return KINDS[kind](seed).fit(rows, y), rows


def scores_of(estimator: Any, rows: Any) -> Array:
    """What is explained, (N, K), by scikit-learn alone."""
    boosted = (ensemble.GradientBoostingClassifier, ensemble.HistGradientBoostingClassifier)
    if isinstance(estimator, boosted):
        margins = estimator.decision_function(rows)
        return margins if margins.ndim == 2 else np.stack([-margins, margins], 1)
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(rows))
    return np.asarray(estimator.predict(rows)).reshape(len(rows), -1)


# The slow twin: Shapley values by their definition, over all subsets.


def shapley(worth: Callable[[frozenset[int]], Array], players: int) -> Array:
    """(players, ...) from the worth (...) of each subset."""
    known = {
        frozenset(some): worth(frozenset(some))
        for size in range(players + 1)
        for some in itertools.combinations(range(players), size)
    }
    values = []
    for player in range(players):
        total: Any = 0.0
        for some in known:
            if player not in some:
                weight = 1 / (players * math.comb(players - 1, len(some)))
                total = total + weight * (known[some | {player}] - known[some])
        values.append(total)
    return np.array(values)


def interventional_twin(estimator: Any, rows: Array, background: Array, target: int) -> Array:
    """Values (N, F), from predictions alone."""

    def worth(row: Array, some: frozenset[int]) -> Array:
        mixed = background.copy()
        mixed[:, list(some)] = row[list(some)]
        return np.asarray(scores_of(estimator, mixed)[:, target].mean())

    return np.stack([shapley(lambda s, r=row: worth(r, s), len(row)) for row in rows])  # type: ignore[misc]


def followed(tree_: Any, row: Array, some: frozenset[int], node: int = 0) -> Array:
    """The value (K,) of a tree of scikit-learn where features outside `some` are unknown."""
    left, right = tree_.children_left[node], tree_.children_right[node]
    if left < 0:
        return np.asarray(tree_.value[node].ravel())
    if tree_.feature[node] in some:
        value = row[tree_.feature[node]]
        goes_left = (
            tree_.missing_go_to_left[node] if np.isnan(value) else value <= tree_.threshold[node]
        )
        return followed(tree_, row, some, left if goes_left else right)
    cover = tree_.weighted_n_node_samples
    both = [cover[child] * followed(tree_, row, some, child) for child in (left, right)]
    return np.asarray(sum(both) / cover[node])


def histogram_followed(predictor: Any, row: Array, some: frozenset[int], place: int = 0) -> float:
    """The same for a tree of histogram boosting without categories."""
    node = predictor.nodes[place]
    if node["is_leaf"]:
        return float(node["value"])
    if node["feature_idx"] in some:
        value = row[node["feature_idx"]]
        left = node["missing_go_to_left"] if np.isnan(value) else value <= node["num_threshold"]
        return histogram_followed(
            predictor, row, some, int(node["left"] if left else node["right"])
        )
    sides = [int(node["left"]), int(node["right"])]
    both = [
        float(predictor.nodes[side]["count"]) * histogram_followed(predictor, row, some, side)
        for side in sides
    ]
    return sum(both) / float(node["count"])


def path_dependent_twin(estimator: Any, rows: Array, target: int) -> Array:
    """Values (N, F), from each tree's nodes."""

    def worth(row: Array, some: frozenset[int]) -> Array:
        if hasattr(estimator, "_predictors"):
            margin = sum(histogram_followed(p[0], row, some) for p in estimator._predictors)
            return np.asarray(margin if target or not hasattr(estimator, "classes_") else -margin)
        if hasattr(estimator, "learning_rate"):
            margin = sum(
                estimator.learning_rate * followed(stage[0].tree_, row, some)[0]
                for stage in estimator.estimators_
            )
            return np.asarray(margin if target or not hasattr(estimator, "classes_") else -margin)
        trees = getattr(estimator, "estimators_", [estimator])
        return np.asarray(np.mean([followed(t.tree_, row, some)[target] for t in trees]))

    return np.stack([shapley(lambda s, r=row: worth(r, s), len(row)) for row in rows])  # type: ignore[misc]


@every_kind
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10_000), features=st.integers(2, 4), missing=st.booleans())
def test_equal_to_the_definition(kind: str, seed: int, features: int, missing: bool) -> None:
    estimator, rows = case(kind, seed, features, missing=missing and kind not in NO_MISSING)
    background, few = rows[20:27], rows[:3]
    target = 0 if kind.endswith("values") else seed % 2
    result = explain(estimator, few, "tree_shap", target=target)
    expected = path_dependent_twin(estimator, few, target)
    np.testing.assert_allclose(result.values, expected, atol=1e-12)
    result = explain(
        estimator, few, "tree_shap", target=target, mode="interventional", background=background
    )
    expected = interventional_twin(estimator, few, background, target)
    np.testing.assert_allclose(result.values, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("row", "expected"),
    [([0, 0], [-10, -10]), ([0, 1], [-30, 10]), ([1, 0], [10, -30]), ([1, 1], [30, 30])],
)
def test_the_tree_of_and(row: list[float], expected: list[float]) -> None:
    corners = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    estimator = tree.DecisionTreeRegressor().fit(corners, [0, 0, 0, 80])
    result = explain(estimator, np.array(row, float), "tree_shap")
    assert result.values[0].tolist() == pytest.approx(expected)
    assert result.base_value is not None
    assert result.base_value.tolist() == pytest.approx([20])


@every_mode
def test_a_stump_gives_all_to_its_feature(mode: Any) -> None:
    rows = np.array([[0.0, 5, 1], [1, 5, 2], [2, 5, 3], [3, 5, 4]])
    stump = tree.DecisionTreeRegressor(max_depth=1, max_features=1, random_state=1)
    stump.fit(rows[:, :1], [0.0, 0, 0, 8])
    result = explain(stump, rows[:, :1], "tree_shap", mode=mode, background=rows[:, :1])
    assert result.values.flatten().tolist() == pytest.approx([-2, -2, -2, 6])


@every_mode
def test_a_single_leaf_gives_nothing(mode: Any) -> None:
    rows = np.arange(12.0).reshape(4, 3)
    constant = tree.DecisionTreeRegressor().fit(rows, [7.0] * 4)
    result = explain(constant, rows, "tree_shap", mode=mode, background=rows)
    assert not bool(result.values.any())
    assert result.base_value is not None
    assert result.base_value.tolist() == [7.0] * 4


@every_mode
def test_a_single_leaf_among_trees_adds_to_the_base(mode: Any) -> None:
    rows = np.arange(10.0).reshape(-1, 1)
    estimator = ensemble.RandomForestRegressor(20, max_depth=1, max_samples=2, random_state=0)
    estimator.fit(rows, rows[:, 0])
    assert {t.tree_.node_count for t in estimator.estimators_} == {1, 3}
    result = explain(estimator, rows, "tree_shap", mode=mode, background=rows)
    assert result.base_value is not None
    total = result.values.sum(1) + result.base_value
    np.testing.assert_allclose(total, estimator.predict(rows), atol=1e-12)


@every_mode
def test_a_feature_tested_again_and_again_counts_once(mode: Any) -> None:
    rows = np.linspace(0, 1, 64).reshape(-1, 1)
    estimator = tree.DecisionTreeRegressor().fit(rows, np.sin(9 * rows[:, 0]))
    assert estimator.get_depth() > 5
    result = explain(estimator, rows, "tree_shap", mode=mode, background=rows)
    expected = estimator.predict(rows) - estimator.predict(rows).mean()
    np.testing.assert_allclose(result.values[:, 0], expected, atol=1e-12)


def test_rows_without_weight_leave_no_trace() -> None:
    rows = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]])
    weight = np.array([1.0, 1, 1, 1, 0, 0])
    estimator = tree.ExtraTreeRegressor(random_state=3)
    estimator.fit(rows, [0.0, 1, 2, 5, 7, 9], sample_weight=weight)
    result = explain(estimator, rows, "tree_shap")
    np.testing.assert_allclose(result.values, path_dependent_twin(estimator, rows, 0), atol=1e-12)


# Long paths, many rows, chunks.


def exact_worths(failed: list[int], reach: list[Fraction]) -> list[Fraction]:
    """Shapley values of the product game by sums over sizes of subsets, in exact arithmetic."""
    length, values = len(reach), []
    for place in range(length):
        # sizes[s]: the sum over subsets of s other conditions of the product of all others.
        sizes = [Fraction(1)]
        for other in range(length):
            if other != place:
                present, absent = Fraction(1 - failed[other]), reach[other]
                grown = [Fraction(0)] * (len(sizes) + 1)
                for size, value in enumerate(sizes):
                    grown[size] += value * absent
                    grown[size + 1] += value * present
                sizes = grown
        total = sum(
            value / (length * math.comb(length - 1, size)) for size, value in enumerate(sizes)
        )
        values.append((1 - failed[place] - reach[place]) * total)
    return values


@pytest.mark.parametrize(("length", "lost"), [(1, 0), (2, 1), (7, 1), (20, 0), (20, 3), (62, 2)])
def test_worths_on_long_paths_are_exact(length: int, lost: int) -> None:
    rng = np.random.default_rng(length)
    shares = [Fraction(int(n), 10) for n in rng.integers(0, 11, length)]
    samples = [[int(bit) for bit in rng.random(length) < 0.1] for _ in range(2)]
    failed = [int(place in range(0, 3 * lost, 3)) for place in range(length)]
    pattern = torch.tensor([[sum(bit << place for place, bit in enumerate(failed))]])
    reach = torch.tensor([[float(share) for share in shares]], dtype=torch.float64)
    paths = Paths(0, torch.arange(length).view(1, -1), reach, torch.ones(1, 1))
    found = path_dependent.worths(pattern, paths)[0, 0]
    expected = [float(value) for value in exact_worths(failed, shares)]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-15)
    missed = torch.tensor([[sum(b << place for place, b in enumerate(bits)) for bits in samples]])
    weights = torch.full((1, 2), 0.5, dtype=torch.float64)
    found = interventional.worths(pattern, missed, weights, length)[0, 0]
    parts = [exact_worths(failed, [Fraction(1 - bit) for bit in bits]) for bits in samples]
    expected = [float(sum(values) / 2) for values in zip(*parts, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def staircase(features: int) -> Any:
    """A tree with a path that tests all of its features but one."""
    return tree.ExtraTreeRegressor(max_features=1, random_state=0).fit(
        np.eye(features), np.arange(features) % 3
    )


@every_mode
def test_paths_longer_than_an_integer_of_32_bits(mode: Any) -> None:
    rows = np.eye(50)
    estimator = staircase(50)
    assert estimator.get_depth() > 32
    result = explain(estimator, rows, "tree_shap", mode=mode, background=rows[:9])
    assert max(map(abs, result.evidence["completeness_gap"])) < 1e-12
    assert bool(result.values.any())


def test_paths_longer_than_all_integers_are_refused() -> None:
    with pytest.raises(ModelError, match="features, more than 62"):
        explain(staircase(120), np.eye(120)[:1], "tree_shap")


@every_mode
@pytest.mark.parametrize("kind", ["forest", "boosting", "histograms"])
def test_many_rows_equal_one_by_one(kind: str, mode: Any) -> None:
    estimator, rows = case(kind, features=6, classes=3)
    many = np.concatenate([rows, rows + 0.125, rows - 0.25])
    targets = [row % 3 for row in range(len(many))]
    options: Any = {"mode": mode, "background": rows[:30]}
    together = explain(estimator, many, "tree_shap", target=targets, **options)
    for row in (0, 1, 2, 100, 179):
        alone = explain(estimator, many[row], "tree_shap", target=targets[row], **options)
        np.testing.assert_allclose(alone.values[0], together.values[row], atol=1e-13)


@every_mode
def test_does_not_depend_on_how_much_is_done_at_a_time(
    mode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimator, rows = case("forest", features=6)
    options: Any = {"mode": mode, "background": rows[:9], "target": 1}
    expected = explain(estimator, rows, "tree_shap", **options).values
    for name, size in (("ROWS", 7), ("LEAVES", 5), ("PATTERNS", 100)):
        monkeypatch.setattr(method, name, size)
        result = explain(estimator, rows, "tree_shap", **options).values
        np.testing.assert_allclose(result, expected, atol=1e-13)
    monkeypatch.setattr(lookup, "CELLS", 50)
    monkeypatch.setattr(interventional, "SAMPLES", 2)
    result = explain(estimator, rows[:3], "tree_shap", **options).values
    np.testing.assert_allclose(result, expected[:3], atol=1e-13)


@every_mode
@pytest.mark.usefixtures("two_threads")
def test_same_bytes_twice(mode: Any) -> None:
    estimator, rows = case("forest", features=6)
    first, second = (
        explain(estimator, rows, "tree_shap", mode=mode, background=rows[:9]).values
        for _ in range(2)
    )
    assert torch.equal(first, second)


# The score is the one that the model gives.


@every_mode
@every_kind
@pytest.mark.parametrize("classes", [2, 4])
def test_values_and_base_sum_to_the_score(kind: str, classes: int, mode: Any) -> None:
    estimator, rows = case(kind, classes=classes)
    scores = scores_of(estimator, rows)
    for target in range(scores.shape[1]):
        result = explain(
            estimator, rows, "tree_shap", target=target, mode=mode, background=rows[:9]
        )
        assert result.base_value is not None
        total = result.values.sum(1) + result.base_value
        np.testing.assert_allclose(total, scores[:, target], atol=1e-12)
        assert max(map(abs, result.evidence["completeness_gap"])) < 1e-12
        if mode == "interventional":
            expected = scores[:9, target].mean()
            np.testing.assert_allclose(result.base_value, np.full(60, expected), atol=1e-12)


def test_a_contrast_is_the_difference() -> None:
    estimator, rows = case("forest", classes=4)
    one, other, both = (
        explain(estimator, rows, "tree_shap", target=target).values
        for target in (2, 0, Contrast(2, 0))
    )
    np.testing.assert_allclose(both, one - other, atol=1e-14)


def test_outputs_of_values_are_targets() -> None:
    rows = case("forest")[1]
    estimator = ensemble.RandomForestRegressor(3, random_state=0)
    estimator.fit(rows, np.stack([rows[:, 0], rows[:, 1] ** 2], 1))
    result = explain(estimator, rows, "tree_shap", target=1)
    assert result.base_value is not None
    total = result.values.sum(1) + result.base_value
    np.testing.assert_allclose(total, estimator.predict(rows)[:, 1], atol=1e-12)


def test_boosting_that_starts_from_nothing() -> None:
    rows = case("boosting")[1]
    estimator = ensemble.GradientBoostingRegressor(n_estimators=3, init="zero")
    estimator.fit(rows, rows[:, 0])
    result = explain(estimator, rows, "tree_shap")
    assert max(map(abs, result.evidence["completeness_gap"])) < 1e-12


# Categories and frames.


@every_mode
def test_categories_of_histogram_boosting(mode: Any) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": rng.integers(0, 8, 200) / 4,
            "colour": pd.Categorical(rng.choice(["red", "green", "blue", "grey"], 200)),
            "age": rng.integers(0, 40, 200).astype(float),
            "town": pd.Categorical(rng.choice(["A", "B", "C"], 200)),
        }
    )
    frame.loc[:20, "colour"] = np.nan
    warm = frame["colour"].isin(["red", "grey"]).to_numpy()
    value = 3 * warm * frame["size"] + (frame["town"] == "B") + frame["age"] / 40
    estimator = ensemble.HistGradientBoostingRegressor(
        max_iter=5, min_samples_leaf=5, categorical_features="from_dtype"
    ).fit(frame, value)
    assert any(stage[0].nodes["is_categorical"].any() for stage in estimator._predictors)
    few, background = frame.iloc[18:22], frame.iloc[100:106]
    result = explain(estimator, few, "tree_shap", mode=mode, background=background)
    assert max(map(abs, result.evidence["completeness_gap"])) < 1e-12
    assert result.players is not None
    assert result.players.names[0] == ["size", "colour", "age", "town"]
    if mode == "interventional":

        def worth(row: int, some: frozenset[int]) -> Array:
            mixed = background.copy()
            for place in some:
                mixed.iloc[:, place] = few.iloc[row, place]
            return np.asarray(estimator.predict(mixed).mean())

        expected = [shapley(lambda s, r=row: worth(r, s), 4) for row in range(4)]  # type: ignore[misc]
        np.testing.assert_allclose(result.values, expected, atol=1e-12)


def test_columns_keep_their_names_where_categories_are_put_in_front() -> None:
    rng = np.random.default_rng(1)
    rows = np.stack([rng.random(300), rng.integers(0, 5, 300)], 1)
    value = np.isin(rows[:, 1], [0, 3]) * 1.0
    estimator = ensemble.HistGradientBoostingRegressor(categorical_features=[1]).fit(rows, value)
    result = explain(estimator, rows[:5], "tree_shap")
    assert float(result.values[:, 0].abs().max()) < 1e-3
    assert float(result.values[:, 1].abs().min()) > 0.1
    assert estimator.max_bins <= CATEGORIES


# What cannot be explained.


class Sign(ensemble.RandomForestRegressor):  # type: ignore[misc]
    """A forest whose predictions are no sum of its trees."""

    def predict(self, X: Array) -> Array:  # noqa: N803
        return np.asarray(np.sign(super().predict(X) - 0.9))


def refused(estimator: Any, classes: bool = False) -> Any:
    rows = case("forest")[1]
    y = (rows[:, 0] > 0.5) + 0 if classes else rows[:, 0] + 0.1
    return estimator.fit(rows, y)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: refused(linear_model.LinearRegression()), "LinearRegression is not made of trees"),
        (
            lambda: refused(
                pipeline.make_pipeline(preprocessing.StandardScaler(), tree.DecisionTreeRegressor())
            ),
            "Pipeline is not made of trees.*last step",
        ),
        (lambda: tree.DecisionTreeRegressor(), "not fitted"),
        (
            lambda: refused(
                ensemble.GradientBoostingRegressor(
                    n_estimators=2, init=linear_model.LinearRegression()
                )
            ),
            "starts from LinearRegression",
        ),
        (
            lambda: refused(ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=2)),
            "exponential of a sum over trees",
        ),
        (lambda: refused(Sign(3)), "The trees sum to .*, but the model's score is"),
        (lambda: lambda rows: rows[:, 0], "not made of trees"),
        (lambda: nn.Linear(4, 2), "reads trees; the model is Linear"),
    ],
)
def test_other_models_are_refused(build: Callable[[], Any], says: str) -> None:
    rows = case("forest")[1][:3]
    with pytest.raises(ExplanationError, match=says):
        explain(build(), torch.from_numpy(rows), "tree_shap", target=0)


def test_a_callable_target_is_refused() -> None:
    estimator, rows = case("forest")
    with pytest.raises(TargetError, match="callable target"):
        explain(estimator, rows[:2], "tree_shap", target=lambda output: output[:, 1] ** 2)


def test_interventional_needs_a_background() -> None:
    estimator, rows = case("forest")
    with pytest.raises(ExplanationError, match="background"):
        explain(estimator, rows[:2], "tree_shap", mode="interventional")


def test_a_background_that_differs_from_row_to_row_is_refused() -> None:
    estimator, rows = case("forest")
    two = torch.from_numpy(rows[:2]).float()
    own = TreeShap(mode="interventional", background=Background.of(two))
    with pytest.raises(InputError, match="differs from row to row"):
        explain(estimator, rows[:2], own)


def test_networks_and_other_estimators_lack_trees() -> None:
    estimator, rows = case("forest")
    for model, lacks in ((estimator, False), (refused(linear_model.LinearRegression()), True)):
        adapter = ModelAdapter(model)
        assert bool(TreeShap.lacks(adapter, adapter.read(rows[:1]))) == lacks
    adapter = ModelAdapter(nn.Linear(4, 2))
    assert "scikit-learn" in str(TreeShap.lacks(adapter, adapter.read(torch.rand(1, 4))))


# What is yielded on the way.


def stream(mode: Any, stop: threading.Event | None = None) -> Any:
    estimator, rows = case("forest")
    adapter = ModelAdapter(estimator, background=rows[:9])
    passes = Passes(adapter, cancelled=stop.is_set if stop else lambda: False)
    setting = ask(adapter, adapter.read(rows), 1)
    chosen = make("tree_shap", mode=mode, background=rows[:9])
    return attributions(setting, chosen, passes, None)


@every_mode
def test_partials(mode: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(method, "ROWS", 25)
    monkeypatch.setattr(method, "LEAVES", 5)
    running = stream(mode)
    first = next(running)
    kept = first.values.clone()
    parts = [first, *running]
    assert torch.equal(first.values, kept)
    assert all(part.values.shape == (60, 4) for part in parts)
    done = [part.done for part in parts]
    assert done == sorted(set(done))
    assert [part.complete for part in parts] == [False] * (len(parts) - 1) + [True]
    last = parts[-1]
    assert last.players is not None
    assert last.players.counts.tolist() == [4] * 60
    assert last.players.errors is None
    assert last.provenance["method"] == "tree_shap"


def test_cancel_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(method, "LEAVES", 5)
    stop = threading.Event()
    running = stream("path_dependent", stop)
    next(running)
    stop.set()
    with pytest.raises(Cancelled):
        next(running)


@pytest.mark.gpu
@every_mode
def test_cpu_equals_cuda(mode: Any) -> None:
    estimator, rows = case("forest", features=6)
    here, there = (
        explain(estimator, rows, "tree_shap", mode=mode, background=rows[:9], device=device).values
        for device in ("cpu", "cuda")
    )
    torch.testing.assert_close(there, here, rtol=1e-10, atol=1e-12)
