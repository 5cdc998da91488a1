"""Independent, sequential and joint training of a concept bottleneck (Koh et al. 2020)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.counting import counted
from nbxplain.core.door import run
from nbxplain.core.errors import MethodError, ModelError
from nbxplain.core.preserve import random_states
from nbxplain.evaluation.check import plainly

if TYPE_CHECKING:
    from nbxplain.concepts.bottleneck.model import ConceptBottleneck

Mode = Literal["independent", "sequential", "joint"]


@dataclass(frozen=True)
class Plan:
    """How to train; see ConceptBottleneck.fit. Raises MethodError."""

    mode: Mode
    concept_weight: float
    epochs: int
    batch_size: int
    learning_rate: float
    head_learning_rate: float
    weight_decay: float
    seed: int

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise MethodError(
                f"There is no mode {self.mode!r}.", f"Choose one of {', '.join(get_args(Mode))}."
            )
        for name in ("concept_weight", "weight_decay"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise MethodError(f"{name} cannot be {value}.", "Give a number from 0 on.")
        for name in ("epochs", "batch_size"):
            counted(name, getattr(self, name))
        for name in ("learning_rate", "head_learning_rate"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise MethodError(f"{name} cannot be {value}.", "Give a number above 0.")


@dataclass(frozen=True)
class Training:
    """Mean losses of each epoch: of the concepts (summed over them, times their weight in joint
    training), and of the classes; nan where nothing was learned."""

    mode: Mode
    concept_loss: tuple[float, ...]
    class_loss: tuple[float, ...]

    def __repr__(self) -> str:
        return (
            f"<Training, {self.mode}: loss of the concepts {self.concept_loss[-1]:.3g}, of the "
            f"classes {self.class_loss[-1]:.3g}>"
        )


class Part(NamedTuple):
    """What is trained, and its learning rate."""

    module: nn.Module
    rate: float

    @property
    def weights(self) -> list[nn.Parameter]:
        """Those that ask for a gradient."""
        return [weight for weight in self.module.parameters() if weight.requires_grad]


Losses = tuple[Tensor, Tensor]
"""Of the concepts, and of the classes, in a batch; zero where a part is not trained."""


def train(
    model: ConceptBottleneck, x: Tensor, c: Tensor, y: Tensor, plan: Plan, progress: bool | None
) -> Training:
    """Trains on inputs (N, ...), concepts (N, C) and classes (N,). Raises ModelError."""
    zero = x.new_zeros(())
    concepts: nn.Module = model.to_concepts
    parts = (
        Part(model.to_concepts, plan.learning_rate),
        Part(model.to_classes, plan.head_learning_rate),
    )

    def together(batch: Tensor) -> Losses:
        logits = concepts(x[batch])
        class_loss = F.cross_entropy(model.to_classes(logits.sigmoid()), y[batch])
        return plan.concept_weight * _concept_loss(logits, c[batch]), class_loss

    def of_concepts(batch: Tensor) -> Losses:
        return _concept_loss(concepts(x[batch]), c[batch]), zero

    def of_classes(seen: Tensor) -> Callable[[Tensor], Losses]:
        return lambda batch: (zero, F.cross_entropy(model.to_classes(seen[batch]), y[batch]))

    with plainly(), random_states(plan.seed), torch.enable_grad():
        _try(model, x[:1])
        if model.to_concepts.frozen:
            concepts, x = model.to_concepts.linear, model.to_concepts.features(x)
        bar = tqdm(
            total=plan.epochs * (1 if plan.mode == "joint" else 2), leave=False,
            desc=f"Training, {plan.mode}", disable=not progress,
        )  # fmt: skip
        with bar:
            if plan.mode == "joint":
                both = _descend(parts, len(x), together, plan, bar)
                return Training(plan.mode, both[0], both[1])
            first = _descend(parts[:1], len(x), of_concepts, plan, bar)[0]
            seen = c
            if plan.mode == "sequential":
                seen = ModelAdapter(concepts).outputs(x).sigmoid()
            second = _descend(parts[1:], len(x), of_classes(seen), plan, bar)[1]
            return Training(plan.mode, first, second)


def _concept_loss(logits: Tensor, labels: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, labels, reduction="none").sum(1).mean()


def _try(model: ConceptBottleneck, x: Tensor) -> None:
    """One pass, in which lazy weights come into being. Raises ModelError where parts do not fit."""
    model.eval()
    with torch.no_grad():
        logits = run(model.to_concepts, x, _as_it_is)
        scores = run(model.to_classes, logits.sigmoid(), _as_it_is)
    if scores.shape != (len(x), len(model.class_names)):
        raise ModelError(
            f"The head gives shape {tuple(scores.shape)} for {len(x)} input.",
            f"Expected ({len(x)}, {len(model.class_names)}): one score a class.",
        )


def _as_it_is(output: Any) -> Tensor:
    scores: Tensor = output
    return scores


def _descend(
    parts: Sequence[Part],
    count: int,
    losses: Callable[[Tensor], Losses],
    plan: Plan,
    bar: tqdm[None],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Adam on the weights of the parts that ask for a gradient; the mean losses of each epoch."""
    groups = [{"params": part.weights, "lr": part.rate} for part in parts if part.weights]
    if not groups:  # a head that is a rule, not learned
        return (math.nan,), (math.nan,)
    optimiser = torch.optim.Adam(groups, weight_decay=plan.weight_decay)
    told: list[Tensor] = []
    for part in parts:
        _training(part.module)
    try:
        for _ in range(plan.epochs):
            sums = torch.zeros(2)
            # Batches of nearly one size: a last one of a single input has no batch statistics.
            for batch in torch.randperm(count).tensor_split(-(-count // plan.batch_size)):
                concept_loss, class_loss = losses(batch)
                optimiser.zero_grad()
                (concept_loss + class_loss).backward()
                optimiser.step()
                both = torch.stack([concept_loss.detach(), class_loss.detach()])
                sums += both.cpu().float() * len(batch) / count
            if not bool(sums.isfinite().all()):
                raise ModelError(
                    f"The loss is {float(sums.sum())} after {len(told) + 1} epochs.",
                    "Lower learning_rate, or check the scale of the inputs.",
                )
            told.append(sums)
            bar.update()
    finally:
        for part in parts:
            part.module.eval()
        optimiser.zero_grad()
    concepts, classes = torch.stack(told).T.tolist()
    return tuple(concepts), tuple(classes)


def _training(part: nn.Module) -> None:
    """Training mode, but for modules whose weights are all frozen: their statistics are, too."""
    part.train()
    for module in part.modules():
        weights = list(module.parameters())
        if weights and not any(weight.requires_grad for weight in weights):
            module.eval()
