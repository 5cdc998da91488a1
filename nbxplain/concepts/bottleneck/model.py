"""A concept bottleneck: inputs give concepts, and concepts alone give the class.

Koh et al. 2020. The class sees the probabilities of the concepts in every mode of training (the
paper hands on logits in joint training), so that a correction is 0 or 1 and needs no percentiles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from nbxplain.concepts.bottleneck.base import Bottleneck, Sight, shares_of
from nbxplain.concepts.bottleneck.labels import (
    class_labels,
    class_names,
    concept_labels,
    concept_names,
)
from nbxplain.concepts.bottleneck.layer import Gives, LayerBottleneck
from nbxplain.concepts.bottleneck.training import Mode, Plan, Training, train
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.capture import first_tensor
from nbxplain.core.errors import ModelError

PART = 64
"""Inputs whose maps are held at a time."""


class ConceptScores(nn.Module):
    """Logits (N, C) of the concepts: one linear layer on what the backbone gives.

    That is features (N, d), or maps (N, d, h, w), of which the mean is taken. A module like any
    other: `explain(model.to_concepts, x, "grad_cam", target="striped")` shows where one is seen.
    """

    def __init__(self, backbone: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.names = names
        self.backbone = backbone
        self.linear = nn.LazyLinear(len(names), **_like(backbone))

    @property
    def config(self) -> SimpleNamespace:
        """The labels, where an adapter looks for them."""
        return _labelled(self.names)

    @property
    def pretrained_cfg(self) -> Any:
        """The backbone's preprocessing, where an adapter looks for it."""
        return getattr(self.backbone, "pretrained_cfg", None)

    @property
    def frozen(self) -> bool:
        """True when the backbone has weights, and none of them asks for a gradient."""
        weights = list(self.backbone.parameters())
        return bool(weights) and not any(weight.requires_grad for weight in weights)

    def features(self, x: Tensor) -> Tensor:
        """What the backbone gives (N, d) in evaluation mode, without gradients."""
        adapter = ModelAdapter(self.backbone)
        return torch.cat([_pooled(adapter.outputs(part)) for part in x.split(PART)])

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.linear(_pooled(first_tensor(self.backbone(x))))
        return logits


