"""The same answers as shap.TreeExplainer, to 1e-6, in both modes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import ensemble, tree

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from shap import TreeExplainer

from nbxplain import explain

Array = NDArray[Any]

KINDS: dict[str, Any] = {
    "tree": tree.DecisionTreeClassifier(random_state=0),
    "tree of values": tree.DecisionTreeRegressor(random_state=0),
    "forest": ensemble.RandomForestClassifier(12, random_state=0),
    "forest of values": ensemble.RandomForestRegressor(12, random_state=0),
    "extra trees": ensemble.ExtraTreesClassifier(12, max_depth=9, random_state=0),
    "extra trees of values": ensemble.ExtraTreesRegressor(12, max_depth=9, random_state=0),
    "boosting": ensemble.GradientBoostingClassifier(n_estimators=12, random_state=0),
    "boosting of values": ensemble.GradientBoostingRegressor(n_estimators=12, random_state=0),
    "histograms": ensemble.HistGradientBoostingClassifier(max_iter=12, random_state=0),
    "histograms of values": ensemble.HistGradientBoostingRegressor(max_iter=12, random_state=0),
}
MODES = {"path_dependent": "tree_path_dependent", "interventional": "interventional"}


def case(kind: str, classes: int, missing: bool) -> tuple[Any, Array]:
    """A fitted estimator, and its rows. shap rounds them to float32, so they are that already."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 8)).astype(np.float32).astype(np.float64)
    value = rows[:, 0] * rows[:, 1] + np.sin(2 * rows[:, 2]) + rng.normal(0, 0.2, 400)
    if missing:
        rows[rng.random(rows.shape) < 0.15] = np.nan
    cuts = np.quantile(value, np.arange(1, classes) / classes)
    y = value if kind.endswith("values") else np.digitize(value, cuts)
    return KINDS[kind].fit(rows, y), rows


def theirs(estimator: Any, rows: Array, background: Array, mode: str) -> tuple[Array, Array]:
    """Values (N, F, K) and base values (K,); a margin between two classes is one of its own."""
    data = background if mode == "interventional" else None
    peer = TreeExplainer(estimator, data, feature_perturbation=MODES[mode])
    values = np.asarray(peer.shap_values(rows, check_additivity=False))
    values = values if values.ndim == 3 else values[:, :, None]
    return values, np.ravel(peer.expected_value)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_equal_to_shap(kind: str, classes: int, mode: Any) -> None:
    if kind == "boosting" and classes > 2:
        # Of several classes shap explains histogram boosting only.
        with pytest.raises(Exception, match="only supported for binary"):
            TreeExplainer(case(kind, classes, False)[0])
        return
    compare(*case(kind, classes, False), mode)


@pytest.mark.parametrize("kind", ["tree of values", "forest", "histograms"])
def test_equal_to_shap_where_values_are_missing(kind: str) -> None:
    compare(*case(kind, 2, True), "path_dependent")


def compare(estimator: Any, rows: Array, mode: Any) -> None:
    few, background = rows[:40], rows[100:130]
    expected, base = theirs(estimator, few, background, mode)
    outputs = expected.shape[2]
    for output in range(outputs):
        # One margin m stands for the scores (-m, m).
        target = 1 if outputs == 1 and hasattr(estimator, "classes_") else output
        result = explain(
            estimator, few, "tree_shap", target=target, mode=mode, background=background
        )
        np.testing.assert_allclose(result.values, expected[:, :, output], atol=1e-6)
        assert result.base_value is not None
        np.testing.assert_allclose(result.base_value, np.full(40, base[output]), atol=1e-6)
