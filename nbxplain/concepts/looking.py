"""What a network makes of a class's pictures at a layer, where concepts are looked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nbxplain.concepts.concept import Concept
from nbxplain.concepts.crops import Crops
from nbxplain.concepts.features import BATCH
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.cav import CAV
from nbxplain.core.errors import LayerError
from nbxplain.core.layers import Layer
from nbxplain.core.passes import Passes
from nbxplain.core.target import Target


@dataclass
class Look:
    """Activations and the score's gradients (N, C, rows, columns) of N pictures of a class."""

    adapter: ModelAdapter
    passes: Passes
    pictures: Tensor
    target: Target
    layer: Layer
    activations: Tensor
    gradients: Tensor

    @classmethod
    def at(
        cls, adapter: ModelAdapter, passes: Passes, pictures: Tensor, target: Target, layer: Layer
    ) -> Look:
        """One pass over the pictures. Raises LayerError where the score has no gradient."""
        seen = list(
            passes.layered(
                len(pictures), lambda rows: pictures[rows], [layer.name], target.score
            )
        )  # fmt: skip
        activations, gradients = (
            torch.cat([layer.maps(by_name[layer.name]).cpu() for by_name in parts])
            for parts in ([s.activations for s in seen], [s.gradients for s in seen])
        )
        if not bool(gradients.any()):
            raise LayerError(
                f"The score of the class has no gradient at {layer.name!r}.",
                "Choose a layer that the class depends on.",
            )
        return cls(adapter, passes, pictures, target, layer, activations, gradients)

    def cells(self, source: Any) -> Iterator[Tensor]:
        """The layer's activations (n, cells, C) of crops or pictures, chunk by chunk."""
        for start in range(0, len(source), BATCH):
            given = source[start : start + BATCH]
            fed = given if isinstance(source, Crops) else self.adapter.read(given).tensor
            parts = self.passes.activations(len(fed), fed.__getitem__, self.layer.name)
            for _, activation in parts:
                yield self.layer.maps(activation).flatten(2).mT.cpu()

    def check(self, features: Tensor) -> Tensor:
        """The features (n, C) of crops. Raises LayerError where all crops are the same."""
        if bool((features == features[0]).all()):
            raise LayerError(
                f"Layer {self.layer.name!r} gives the same for all parts of the pictures.",
                "Choose another layer.",
            )
        return features

    def concept(
        self, name: str, examples: Tensor, direction: Tensor, features: Tensor, shown: Tensor
    ) -> Concept:
        """A concept with its direction (C,); how far it goes is measured between the features
        (n, C) of the rows `shown` and those of the others."""
        concept = Concept(name, examples)
        along = features.double() @ torch.nn.functional.normalize(direction.double(), dim=0)
        rest = torch.ones(len(features), dtype=torch.bool)
        rest[shown] = False
        origin = float(along[rest].mean())
        distance = float(along[shown].mean()) - origin
        if not distance > 0:
            return concept
        weights = str(self.adapter.weight_hash)
        cav = CAV.of(
            self.layer.name, direction, distance=distance, origin=origin, weights=weights
        )  # fmt: skip
        return concept.knowing([cav])


def mean_and_error(values: Tensor) -> tuple[Tensor, Tensor]:
    """The mean (k,) of values (N, k) of N pictures, at least two, and its standard error."""
    return values.mean(0), values.std(0) / len(values) ** 0.5


__all__ = ["Look", "mean_and_error"]
