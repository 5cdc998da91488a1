"""Estimators and functions as models: their scores, what these mean, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from nbxplain import ExplanationError, explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import ModelError
from nbxplain.methods.base import REGISTRY
from nbxplain.results import Attribution

Array = NDArray[np.float64]
CANCER: tuple[Array, Array] = load_breast_cancer(return_X_y=True)
WINE: tuple[Array, Array] = load_wine(return_X_y=True)
DIABETES: tuple[Array, Array] = load_diabetes(return_X_y=True)

SMALL = {"n_estimators": 5, "max_depth": 2, "random_state": 0}


def boosted(**options: Any) -> Any:
    return GradientBoostingClassifier(**{**SMALL, **options})


def histograms() -> Any:
    return HistGradientBoostingClassifier(max_iter=5, random_state=0)


def ablated(model: Any, rows: Any, **options: Any) -> Attribution:
    return explain(model, rows, "feature_ablation", baseline="black", **options)


def logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression())


def searched() -> Any:
    return GridSearchCV(boosted(), {"max_depth": [1, 2]}, cv=2)


# Scores, and the probabilities that follow from them.


@pytest.mark.parametrize("build", [logistic, lambda: RandomForestClassifier(**SMALL)])
@pytest.mark.parametrize("data", [CANCER, WINE])
def test_classifier_gives_probabilities(
    build: Callable[[], Any], data: tuple[Array, Array]
) -> None:
    model = build().fit(*data)
    said = ablated(model, data[0][:7]).prediction
    expected = torch.from_numpy(model.predict_proba(data[0][:7]))
    assert said.scores.dtype == torch.float64
    torch.testing.assert_close(said.scores, expected)
    assert said.probabilities is said.scores


@pytest.mark.parametrize(
    "build", [boosted, histograms, searched, lambda: make_pipeline(StandardScaler(), boosted())]
)
@pytest.mark.parametrize("data", [CANCER, WINE])
def test_boosting_gives_margins(build: Callable[[], Any], data: tuple[Array, Array]) -> None:
    model = build().fit(*data)
    said = ablated(model, data[0][:7]).prediction
    margins = torch.from_numpy(model.decision_function(data[0][:7]))
    expected = torch.stack([-margins, margins], 1) if margins.ndim == 1 else margins
    torch.testing.assert_close(said.scores, expected)
    assert said.probabilities is not None
    torch.testing.assert_close(
        said.probabilities, torch.from_numpy(model.predict_proba(data[0][:7]))
    )


@pytest.mark.parametrize("build", [LinearSVC, lambda: boosted(loss="exponential")])
def test_margins_that_are_no_log_odds_claim_no_probability(build: Callable[[], Any]) -> None:
    model = build().fit(*CANCER)
    said = ablated(model, CANCER[0][:2]).prediction
    margins = torch.from_numpy(model.decision_function(CANCER[0][:2]))
    torch.testing.assert_close(said.scores, torch.stack([-margins, margins], 1))
    assert said.probabilities is None
    assert said.top(1)[0].probability is None


def test_regression_gives_its_prediction() -> None:
    model = LinearRegression().fit(*DIABETES)
    result = ablated(model, DIABETES[0][:3])
    assert result.target == ["prediction"] * 3
    assert result.prediction.probabilities is None
    torch.testing.assert_close(
        result.prediction.scores[:, 0], torch.from_numpy(model.predict(DIABETES[0][:3]))
    )
    torch.testing.assert_close(result.values, torch.from_numpy(DIABETES[0][:3] * model.coef_))


def test_regression_of_several_numbers_has_no_probabilities() -> None:
    x, y = DIABETES
    model = LinearRegression().fit(x, np.stack([y, -y], 1))
    assert ablated(model, x[0], target=1).prediction.probabilities is None


def test_labels_are_the_classes() -> None:
    x, y = WINE
    names = np.array(["Barolo", "Grignolino", "Barbera"])[y]
    model = RandomForestClassifier(**SMALL).fit(x, names)
    result = ablated(model, x[0], target="Barolo")
    assert result.prediction.labels == tuple(sorted(set(names)))
    assert result.target == ["Barolo"]
    assert ablated(model, x[0], labels=["a", "b", "c"], target="c").target == ["c"]


@pytest.mark.parametrize("columns", [None, 1, 3])
def test_function_of_an_array(columns: int | None) -> None:
    weights = np.arange(1.0, 5)

    def scores(rows: Array) -> Array:
        assert isinstance(rows, np.ndarray)
        assert rows.dtype == np.float64
        total = rows @ weights
        return total if columns is None else np.stack([total] * columns, 1)

    result = ablated(scores, [1.0, 2.0, 3.0, 4.0], target=0)
    assert result.values.tolist() == [[1.0, 4.0, 9.0, 16.0]]
    assert result.prediction.scores.shape == (1, columns or 1)
    assert result.target == ["0" if columns == 3 else "prediction"]


def test_chunks_do_not_matter() -> None:
    model = RandomForestClassifier(**SMALL).fit(*WINE)
    values = [
        explain(model, WINE[0][:3], "lime", background=WINE[0], samples=100, chunk=chunk).values
        for chunk in (1, 7, None)
    ]
    torch.testing.assert_close(values[0], values[1])
    torch.testing.assert_close(values[0], values[2])


def test_rows_go_through_a_function_many_at_a_time() -> None:
    seen: list[int] = []

    def scores(rows: Array) -> Array:
        seen.append(len(rows))
        return rows.sum(1)

    ablated(scores, np.ones((2, 500)))
    assert sum(seen) == 2 + 2 + 2 * 500
    assert len(seen) <= 3


# It is left as it was found, and said what it is.


def test_the_estimator_itself_is_asked_and_left_alone() -> None:
    model = RandomForestClassifier(**SMALL).fit(*WINE)
    before = {name: id(value) for name, value in vars(model).items()}
    adapter = ModelAdapter(model)
    assert adapter.replica().estimator is model
    explain(model, WINE[0][0], "lime", samples=20)
    assert {name: id(value) for name, value in vars(model).items()} == before


def test_provenance_names_settings_instead_of_weights() -> None:
    model = make_pipeline(StandardScaler(), RandomForestClassifier(**SMALL)).fit(*WINE)
    provenance = ablated(model, WINE[0][0]).provenance
    assert provenance["model"] == "Pipeline"
    assert provenance["weights"] is None
    assert "max_depth=2, n_estimators=5" in provenance["settings"]
    assert provenance["features"][:2] == ["feature 0", "feature 1"]


def test_fitting_again_is_noticed() -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(*WINE)
    adapter = ModelAdapter(model)
    before = adapter.version
    assert adapter.version == before
    model.fit(WINE[0][::2], WINE[1][::2])
    assert adapter.version != before


# What is refused.


@pytest.mark.parametrize("build", [boosted, logistic, LinearRegression, searched])
def test_not_fitted(build: Callable[[], BaseEstimator]) -> None:
    with pytest.raises(ModelError, match=r"is not fitted.*fit\(\)"):
        ablated(build(), CANCER[0][0])


INSIDE = sorted(name for name, method in REGISTRY.items() if method.looks_inside())


@pytest.mark.parametrize("name", INSIDE)
def test_methods_that_look_inside_say_what_to_use_instead(name: str) -> None:
    model = logistic().fit(*WINE)
    with pytest.raises(ModelError, match=r"has no gradient and no layers.*shapley.*lime"):
        explain(model, WINE[0][0], name, background=WINE[0])


def test_other_methods_do_not_look_inside() -> None:
    assert {"lime", "feature_ablation", "occlusion", "rise"}.isdisjoint(INSIDE)
    assert {"gradient", "integrated_gradients", "lrp", "grad_cam", "attention_raw"} <= set(INSIDE)


def raising(rows: Array) -> Any:
    raise KeyError("income")


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda rows: rows[:-1, 0], r"shape \(0,\) for 1 rows"),
        (lambda rows: rows[None], r"shape \(1, 1, 4\) for 1 rows"),
        (lambda rows: np.array(["yes"] * len(rows)), "<U3"),
        (lambda rows: None, "object"),
        (lambda rows: [rows, rows], "a list of 2 for 1 rows"),
        (lambda rows: rows[:, 0] * np.nan, "NaN or infinite"),
        (raising, "raising raised KeyError for 1 rows: 'income'"),
    ],
)
def test_outputs_that_are_no_scores(function: Callable[[Array], Any], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        ablated(function, [1.0, 2.0, 3.0, 4.0])


def test_classifier_of_several_outputs_is_no_classifier_of_one() -> None:
    x, y = WINE
    model = MultiOutputClassifier(logistic()).fit(x, np.stack([y, y], 1))
    with pytest.raises(ModelError, match="a list of 2 for 1 rows"):
        ablated(model, x[0])


@pytest.mark.parametrize("model", [None, "forest.pkl", 3, RandomForestClassifier])
def test_what_is_no_model(model: Any) -> None:
    with pytest.raises(ModelError, match=r"neither a torch\.nn\.Module nor an estimator"):
        ablated(model, WINE[0][0])


def test_a_clone_is_not_fitted() -> None:
    model = logistic().fit(*WINE)
    with pytest.raises(ExplanationError, match="not fitted"):
        ablated(clone(model), WINE[0][0])
