"""The bottleneck inside a user's own model: a layer whose outputs are the concepts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from nbxplain.concepts.bottleneck.base import Bottleneck, Sight, shares_of
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.capture import Edit
from nbxplain.core.errors import LayerError, MethodError
from nbxplain.core.layers import Layer, find
from nbxplain.core.passes import Passes

Gives = Literal["logits", "probabilities"]

ENDS = (0.05, 0.95)
"""Percentiles of logits (or, without examples, probabilities) that stand for absent and present."""


class LayerBottleneck(Bottleneck):
    """A model whose layer gives the concepts; see ConceptBottleneck.of. `given` is the model and
    how it is read: the arguments of ModelAdapter.

    A correction exchanges what the layer gives, in the copy that is run: a class that depends on
    the input by another way than the concepts keeps to it.
    """

    def __init__(
        self, given: Mapping[str, Any], layer: str, concepts: tuple[str, ...], gives: Gives,
        examples: Any = None,
    ) -> None:  # fmt: skip
        if gives not in get_args(Gives):
            raise MethodError(f"A layer cannot give {gives!r}.", f"Choose from {get_args(Gives)}.")
        self.concept_names = concepts
        self.given = given
        self._adapter, self._layer, self._gives = ModelAdapter(**given), layer, gives
        self._ends = torch.tensor([[0.0, 1.0]] * len(concepts)).T
        if gives == "logits":
            ends = torch.tensor(ENDS)
            self._ends = ends.logit()[:, None].expand(2, len(concepts))
            if examples is not None:
                tensor = self._adapter.read(examples).tensor
                self._ends = self._activations(tensor).float().quantile(ends, dim=0)

    def look(self, inputs: Any) -> Sight:
        tensor = self._adapter.read(inputs).tensor
        found = self._activations(tensor)
        present = found.sigmoid() if self._gives == "logits" else found
        calls = self._place(tensor).calls

        def scores(rows: Tensor, known: Tensor) -> Tensor:
            rows, known = rows.to(tensor.device), known.to(tensor.device)
            low, high = self._ends.to(known)
            values = low + known * (high - low)

            def edit(part: Tensor) -> Edit:
                told = values[part]
                return Edit(
                    self._layer, calls,
                    lambda output: torch.where(told.isnan(), output, told.to(output)),
                )  # fmt: skip

            parts = Passes(self._adapter).scores(
                len(rows), lambda part: tensor[rows[part]], lambda output, part: output, edit
            )
            return torch.cat([part for _, part in parts]).cpu()

        shares = shares_of(self._adapter)
        classes = self._adapter.outputs(tensor[:1]).shape[1]
        return Sight(present.cpu(), scores, shares, tuple(self._adapter.labels(classes)))

    def _place(self, tensor: Tensor) -> Layer:
        listed = self._adapter.layers(tensor[:1], suggest=False)
        return find(self._layer, listed, self._adapter.replica())

    def _activations(self, tensor: Tensor) -> Tensor:
        """What the layer gives (N, C). Raises LayerError where that cannot be the concepts."""
        shape = self._place(tensor).shape
        if shape != (len(self.concept_names),):
            raise LayerError(
                f"Layer {self._layer!r} gives shape {shape} for {len(self.concept_names)} "
                "concepts.",
                "Choose the layer that gives one number a concept, or name all of them.",
            )
        passes = Passes(self._adapter)
        parts = passes.activations(len(tensor), lambda rows: tensor[rows], self._layer)
        found = torch.cat([part for _, part in parts])
        if self._gives == "probabilities" and not bool(((found >= 0) & (found <= 1)).all()):
            raise LayerError(
                f"Layer {self._layer!r} gives values from {float(found.min()):.3g} to "
                f"{float(found.max()):.3g}, which are no probabilities.",
                'Say gives="logits", or name the layer after the sigmoid.',
            )
        return found
