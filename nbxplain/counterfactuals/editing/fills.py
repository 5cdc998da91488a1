"""What stands in the place of painted pixels."""

from __future__ import annotations

from typing import Any, Literal

import torch
from pydantic import Field, JsonValue, field_validator, model_validator
from torch import Tensor

from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs
from nbxplain.core.parameters import Parameters
from nbxplain.core.pixels import PixelSpace

FAR = 1000
PIXELS: dict[str, JsonValue] = {"unit": "px"}


class Colour(Parameters):
    """One colour: red, green and blue from 0 to 1, or "#rrggbb"."""

    kind: Literal["colour"] = "colour"
    value: tuple[float, float, float] = (0.5, 0.5, 0.5)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"value": value} if isinstance(value, str) and value.startswith("#") else value

    @field_validator("value", mode="before")
    @classmethod
    def _from_digits(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(byte / 255 for byte in bytes.fromhex(value.removeprefix("#")))
        return value

    @field_validator("value")
    @classmethod
    def _within(cls, value: tuple[float, float, float]) -> tuple[float, float, float]:
        if not all(0 <= part <= 1 for part in value):
            raise ValueError(f"the colour {value} is not between 0 and 1")
        return value

    def tensor_for(self, inputs: Inputs, device: torch.device) -> Tensor:
        """The colour as model input; a grey picture gets its mean."""
        x, space = _picture(inputs, device)
        colour = x.new_tensor(self.value)
        if x.shape[1] != 3:
            colour = colour.mean().expand(x.shape[1])
        return space.to_model(colour.view(1, -1, 1, 1).expand_as(x))


class Clone(Parameters):
    """What is `dx` pixels to the right and `dy` below; beyond its edge the picture goes on with
    the pixels there."""

    kind: Literal["clone"] = "clone"
    dx: int = Field(40, ge=-FAR, le=FAR, description="To the right.", json_schema_extra=PIXELS)
    dy: int = Field(0, ge=-FAR, le=FAR, description="Below.", json_schema_extra=PIXELS)

    def tensor_for(self, inputs: Inputs, device: torch.device) -> Tensor:
        """The picture from that place, as model input."""
        x, _ = _picture(inputs, device)
        height, width = x.shape[2:]
        rows = (torch.arange(height, device=device) + self.dy).clamp(0, height - 1)
        columns = (torch.arange(width, device=device) + self.dx).clamp(0, width - 1)
        return x[:, :, rows][:, :, :, columns]


class Inpaint(Parameters):
    """What diffuses in from the border: see harmonic.py."""

    kind: Literal["inpaint"] = "inpaint"

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value


Fill = Baseline | Colour | Clone | Inpaint
"""A baseline (blur, mean, noise, another picture, ...) or one of the others."""


def _picture(inputs: Inputs, device: torch.device) -> tuple[Tensor, PixelSpace]:
    if inputs.pixels is None:
        raise InputError("A row of a table has no pixels.", "Edits are for pictures.")
    return inputs.tensor.to(device), inputs.pixels
