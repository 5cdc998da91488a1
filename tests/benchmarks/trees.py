"""TreeSHAP against shap's C++, in both modes: 1000 rows, 100 trees of depth 8, 20 features.

    python -m tests.benchmarks.trees [--repeats N] [--threads N]

Ours is the whole call of `explain`: reading the rows and the trees, the prediction, the values of
one class, the check of their sum. shap's is making the explainer and asking it for values; it uses
one thread.
"""

from __future__ import annotations

import argparse
import datetime
import warnings
from typing import Any

import numpy as np
import shap
import torch
from sklearn import datasets, ensemble

from nbxplain import explain
from tests.benchmarks.timing import machine, seconds

ESTIMATORS: dict[str, Any] = {
    "random forest": ensemble.RandomForestClassifier(100, max_depth=8, random_state=0),
    "random forest, 20 trees of any depth": ensemble.RandomForestClassifier(20, random_state=0),
    "gradient boosting": ensemble.GradientBoostingClassifier(
        n_estimators=100, max_depth=8, random_state=0
    ),
    "histogram gradient boosting": ensemble.HistGradientBoostingClassifier(
        max_iter=100, max_depth=8, max_leaf_nodes=None, random_state=0
    ),
}
MODES = {"path_dependent": "tree_path_dependent", "interventional": "interventional"}
ROWS, BACKGROUND = 1000, 100


def measure(estimator: Any, rows: Any, mode: Any, repeats: int) -> list[str]:
    """The cells of one row: seconds of both, and the largest difference of values."""
    few, background = rows[:ROWS], rows[ROWS : ROWS + BACKGROUND]
    found: dict[str, Any] = {}

    def ours() -> None:
        found["ours"] = explain(
            estimator, few, "tree_shap", target=1, mode=mode, background=background, progress=False
        ).values.numpy()

    def theirs() -> None:
        data = background if mode == "interventional" else None
        peer = shap.TreeExplainer(estimator, data, feature_perturbation=MODES[mode])
        found["theirs"] = np.asarray(peer.shap_values(few, check_additivity=False))

    mine, others = seconds(ours, repeats), seconds(theirs, 1)
    values = found["theirs"] if found["theirs"].ndim == 2 else found["theirs"][:, :, 1]
    apart = float(np.abs(values - found["ours"]).max())
    return [f"{mine:.2f}", f"{others:.2f}", f"{others / mine:.1f} x", f"{apart:.0e}"]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(chosen.threads)
    print(f"{machine()}, {datetime.date.today()}\n")
    print("| estimator | leaves | mode | ours, s | shap, s | faster by | apart by at most |")
    print("|---|---|---|---|---|---|---|")
    rows, y = datasets.make_classification(4000, 20, n_informative=10, random_state=0)
    # shap rounds to float32 what scikit-learn's histogram boosting does not.
    rows = rows.astype(np.float32).astype(np.float64)
    for name, estimator in ESTIMATORS.items():
        estimator.fit(rows, y)
        for mode in MODES:
            cells = measure(estimator, rows, mode, chosen.repeats)
            print("| " + " | ".join([name, _leaves(estimator), mode, *cells]) + " |", flush=True)


def _leaves(estimator: Any) -> str:
    if hasattr(estimator, "_predictors"):
        return str(
            sum(tree.get_n_leaf_nodes() for stage in estimator._predictors for tree in stage)
        )
    return str(sum(tree.get_n_leaves() for tree in np.ravel(estimator.estimators_)))


if __name__ == "__main__":
    main()
