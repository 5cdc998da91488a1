"""Class activation maps: a layer's feature maps, weighted by what the score makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from torch import Tensor

from nbxplain.core.errors import LayerError
from nbxplain.methods.base import Group, Method, Partial, Question, parameter


class GradCAM(Method):
    """Feature maps summed with their mean gradients as weights. Selvaraju et al. 2017, eq. 1-2.

    The result has the layer's resolution: a map of 7 x 7 cells is 7 x 7 values.
    """

    name: ClassVar[str] = "grad_cam"
    label: ClassVar[str] = "Grad-CAM"
    group: ClassVar[Group] = "CAM"
    cost: ClassVar[int] = 1
    needs_layer: ClassVar[bool] = True

    relu: bool = parameter(True, "Keep only evidence for the class; off keeps the sign.")

    def run(self, question: Question) -> Iterator[Partial]:
        """One pass per input, differentiated only above the layer."""
        layer, x = question.layer, question.tensor
        if layer is None or layer.grid is None:
            raise LayerError("Grad-CAM needs a layer with a spatial map.", "Choose one.")
        values = x.new_zeros(len(x), 1, *layer.grid)
        done = 0
        for result in question.passes.gradients(
            len(x), lambda rows: x[rows], question.target.score, layer.name
        ):
            assert result.activation is not None
            activation, gradient = layer.maps(result.activation), layer.maps(result.gradient)
            values[result.rows] = self._weighted(activation, gradient)
            done += len(result.rows)
            yield Partial(values.clone(), done, len(x))

    def _weighted(self, activation: Tensor, gradient: Tensor) -> Tensor:
        weights = gradient.mean((2, 3), keepdim=True)
        summed = (weights * activation).sum(1, keepdim=True)
        return summed.relu() if self.relu else summed
