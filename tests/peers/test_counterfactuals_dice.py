"""Counterfactual rows beside dice-ml's: as valid, as near and as sparse on the same questions."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nbxplain.counterfactuals import counterfactuals
from tests.dice import Dice, Measured, measured

ENGINES = ["random", "genetic", "kdtree"]
QUERIES, K = 12, 4


class Question:
    """Rows of one class that should be of another, and a model fitted to the data."""

    def __init__(self, data: Any, features: int, estimator: Any, asked: int, desired: int) -> None:
        self.rows = data.data[:, :features]
        self.answers = data.target
        self.names = [str(name) for name in data.feature_names[:features]]
        self.model = make_pipeline(StandardScaler(), estimator).fit(self.rows, self.answers)
        said = self.model.predict(self.rows)
        self.queries, self.desired = self.rows[said == asked][:QUERIES], desired

    def ours(self, search: Any, **options: Any) -> list[Any]:
        result = counterfactuals(
            self.model, self.queries, self.desired, background=self.rows,
            feature_names=self.names, search=search, k=K, **options,
        )  # fmt: skip
        return list(result.rows.double().numpy())

    @cached_property
    def found(self) -> dict[str, Measured]:
        """What each search of ours that needs no slope comes to."""
        return {search: self.measured(self.ours(search)) for search in ("genetic", "nearest")}

    def theirs(self, engine: str, **options: Any) -> list[Any]:
        peer = Dice(engine, self.model, self.rows, self.answers, self.names)
        return peer.find(self.queries, self.desired, K, **options)

    def measured(self, found: list[Any]) -> Measured:
        return measured(self.model, self.queries, found, self.desired, self.rows)


@pytest.fixture(scope="module")
def questions() -> dict[str, Question]:
    network = MLPClassifier((20,), solver="lbfgs", alpha=0.1, max_iter=1000, random_state=0)
    return {
        "breast cancer": Question(load_breast_cancer(), 10, network, 0, 1),
        "wine": Question(load_wine(), 13, LogisticRegression(max_iter=1000), 0, 2),
    }


@pytest.mark.parametrize("data", ["breast cancer", "wine"])
@pytest.mark.parametrize("engine", ENGINES)
def test_as_valid_as_near_and_as_sparse_as_dice(
    questions: dict[str, Question], data: str, engine: str
) -> None:
    question = questions[data]
    theirs = question.measured(question.theirs(engine))
    for ours in question.found.values():
        assert ours.validity >= theirs.validity
        assert ours.validity == 1
        assert ours.proximity <= theirs.proximity
        assert ours.sparsity <= theirs.sparsity


def test_what_may_not_change_is_the_same_to_the_last_bit(questions: dict[str, Question]) -> None:
    question = questions["breast cancer"]
    held = question.names[:3]
    for found, query in zip(
        question.ours("genetic", immutable=held), question.queries, strict=True
    ):
        assert (found[:, :3] == query[:3]).all()
    free = question.names[3:]
    theirs = question.measured(question.theirs("genetic", features_to_vary=free))
    ours = question.measured(question.ours("genetic", immutable=held))
    assert ours.validity >= theirs.validity
    assert ours.proximity <= theirs.proximity


def test_the_measure_of_a_change_that_is_known() -> None:
    """One deviation in one feature of two, and two in both: distances 1 and 4, between them 3."""

    class First:
        def predict(self, rows: Any) -> Any:
            return (rows[:, 0] > 0).astype(int)

    background = np.array([[-1.0, -2.0], [0.0, 0.0], [1.0, 2.0]])
    found = [np.array([[1.0, 0.0], [2.0, 4.0]])]
    ours = measured(First(), np.zeros((1, 2)), found, 1, background)
    assert ours == Measured(1.0, 2.5, 1.5, 3.0)
