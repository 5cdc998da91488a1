"""Intervention curves: how often the class is right as more and more concepts are corrected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from nbxplain.concepts.bottleneck.base import Bottleneck, Sight
from nbxplain.concepts.bottleneck.labels import class_labels, concept_labels
from nbxplain.concepts.bottleneck.order import Order, check_order, usefulness
from nbxplain.core.errors import InputError, ModelError
from nbxplain.evaluation.check import Check, finish
from nbxplain.figure import Drawing, Style

WORDS: dict[Order, str] = {
    "random": "a random order",
    "uncertainty": "the least sure first",
    "change": "the one that moves the class most first",
}
Z = 1.96
"""Standard deviations on either side that hold 95 %."""


@dataclass(frozen=True, repr=False)
class InterventionCurve(Check):
    """Whether the class is right after 0, 1, ... C corrections.

    right (S, steps, N): for S draws of the order; as many steps as are done. concept_accuracy: how
    often the concepts, rounded, were right before. chance: the share of the commonest class.
    """

    name: ClassVar[str] = "intervention_curve"
    label: ClassVar[str] = "Intervention curve"

    right: Tensor
    order: Order
    concept_accuracy: float
    chance: float

    @property
    def accuracy(self) -> list[float]:
        """The accuracy after 0, 1, ... corrections, a mean over inputs and draws."""
        means: list[float] = self.right.double().mean((0, 2)).tolist()
        return means

    @property
    def band(self) -> tuple[list[float], list[float]]:
        """Between which accuracies 95 % of data sets of this size lie (Wilson's interval)."""
        p, n = torch.tensor(self.accuracy, dtype=torch.float64), self.right.shape[2]
        middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        reach = Z / (1 + Z**2 / n) * (p * (1 - p) / n + Z**2 / (4 * n**2)).sqrt()
        return (middle - reach).tolist(), (middle + reach).tolist()

    @property
    def score(self) -> float:
        """The mean accuracy over all numbers of corrections."""
        return sum(self.accuracy) / len(self.accuracy)

    @property
    def reading(self) -> str:
        steps = len(self.accuracy) - 1
        return (
            f"accuracy {self.accuracy[0]:.2f}, and {self.accuracy[-1]:.2f} with {steps} concepts "
            f"corrected, {WORDS[self.order]} (mean {self.score:.2f}, {self.right.shape[2]} inputs)"
        )

    def draw(self, style: Style, row: int = 0) -> Drawing:
        from nbxplain.concepts.bottleneck.figure import lines

        return lines({WORDS[self.order]: self}, style)


def intervention_curve(
    model: Bottleneck,
    inputs: Any,
    concept_labels: Any,
    class_labels: Any,
    order: Order = "random",
    seeds: int | Sequence[int] = 10,
    *,
    progress: bool | None = None,
) -> InterventionCurve:
    """The accuracy after 0, 1, ... C corrected concepts.

    inputs: pictures or rows that the model was not trained on; labels as for `fit`. order: which
    concept of each input is corrected next: "random", "uncertainty" or "change" (see order.py; it
    asks for two class predictions a concept at every step). seeds: draws of the random order.

    Raises InputError for labels that do not fit, MethodError for an unknown order.
    """
    steps = intervention_curve_steps(model, inputs, concept_labels, class_labels, order, seeds)
    return finish(steps, "Intervention curve", progress)


def intervention_curve_steps(
    model: Bottleneck,
    inputs: Any,
    concepts: Any,
    classes: Any,
    order: Order = "random",
    seeds: int | Sequence[int] = 10,
) -> Iterator[InterventionCurve]:
    """The steps of intervention_curve: one for each number of corrections."""
    check_order(order, Order)
    if not isinstance(model, Bottleneck):
        raise ModelError(
            f"{type(model).__name__} is not known to have concepts.",
            "Give a ConceptBottleneck, or ConceptBottleneck.of(model, layer, concepts, gives=...).",
        )
    numbers = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    if not numbers:
        raise InputError("There are no seeds.", "Give at least one draw of the order.")
    sight = model.look(inputs)
    rows, count = sight.probabilities.shape
    truth = concept_labels(concepts, model.concept_names, rows)
    y = class_labels(classes, sight.classes, rows)
    draws = len(numbers) if order == "random" else 1
    rounded = (sight.probabilities > 0.5) == (truth > 0.5)
    curve = InterventionCurve(
        torch.empty(draws, 0, rows, dtype=torch.bool), order, float(rounded.double().mean()),
        float(y.bincount().max()) / rows, done=0, total=count + 1,
    )  # fmt: skip
    known = torch.full((draws, rows, count), float("nan"))
    worth = _worth(sight, known, order, numbers)
    every = torch.arange(rows).repeat(draws)
    for step in range(count + 1):
        if step:
            if order == "change":
                worth = _worth(sight, known, order, numbers)
            chosen = worth.masked_fill(~known.isnan(), -1.0).argmax(2, keepdim=True)
            known.scatter_(2, chosen, truth.expand(draws, -1, -1).gather(2, chosen))
        found = sight.scores(every, known.flatten(0, 1)).argmax(1).view(draws, 1, rows)
        curve = replace(curve, right=torch.cat([curve.right, found == y], 1), done=step + 1)
        yield curve


def _worth(sight: Sight, known: Tensor, order: Order, seeds: list[int]) -> Tensor:
    """By what concepts (S, N, C) are ordered, the highest first."""
    if order != "random":
        return usefulness(sight, known[0], order).unsqueeze(0)
    draws = [torch.Generator().manual_seed(seed) for seed in seeds]
    return torch.stack([torch.rand(known.shape[1:], generator=draw) for draw in draws])
