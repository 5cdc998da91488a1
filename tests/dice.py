"""dice-ml on the questions that are put to nbxplain.counterfactuals, and one measure for both."""

from __future__ import annotations

import contextlib
import io
import random
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dice_ml
import numpy as np
import pandas as pd
from numpy.typing import NDArray

Rows = NDArray[np.float64]

SEEDED = ("random",)
"""Engines that take a seed; the others draw from the global generators."""


@dataclass(frozen=True)
class Measured:
    """Of counterfactual rows (k, F) for each of Q queries, by one rule for whoever found them.

    `validity`: share that the model decides as desired. `proximity`: mean distance to the query, in
    median absolute deviations summed over features. `sparsity`: mean number of features changed.
    `diversity`: mean distance between the rows of a query.
    """

    validity: float
    proximity: float
    sparsity: float
    diversity: float


def measured(
    model: Any, queries: Rows, found: list[Rows], desired: int, background: Rows
) -> Measured:
    """What the rows are worth; a query without any row counts as one invalid row."""
    middle = np.median(background, 0)
    scale = np.median(np.abs(background - middle), 0)
    valid: list[bool] = []
    near, few, apart = [], [], []
    for query, rows in zip(queries, found, strict=True):
        if not len(rows):
            valid.append(False)
            continue
        valid += (model.predict(rows) == desired).tolist()
        change = np.abs(rows - query) / scale
        near += change.sum(1).tolist()
        few += (change > 1e-6).sum(1).tolist()
        between = (np.abs(rows[:, None] - rows[None]) / scale).sum(2)
        apart.append(between.sum() / max(1, len(rows) * (len(rows) - 1)))
    return Measured(*(float(np.mean(numbers)) for numbers in (valid, near, few, apart)))


class Dice:
    """One engine of dice-ml ("random", "genetic", "kdtree", "gradient") before one model.

    The model is an estimator of scikit-learn, or for "gradient" a torch module that takes rows
    scaled to 0..1 and gives the probability (N, 1) of class 1.
    """

    def __init__(self, engine: str, model: Any, rows: Rows, answers: Any, names: list[str]) -> None:
        by_slope = engine == "gradient"
        kind = "float32" if by_slope else "float64"
        frame = pd.DataFrame(rows, columns=names).astype(kind)
        data = dice_ml.Data(
            dataframe=frame.assign(answer=answers), continuous_features=names, outcome_name="answer"
        )
        backend, function = ("PYT", "ohe-min-max") if by_slope else ("sklearn", None)
        interface = dice_ml.Model(model=model, backend=backend, func=function)
        self._names, self._kind = names, kind
        self._options = {"random_seed": 0} if engine in SEEDED else {}
        with _quiet():
            self._engine = dice_ml.Dice(data, interface, method=engine)

    def find(self, queries: Rows, desired: int, k: int, **options: Any) -> list[Rows]:
        """Rows (at most k, F) for each query."""
        random.seed(0)
        np.random.seed(0)
        frame = pd.DataFrame(queries, columns=self._names).astype(self._kind)
        with _quiet():
            found = self._engine.generate_counterfactuals(
                frame, total_CFs=k, desired_class=desired, **self._options, **options
            )
        tables = [one.final_cfs_df_sparse for one in found.cf_examples_list]
        none = np.zeros((0, len(self._names)))
        return [
            none if table is None else table[self._names].to_numpy().astype(float)
            for table in tables
        ]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """dice-ml draws progress bars, reports to the screen and asks pandas for what it deprecates."""
    screen = io.StringIO()
    with (
        contextlib.redirect_stdout(screen),
        contextlib.redirect_stderr(screen),
        warnings.catch_warnings(action="ignore"),
    ):
        yield


__all__ = ["Dice", "Measured", "measured"]
