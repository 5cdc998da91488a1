"""A concept's direction at a layer: one object for whatever looks along it or moves along it."""

from __future__ import annotations

import base64
import math
from typing import Any, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import InputError, LayerError, ModelError
from nbxplain.core.layers import Layer
from nbxplain.core.parameters import Parameters

Space = Literal["channels", "cells"]
"""channels: activations averaged over places (a concept is anywhere); cells: all of them, flat."""


class CAV(Parameters):
    """A concept activation vector: a unit direction in the features of one layer of one model.

    `distance` is how far the concept lies from what it was told from, along the direction, and
    `origin` where the latter lies; both in units of the features. `weights` is the hash of the
    model it was found in: another model gets an error, never a map of something else; empty where
    it holds for any. `space` says what the features are. Kim et al. 2018.
    """

    name: str = Field("concept", description="Of what it is the direction.")
    layer: str = Field(description="The layer it was found at.")
    space: Space = Field("channels", description="Means over places, or all activations, flat.")
    distance: float = Field(1.0, gt=0, description="From the others to the concept.")
    origin: float = Field(0.0, description="Where the others lie along the direction.")
    weights: str = Field("", description="Hash of the model's weights.")
    data: str = Field(description="The direction: float32 values in base64.")

    @model_validator(mode="before")
    @classmethod
    def _from_anything(cls, value: Any) -> Any:
        # A score of a concept has a direction; so has whatever else offers one.
        found = getattr(value, "cav", None)
        return found.model_dump() if isinstance(found, CAV) else value

    @model_validator(mode="after")
    def _is_direction(self) -> Self:
        values = _decoded(self.data)
        length = float(np.linalg.norm(values.astype(np.float64)))
        if not math.isclose(length, 1, abs_tol=1e-3):
            raise ValueError(f"the direction has length {length:.3g}, not 1: see CAV.of")
        if not (math.isfinite(self.distance) and math.isfinite(self.origin)):
            raise ValueError("distance and origin must be finite")
        return self

    @classmethod
    def of(cls, layer: str, direction: Any, **fields: Any) -> Self:
        """The CAV along a direction (d,) of any length. Raises InputError."""
        values = torch.as_tensor(direction).detach().cpu().double().flatten()
        length = float(values.norm())
        if not (math.isfinite(length) and length > 0):
            raise InputError(
                f"A direction of length {length:.3g} leads nowhere.",
                "Give finite values that are not all zero.",
            )
        data = base64.b64encode((values / length).numpy().astype("<f4").tobytes()).decode()
        return cls(layer=layer, data=data, **fields)

    @property
    def direction(self) -> Tensor:
        """The unit direction (d,)."""
        return torch.from_numpy(_decoded(self.data).copy())

    def field(self, layer: Layer) -> Tensor:
        """What one unit along the direction adds to the layer's output, of shape `layer.shape`.

        A direction of channels adds the same at every place of the picture, and nothing to class
        and register tokens. Raises LayerError where the layer is another one.
        """
        if layer.name != self.layer:
            raise LayerError(
                f"{self.name!r} is a direction at {self.layer!r}, not at {layer.name!r}.",
                f"Use layer={self.layer!r}, or find the concept at {layer.name!r}.",
            )
        grid = layer.grid
        flat = self.space == "cells" or grid is None
        wanted = math.prod(layer.shape) if flat else _channels(layer)
        direction = self.direction
        if len(direction) != wanted:
            raise LayerError(
                f"{self.name!r} has {len(direction)} values; {layer.name!r} has {wanted} "
                f"{'activations' if flat else 'channels'}.",
                "Was it found in another model, or for pictures of another size?",
            )
        if flat or grid is None:
            return direction.view(layer.shape)
        return layer.laid(direction[None, :, None, None].expand(1, -1, *grid))[0]

    def check(self, adapter: ModelAdapter) -> None:
        """Raises ModelError where it was found in a model with other weights."""
        if self.weights and self.weights != adapter.weight_hash:
            raise ModelError(
                f"The direction of {self.name!r} was found in a model with other weights.",
                "Test the concept again with this model.",
            )


def _channels(layer: Layer) -> int:
    return layer.shape[0] if layer.arrangement == "NCHW" else layer.shape[-1]


def _decoded(data: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    values = np.frombuffer(base64.b64decode(data, validate=True), "<f4")
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError("the direction is empty, NaN or infinite")
    return values


__all__ = ["CAV", "Space"]
