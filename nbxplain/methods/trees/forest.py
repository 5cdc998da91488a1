"""Trees of scikit-learn, of whatever kind, in one form: arrays over nodes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nbxplain.core.errors import ModelError

Array = NDArray[Any]

CATEGORIES = 256
"""More values than this no categorical feature of HistGradientBoosting can have."""


@dataclass(frozen=True, eq=False)
class Trees:
    """Binary trees laid end to end: M nodes, of which `roots` (T,) are where each begins.

    `left` and `right` (M,) are the children, -1 at leaves. A row goes left where its `feature` is
    at most `threshold`; where it is missing, if `missing_left`; and where `split` is not -1, if its
    category is in the row `split` of `goes_left` (S, 256). `cover` is the weight of the training
    rows that came by, `value` (M, K) what a leaf adds to each of K scores.
    """

    roots: Array
    left: Array
    right: Array
    feature: Array
    threshold: Array
    missing_left: Array
    cover: Array
    value: Array
    split: Array
    goes_left: Array

    @property
    def leaves(self) -> int:
        return int((self.left < 0).sum())

    def then(self, others: list[Trees]) -> Trees:
        """These trees and the others as one."""
        trees = [self, *others]
        nodes = np.cumsum([0, *(len(tree.left) for tree in trees)])
        splits = np.cumsum([0, *(len(tree.goes_left) for tree in trees)])

        def joined(name: str) -> Array:
            parts = [getattr(tree, name) for tree in trees]
            if name in ("left", "right", "split"):
                shift = splits if name == "split" else nodes
                parts = [np.where(p < 0, -1, p + s) for p, s in zip(parts, shift, strict=False)]
            if name == "roots":
                parts = [part + s for part, s in zip(parts, nodes, strict=False)]
            return np.concatenate(parts)

        return Trees(**{field.name: joined(field.name) for field in fields(Trees)})


@dataclass(frozen=True, eq=False)
class Forest:
    """Scores (K,) as `offset` (K,) plus the sum over `trees`.

    `columns` turns rows as the estimator takes them into numbers (N, F) as its trees compare them,
    in the order of the features.
    """

    trees: list[Trees]
    offset: Array
    columns: Callable[[Any], Array]

    def groves(self, leaves: int) -> Iterator[Trees]:
        """The trees, several at a time, with at most so many leaves unless a tree has more."""
        taken, count = [self.trees[0]], self.trees[0].leaves
        for tree in self.trees[1:]:
            if count + tree.leaves > leaves:
                yield taken[0].then(taken[1:])
                taken, count = [], 0
            taken.append(tree)
            count += tree.leaves
        yield taken[0].then(taken[1:])


def is_forest(estimator: Any) -> bool:
    """Whether this is a scikit-learn estimator that `read` can read."""
    return _kind(estimator) is not None


def read(estimator: Any) -> Forest:
    """The trees of a fitted estimator, with scores as nbxplain.core.estimator gives them.

    Probabilities for trees and forests that classify, log odds for gradient boosting: (-m, m) for
    two classes. Raises ModelError for what is not made of trees, or not a sum of them.
    """
    kind = _kind(estimator)
    if kind is None:
        raise ModelError(
            f"{type(estimator).__name__} is not made of trees that could be read.",
            "TreeSHAP reads scikit-learn's decision trees, random forests, extra trees and "
            "(histogram) gradient boosting. Of a pipeline give its last step, and rows that went "
            "through the others; else use shapley.",
        )
    forest: Forest = kind(estimator)
    return forest


def _kind(estimator: Any) -> Callable[[Any], Forest] | None:
    if "sklearn" not in sys.modules:
        # Who has such an estimator has imported scikit-learn; nobody else waits for it.
        return None
    from sklearn import ensemble, tree

    readers: dict[Callable[[Any], Forest], tuple[type, ...]] = {
        _of_tree: (tree.DecisionTreeClassifier, tree.DecisionTreeRegressor),
        _of_forest: (
            ensemble.RandomForestClassifier,
            ensemble.RandomForestRegressor,
            ensemble.ExtraTreesClassifier,
            ensemble.ExtraTreesRegressor,
        ),
        _of_boosting: (ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor),
        _of_histograms: (
            ensemble.HistGradientBoostingClassifier,
            ensemble.HistGradientBoostingRegressor,
        ),
    }
    return next((reader for reader, kinds in readers.items() if isinstance(estimator, kinds)), None)


def _of_tree(estimator: Any) -> Forest:
    return _mean([estimator])


def _of_forest(estimator: Any) -> Forest:
    return _mean(list(estimator.estimators_))


def _mean(estimators: list[Any]) -> Forest:
    """Trees whose scores are averaged: probabilities of one output, or values of each output."""
    classifies = hasattr(estimators[0], "classes_")
    if classifies and estimators[0].n_outputs_ > 1:
        raise ModelError(
            f"The trees classify {estimators[0].n_outputs_} outputs at once.",
            "Fit one estimator for each output.",
        )

    def values(nodes: Array) -> Array:
        return (nodes[:, 0] if classifies else nodes[:, :, 0]) / len(estimators)

    trees = [_tree(e.tree_, values(e.tree_.value)) for e in estimators]
    return Forest(trees, np.zeros(trees[0].value.shape[1]), _single)


def _of_boosting(estimator: Any) -> Forest:
    if estimator.init not in (None, "zero"):
        raise ModelError(
            f"The boosting starts from {type(estimator.init).__name__}, which is no sum of trees.",
            "Fit it without init=, or use shapley.",
        )
    stages, rate = estimator.estimators_, estimator.learning_rate
    trees = []
    for output in range(stages.shape[1]):
        place = np.eye(stages.shape[1])[output]
        for stage in stages[:, output]:
            trees.append(_tree(stage.tree_, rate * stage.tree_.value[:, 0] * place))
    # Where it starts from is what is left of a score once the trees have been taken off.
    row = np.zeros((1, estimator.n_features_in_), np.float32)
    predict = getattr(estimator, "decision_function", estimator.predict)
    grown = sum(tree.value[stage.tree_.apply(row)[0]] for tree, stage in
                zip(trees, stages.T.flat, strict=True))  # fmt: skip
    return _sided(estimator, trees, np.atleast_1d(predict(row)[0]) - grown, _single)


def _of_histograms(estimator: Any) -> Forest:
    if getattr(estimator, "loss", "") in ("poisson", "gamma"):
        raise ModelError(
            f"With loss={estimator.loss!r} the score is the exponential of a sum over trees.",
            "Use shapley, which explains any function.",
        )
    outputs = len(estimator._predictors[0])
    trees = []
    for output in range(outputs):
        for stage in estimator._predictors:
            trees.append(_histogram_tree(stage[output], np.eye(outputs)[output]))
    remapped = _remapped(estimator)
    trees = [_renamed(tree, remapped) for tree in trees]

    def columns(rows: Any) -> Array:
        encoded: Array = estimator._preprocess_X(rows, reset=False)
        return encoded[:, np.argsort(remapped)]

    return _sided(estimator, trees, estimator._baseline_prediction.ravel(), columns)


def _remapped(estimator: Any) -> Array:
    """Which feature each column of the encoded rows is: categories are put in front."""
    places = np.arange(estimator.n_features_in_)
    if estimator.is_categorical_ is None:
        return places
    return np.argsort(~estimator.is_categorical_, kind="stable")


def _renamed(tree: Trees, names: Array) -> Trees:
    return Trees(**{**vars(tree), "feature": names[tree.feature]})


def _sided(
    estimator: Any, trees: list[Trees], offset: Array, columns: Callable[[Any], Array]
) -> Forest:
    """The same forest, with scores (-m, m) where it gives one margin between two classes."""
    if not hasattr(estimator, "classes_") or len(offset) > 1:
        return Forest(trees, offset, columns)
    sides = np.array([[-1.0, 1.0]])
    sided = [Trees(**{**vars(tree), "value": tree.value @ sides}) for tree in trees]
    return Forest(sided, offset @ sides, columns)


def _single(rows: Any) -> Array:
    """Rows (N, F) as scikit-learn's trees compare them: rounded to float32."""
    return np.asarray(rows, np.float64).astype(np.float32).astype(np.float64)


