"""TreeSHAP: exact Shapley values of the features of trees, without passes through the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar, Literal

import torch
from torch import Tensor

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.background import Background
from nbxplain.core.errors import InputError, ModelError, TargetError
from nbxplain.core.estimator import Estimator
from nbxplain.core.inputs import Inputs
from nbxplain.core.tables import default_names
from nbxplain.core.target import Target
from nbxplain.methods.base import Group, Method, Partial, Players, Question, parameter
from nbxplain.methods.trees.forest import Forest, is_forest, read
from nbxplain.methods.trees.interventional import Replaced
from nbxplain.methods.trees.lookup import Absence, add_values
from nbxplain.methods.trees.path_dependent import Followed
from nbxplain.methods.trees.paths import Grove, plant

LEAVES = 1 << 12
"""Leaves of the trees that are taken at a time."""
ROWS = 1 << 10
"""Rows that are taken at a time, as long as their patterns fit into memory."""
PATTERNS = 1 << 24
"""Patterns that are held at a time."""
AGREED = 1e-6
"""How far, relative to the score, the trees may be from what the model says."""


class TreeShap(Method):
    """Exact Shapley values of the features of trees, forests and gradient boosting.

    For scikit-learn's decision trees, random forests, extra trees and (histogram) gradient
    boosting. Forests are explained by their probability, boosting by its log odds: what the sum
    over trees is. Lundberg et al. 2020.

    "path_dependent" asks what the training rows did that came as far as a split, and needs no
    background: it describes the data as well as the model. "interventional" replaces absent
    features by those of background rows: what other Shapley methods estimate.
    """

    name: ClassVar[str] = "tree_shap"
    label: ClassVar[str] = "TreeSHAP"
    group: ClassVar[Group] = "Shapley"
    cost: ClassVar[int] = 1
    needs_trees: ClassVar[bool] = True

    mode: Literal["path_dependent", "interventional"] = parameter(
        "path_dependent", "What an absent feature means: follow the training rows, or a background."
    )
    background: Background | None = parameter(
        None, "Rows to average over when interventional; by default those given to explain."
    )

    @classmethod
    def lacks(cls, adapter: ModelAdapter, inputs: Inputs) -> str | None:
        """Says which models have trees to read."""
        if is_forest(getattr(adapter.model, "estimator", None)):
            return None
        return "needs a tree, forest or gradient boosting of scikit-learn as the model"

    def run(self, question: Question) -> Iterator[Partial]:
        """Yields after some trees and rows; no pass but one, for the scores.

        Raises ModelError for what is not made of trees, TargetError for a callable target and
        InputError where a background is missing.
        """
        model = question.adapter.model
        if not isinstance(model, Estimator):
            raise ModelError(
                f"TreeSHAP reads trees; the model is {type(model).__name__}.",
                "Give a tree, forest or gradient boosting of scikit-learn as the model; for "
                "others use shapley.",
            )
        x = question.tensor
        forest = read(model.estimator)
        combinations, kind = (
            torch.as_tensor(part, device=x.device)
            for part in _wanted(question.target, len(forest.offset))
        )
        groves = [plant(trees, x.device) for trees in forest.groves(LEAVES)]
        absence = self._absence(question, lambda rows: _columns(model, forest, rows))
        expected = torch.from_numpy(forest.offset).to(x.device)
        for grove in groves:
            expected = expected + absence.expectation(grove)
        base, score = (combinations @ expected)[kind], question.scores(x)
        change, columns = score - base, _columns(model, forest, x)
        for values, done, total in _sums(groves, absence, columns, combinations, kind):
            question.passes.check()
            gap = values.sum(1) - change
            if done == total:
                _check(gap, score)
            yield Partial(
                values,
                done,
                total,
                base_value=base,
                evidence={"completeness_gap": gap, "score_change": change},
                players=_players(question),
            )

    def _absence(self, question: Question, columns: Callable[[Tensor], Tensor]) -> Absence:
        if self.mode == "path_dependent":
            return Followed()
        if self.background is not None:
            rows = self.background.tensors_for(question.inputs, question.tensor.device)
            if self.background.baselines and not bool((rows == rows[:, :1]).all()):
                raise InputError(
                    "The background differs from row to row.", "Give one batch (K, F) for all."
                )
            return Replaced(columns(rows[:, 0]))
        raise InputError(
            "Interventional TreeSHAP averages over a background, and there is none.",
            "Give background=: some rows of the training data; or use mode='path_dependent'.",
        )


def _wanted(target: Target, scores: int) -> tuple[Tensor, list[int]]:
    """The combinations (k, scores) that are explained, and which of them of each row.

    Raises TargetError.
    """
    if target.function is not None:
        raise TargetError(
            "A callable target is no sum over trees.",
            "Give a class or a Contrast; shapley explains any score.",
        )
    units = torch.eye(scores, dtype=torch.float64)
    pairs = list(zip(target.index, target.against, strict=True))
    kinds = {pair: kind for kind, pair in enumerate(dict.fromkeys(pairs))}
    rows = torch.zeros(scores, dtype=torch.long)
    combinations = [Target((index,), (against,)).score(units, rows) for index, against in kinds]
    return torch.stack(combinations), [kinds[pair] for pair in pairs]


def _columns(model: Estimator, forest: Forest, rows: Tensor) -> Tensor:
    """Encoded rows (N, F) as the trees compare them: (F, N)."""
    numbers = forest.columns(model.decoded(rows))
    return torch.from_numpy(numbers).to(rows.device).t().contiguous()


def _sums(
    groves: list[Grove], absence: Absence, columns: Tensor, combinations: Tensor, kind: Tensor
) -> Iterator[tuple[Tensor, int, int]]:
    """Values (N, F) so far, and how many pairs of a grove and a row they come from, of how many."""
    # Rows with the same target lie side by side.
    order = kind.argsort(stable=True)
    columns, kind = columns[:, order], kind[order]
    features, count = columns.shape
    size = max(1, min(ROWS, PATTERNS // max(len(grove) for grove in groves)))
    values, done = columns.new_zeros(count, features), 0
    for start in range(0, count, size):
        rows = slice(start, start + size)
        sides = [
            (slice(int(found[0]), int(found[-1]) + 1), coefficients)
            for index, coefficients in enumerate(combinations)
            if len(found := (kind[rows] == index).nonzero())
        ]
        for grove in groves:
            patterns, shares = grove.fails(columns[:, rows]), absence.shares(grove)
            for paths in grove.groups:
                if paths.length:
                    add_values(values[rows], patterns, paths, shares, absence.width, sides)
            done += patterns.shape[1]
            sorted_back = torch.empty_like(values)
            sorted_back[order] = values
            yield sorted_back, done, count * len(groves)


def _check(gap: Tensor, score: Tensor) -> None:
    """Raises ModelError where the trees are not all that the scores are made of."""
    worst = int((gap.abs() / (1 + score.abs())).argmax())
    if float(gap[worst].abs()) > AGREED * (1 + float(score[worst].abs())):
        raise ModelError(
            f"The trees sum to {float(score[worst] + gap[worst]):.6g}, but the model's score is "
            f"{float(score[worst]):.6g}.",
            "Leave output= out; if predict is your own, use shapley.",
        )


def _players(question: Question) -> Players:
    count, width = question.tensor.shape
    table = question.inputs.table
    names = default_names(width) if table is None else list(table.names)
    labels = torch.arange(width).expand(count, -1)
    return Players(labels, torch.full((count,), width), [names] * count)


__all__ = ["TreeShap"]
