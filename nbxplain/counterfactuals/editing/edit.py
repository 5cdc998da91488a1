"""An edit as a value: what was painted, with what, and how the whole was adjusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs
from nbxplain.core.parameters import Parameters
from nbxplain.counterfactuals.editing.adjustments import Adjustments
from nbxplain.counterfactuals.editing.fills import Fill, Inpaint
from nbxplain.counterfactuals.editing.harmonic import harmonic
from nbxplain.counterfactuals.editing.mask import Mask


class Layer(Parameters):
    """A mask and what stands there."""

    mask: Mask
    fill: Fill


class Edit(Parameters):
    """Layers and adjustments; it can be written down as JSON, and its repr is its code.

    A pixel belongs to the last layer whose mask has it. Fills are made of the picture as it was,
    but Inpaint comes last and continues the other fills as well. Pixels in no mask stay as they
    are bit for bit, unless something is adjusted.
    """

    layers: tuple[Layer, ...] = ()
    adjustments: Adjustments = Adjustments()

    @classmethod
    def painted(cls, labels: Any, fills: Sequence[Any], **adjustments: Any) -> Self:
        """Labels (H, W): 0 where nothing was painted, i where the i-th fill stands, from 1."""
        array = labels.numpy() if isinstance(labels, Tensor) else np.asarray(labels)
        if array.size and int(array.max()) > len(fills):
            raise InputError(
                f"The pixels have {int(array.max())} labels, and there are {len(fills)} fills.",
                "Give one fill for each label from 1.",
            )
        layers = [
            {"mask": Mask.of(array == label), "fill": fill}
            for label, fill in enumerate(fills, 1)
            if bool((array == label).any())
        ]
        return cls.model_validate({"layers": layers, "adjustments": adjustments})

    @property
    def empty(self) -> bool:
        """Whether it changes nothing."""
        return not self.layers and self.adjustments.none

    def labels(self, height: int, width: int) -> Tensor:
        """The layer (height, width) of each pixel, counted from 1; 0 for none.

        Raises InputError where a mask has another size.
        """
        found = torch.zeros(height, width, dtype=torch.long)
        for number, layer in enumerate(self.layers, 1):
            found[layer.mask.tensor_for(height, width, found.device)] = number
        return found

    def apply(self, inputs: Inputs) -> Inputs:
        """The edited inputs. Raises InputError for what is no picture."""
        if inputs.pixels is None or inputs.view is None:
            raise InputError("A row of a table has no pixels to paint.", "Edits are for pictures.")
        x, space = inputs.tensor, inputs.pixels
        labels = self.labels(*x.shape[2:]).to(x.device)
        edited, holes = x, torch.zeros_like(labels, dtype=torch.bool)
        for number, layer in enumerate(self.layers, 1):
            if isinstance(layer.fill, Inpaint):
                holes |= labels == number
            else:
                fill = layer.fill.tensor_for(inputs, x.device)
                edited = torch.where(labels == number, fill, edited)
        if bool(holes.any()):
            filled = [space.to_model(harmonic(space.to_pixels(row), holes)) for row in edited]
            edited = torch.where(holes, torch.stack(filled), edited)
        if not self.adjustments.none:
            edited = space.to_model(self.adjustments.apply(space.to_pixels(edited)))
        return replace(inputs, tensor=edited)


__all__ = ["Edit", "Layer"]