class ConceptBottleneck(nn.Module, Bottleneck):
    """Class scores (N, K) that follow from the probabilities of named concepts alone.

    backbone: gives features (N, d) or maps (N, d, h, w). Weights that ask for no gradient are not
        trained; where none does, each input passes it once.
    concepts: their names.
    classes: their names, or how many there are.
    head: from concepts (N, C) to class scores (N, K); one linear layer unless given.

    `fit` trains it. It works in `explain` and `Explorer`, as does its part `to_concepts`, whose
    scores are the concepts'. Raises InputError for names that are missing or come twice.
    """

    def __init__(
        self,
        backbone: nn.Module,
        concepts: Sequence[str],
        classes: Sequence[str] | int,
        *,
        head: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.concept_names = concept_names(concepts)
        self.class_names = class_names(classes)
        self.to_concepts = ConceptScores(backbone, self.concept_names)
        sizes = len(self.concept_names), len(self.class_names)
        self.to_classes = nn.Linear(*sizes, **_like(backbone)) if head is None else head

    @staticmethod
    def of(
        model: nn.Module,
        concept_layer: str,
        concepts: Sequence[str],
        *,
        gives: Gives,
        examples: Any = None,
        preprocess: Any = None,
        labels: Sequence[str] | Mapping[int, str] | None = None,
        output: str | int | Callable[[Any], Tensor] | None = None,
        device: str | torch.device | None = None,
    ) -> LayerBottleneck:
        """The bottleneck inside a model of your own, which is left as it is.

        concept_layer: dotted name of the module that gives the concepts (N, C). gives: whether
        those are "logits" or "probabilities". examples: inputs by which logits are corrected: to
        the 5th and 95th percentile of each concept's (Koh et al. 2020); without them to those of
        probabilities .05 and .95. The rest as in `explain`. Raises LayerError.
        """
        given = {
            "model": model,
            "preprocess": preprocess,
            "labels": labels,
            "output": output,
            "device": device,
        }
        return LayerBottleneck(given, concept_layer, concept_names(concepts), gives, examples)

    @property
    def config(self) -> SimpleNamespace:
        """The labels, where an adapter looks for them."""
        return _labelled(self.class_names)

    @property
    def pretrained_cfg(self) -> Any:
        """The backbone's preprocessing, where an adapter looks for it."""
        return self.to_concepts.pretrained_cfg

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.to_classes(self.to_concepts(x).sigmoid())
        return scores

    def fit(
        self,
        inputs: Any,
        concept_labels: Any,
        class_labels: Any,
        mode: Mode = "independent",
        *,
        concept_weight: float = 1.0,
        epochs: int = 30,
        batch_size: int = 64,
        learning_rate: float = 3e-3,
        head_learning_rate: float = 0.03,
        weight_decay: float = 0.0,
        seed: int = 0,
        progress: bool | None = None,
    ) -> Training:
        """Trains on from the weights as they are, with Adam, and leaves evaluation mode on.

        inputs: what `explain` takes, as one set. concept_labels: (N, C) in [0, 1], or a DataFrame
        or dict with a column for each name. class_labels: (N,), places or names.

        mode: "independent" trains the concepts and, on the true concepts, the classes; "sequential"
        trains the concepts, then the classes on the predicted ones; "joint" trains all at once, the
        concepts' loss (summed over concepts) weighing `concept_weight` against the classes'.

        Raises InputError for labels that are missing, do not fit or are not in [0, 1], MethodError
        for an unknown mode and parameters out of range, ModelError for a loss that is not finite.
        """
        rates = learning_rate, head_learning_rate
        plan = Plan(mode, concept_weight, epochs, batch_size, *rates, weight_decay, seed)
        x = ModelAdapter(self.to_concepts.backbone).read(inputs).tensor
        c, y = self._labels(concept_labels, class_labels, len(x))
        return train(self, x, c.to(x), y.to(x.device), plan, progress)

    def _labels(self, concepts: Any, classes: Any, count: int) -> tuple[Tensor, Tensor]:
        return (
            concept_labels(concepts, self.concept_names, count),
            class_labels(classes, self.class_names, count),
        )

    def look(self, inputs: Any) -> Sight:
        whole, to_classes = ModelAdapter(self), ModelAdapter(self.to_classes)
        tensor = whole.read(inputs).tensor.to(whole.device)
        present = whole.of(self.to_concepts).outputs(tensor).sigmoid()

        def scores(rows: Tensor, known: Tensor) -> Tensor:
            rows, known = rows.to(present.device), known.to(present)
            return to_classes.outputs(torch.where(known.isnan(), present[rows], known)).cpu()

        return Sight(present.cpu(), scores, shares_of(to_classes), self.class_names)


def _pooled(output: Tensor | None) -> Tensor:
    """Features (N, d) of features, or of maps (N, d, h, w)."""
    if output is None or output.ndim not in (2, 4):
        shape = "no tensor" if output is None else f"shape {tuple(output.shape)}"
        raise ModelError(
            f"The backbone gives {shape}.", "Expected features (N, d) or maps (N, d, h, w)."
        )
    return output.mean((2, 3)) if output.ndim == 4 else output


def _like(backbone: nn.Module) -> dict[str, Any]:
    """Where the backbone's weights are, and their precision."""
    weight = next(backbone.parameters(), None)
    return {} if weight is None else {"device": weight.device, "dtype": weight.dtype}


def _labelled(names: tuple[str, ...]) -> SimpleNamespace:
    return SimpleNamespace(id2label=dict(enumerate(names)))
