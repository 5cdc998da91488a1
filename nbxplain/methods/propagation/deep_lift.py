"""DeepLIFT and DeepSHAP: the change of the score, split among the changes of the inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor

from nbxplain.core.background import Background
from nbxplain.core.baseline import Baseline
from nbxplain.core.decompositions import DECOMPOSITIONS
from nbxplain.core.rules import Rule, RuleSet
from nbxplain.methods.base import Group, Method, Partial, Question, parameter, relative
from nbxplain.methods.propagation.reveals import REVEALS
from nbxplain.methods.propagation.secants import DYNAMIC, SECANTS


class DeepLift(Method):
    """The change from the baseline's score, sent back along secants instead of tangents.

    Sums to f(x) - f(x') exactly, on any architecture whose operations have rules; the gap that
    rounding leaves is reported. A nonlinearity after a sum is one secant by the rescale rule, and
    two by reveal-cancel: one for what raised the sum, one for what lowered it, so that changes
    which cancel are still seen; after anything else than a sum (a maximum, a product of two
    changing tensors) both rules are the same. Shrikumar, Greenside, Kundaje 2017.
    """

    name: ClassVar[str] = "deep_lift"
    label: ClassVar[str] = "DeepLIFT"
    group: ClassVar[Group] = "propagation"
    cost: ClassVar[int] = 1
    plain: ClassVar[bool] = True

    baseline: Baseline = parameter(Baseline(), "The input that stands for nothing there.")
    rule: Literal["rescale", "reveal_cancel"] = parameter(
        "rescale", "Whether changes that cancel share one slope, or are told apart."
    )

    def run(self, question: Question) -> Iterator[Partial]:
        """One pass for the baseline and one for the input, each."""
        reference = self.baseline.tensor_for(question.inputs, question.tensor.device)
        rules = SECANTS if self.rule == "rescale" else REVEALS
        yield from _differences(question, reference.unsqueeze(0), rules)


class DeepShap(Method):
    """DeepLIFT averaged over a background: estimates Shapley values. Lundberg and Lee 2017.

    The background is a batch (K, ...) in the model's units, or several baselines.
    """

    name: ClassVar[str] = "deep_shap"
    label: ClassVar[str] = "DeepSHAP"
    group: ClassVar[Group] = "propagation"
    cost: ClassVar[int] = 2
    resumable: ClassVar[bool] = True

    background: Background = parameter(
        Background.of("black", "white", "mean", "blur"),
        "Inputs that stand for nothing there, averaged over.",
    )

    def run(self, question: Question) -> Iterator[Partial]:
        """Yields the running mean over (background, input) pairs."""
        references = self.background.tensors_for(question.inputs, question.tensor.device)
        yield from _differences(question, references, SECANTS)


def _differences(
    question: Question, references: Tensor, surrogates: Mapping[str, Rule]
) -> Iterator[Partial]:
    """DeepLIFT for each of `references` (K, N, ...), averaged over them."""
    x = question.tensor
    kinds, rows = references.shape[:2]
    total, squares = torch.zeros_like(x), torch.zeros_like(x)
    start = x.new_zeros(rows)
    count = x.new_zeros(rows)
    finals = x.new_zeros(rows)
    done = 0
    rules = RuleSet(
        surrogates,
        DECOMPOSITIONS,
        dynamic=DYNAMIC if surrogates is SECANTS else frozenset(),
        reference=lambda index: references[index // rows, index % rows],
    )

    def score(output: Tensor, index: Tensor) -> Tensor:
        return question.target.score(output, index % rows)

    for result in question.passes.propagate(
        kinds * rows, lambda index: x[index % rows], score, rules
    ):
        assert result.reference is not None
        row, kind = result.rows % rows, result.rows // rows
        values = result.gradient * (x[row] - references[kind, row])
        total.index_add_(0, row, values)
        squares.index_add_(0, row, values**2)
        start.index_add_(0, row, result.reference)
        count.index_add_(0, row, torch.ones_like(result.scores))
        finals[row] = result.scores
        done += len(row)
        yield _partial(total, squares, start, finals, count, done, kinds * rows)


def _partial(
    total: Tensor,
    squares: Tensor,
    start: Tensor,
    finals: Tensor,
    count: Tensor,
    done: int,
    all: int,
) -> Partial:
    seen = count.clamp(min=1)
    share = seen.view(-1, *[1] * (total.ndim - 1))
    values, base = total / share, start / seen
    change = finals - base
    evidence = {
        "completeness_gap": values.flatten(1).sum(1) - change,
        "score_change": change,
    }
    error = None
    if bool((count >= 2).all()):
        spread = ((squares / share - values**2).clamp(min=0) / (share - 1)).sqrt()
        error = relative(spread, values)
        sizes = values.flatten(1).norm(dim=1).clamp(min=1e-30)
        evidence["standard_error"] = spread.flatten(1).norm(dim=1) / sizes
    return Partial(values, done, all, error, base, evidence)