def _tree(tree: Any, value: Array) -> Trees:
    return Trees(
        roots=np.zeros(1, np.int64),
        left=tree.children_left,
        right=tree.children_right,
        feature=tree.feature,
        threshold=tree.threshold,
        missing_left=tree.missing_go_to_left.astype(bool),
        cover=tree.weighted_n_node_samples,
        value=value,
        split=np.full(tree.node_count, -1),
        goes_left=np.zeros((0, CATEGORIES), bool),
    )


def _histogram_tree(predictor: Any, place: Array) -> Trees:
    """A tree of HistGradientBoosting; `place` (K,) says which score it adds to."""
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    words = np.ascontiguousarray(predictor.raw_left_cat_bitsets, "<u4")
    bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")
    return Trees(
        roots=np.zeros(1, np.int64),
        left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(leaf, -1, nodes["right"].astype(np.int64)),
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"],
        missing_left=nodes["missing_go_to_left"].astype(bool),
        cover=nodes["count"].astype(np.float64),
        value=nodes["value"][:, None] * place,
        split=np.where(nodes["is_categorical"] & ~leaf, nodes["bitset_idx"].astype(np.int64), -1),
        goes_left=bits.reshape(-1, CATEGORIES).astype(bool),
    )


__all__ = ["Forest", "Trees", "is_forest", "read"]
