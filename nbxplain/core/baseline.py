"""What absence looks like: one object for every method that needs a reference input."""

from __future__ import annotations

import base64
import io
from typing import Any, Literal, Self

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from pydantic import Field, model_validator
from torch import Tensor

from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs
from nbxplain.core.parameters import Dtype, Parameters, packed, unpacked
from nbxplain.core.pixels import PixelSpace
from nbxplain.core.tables import Table

Kind = Literal["black", "white", "mean", "blur", "noise", "image", "tensor"]


class Baseline(Parameters):
    """The input that stands for "nothing there".

    black, white: pixels 0 and 1. mean: the picture's mean colour. blur: the picture under a
    Gaussian blur of `sigma` pixels. noise: uniform in [0, 1] from `seed`. image: another picture
    (a PNG in `data`, resized to fit). tensor: model input as it is. For tables black is
    0 and white 1, mean is that of the background (for categories the most frequent value), or of
    the batch's rows where there is no background.
    """

    kind: Kind = "black"
    sigma: float = Field(
        12.0, ge=0.5, le=64, description="Width of the blur.", json_schema_extra={"unit": "px"}
    )
    seed: int = Field(0, ge=0, le=9999, description="Seed of the noise.")
    data: str = Field("", description="In base64: a PNG for image, the values for tensor.")
    shape: tuple[int, ...] = Field((), description="Shape of the tensor.")
    dtype: Dtype = Field("float32", description="What the tensor's values are.")

    @model_validator(mode="before")
    @classmethod
    def _from_anything(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"kind": value}
        if isinstance(value, Tensor):
            return _encoded(value)
        if isinstance(value, Image.Image):
            return {"kind": "image", "data": _png(value)}
        return value

    @model_validator(mode="after")
    def _data_fits(self) -> Self:
        size = len(base64.b64decode(self.data, validate=True)) // np.dtype(self.dtype).itemsize
        if self.kind == "tensor" and size != int(np.prod(self.shape)):
            raise ValueError(f"the baseline holds {size} values, its shape is {self.shape}")
        if self.kind in ("image", "tensor") and not self.data:
            raise ValueError(
                f"a baseline of kind {self.kind} needs data: Baseline.{self.kind}(...)"
            )
        return self

    @classmethod
    def black(cls) -> Self:
        return cls(kind="black")

    @classmethod
    def white(cls) -> Self:
        return cls(kind="white")

    @classmethod
    def mean(cls) -> Self:
        return cls(kind="mean")

    @classmethod
    def blur(cls, sigma: float = 12.0) -> Self:
        """Raises InputError for a width out of range."""
        return cls._checked(kind="blur", sigma=sigma)

    @classmethod
    def noise(cls, seed: int = 0) -> Self:
        return cls(kind="noise", seed=seed)

    @classmethod
    def image(cls, picture: Image.Image) -> Self:
        return cls.model_validate(picture)

    @classmethod
    def tensor(cls, tensor: Tensor) -> Self:
        return cls.model_validate(tensor)

    def tensor_for(self, inputs: Inputs, device: torch.device) -> Tensor:
        """The baseline as model input, of the shape of `inputs.tensor`. Raises InputError."""
        x = inputs.tensor.to(device)
        if self.kind == "tensor":
            values = unpacked(self.data, self.shape, self.dtype)
            return _fitted(torch.from_numpy(values).to(x), x)
        if inputs.pixels is None:
            return self._row(x, inputs.table)
        return self._pixels(x, inputs.pixels)

    def _row(self, x: Tensor, table: Table | None) -> Tensor:
        if self.kind == "mean" and table is not None and table.background is not None:
            return table.typical.to(x).expand_as(x)
        if self.kind == "mean":
            return x.mean(0, keepdim=True).expand_as(x)
        if self.kind == "noise":
            return _uniform(x, self.seed)
        if self.kind in ("black", "white"):
            return torch.full_like(x, float(self.kind == "white"))
        raise InputError(
            f"A table row has no {self.kind} baseline.", "Give a tensor, black, white or mean."
        )

    def _pixels(self, x: Tensor, space: PixelSpace) -> Tensor:
        if self.kind == "mean":
            return x.mean((2, 3), keepdim=True).expand_as(x)
        if self.kind == "blur":
            return blur(x, self.sigma)
        if self.kind == "noise":
            return space.to_model(_uniform(x, self.seed))
        if self.kind == "image":
            picture = self._picture(x.shape[1]).to(x)
            size = (int(x.shape[2]), int(x.shape[3]))
            resized = F.interpolate(picture, size, mode="bilinear", antialias=True)
            return space.to_model(resized).expand_as(x)
        return space.to_model(torch.full_like(x, float(self.kind == "white")))

    def _picture(self, channels: int) -> Tensor:
        """The pixels (1, channels, h, w) of the other picture, in [0, 1]. Raises InputError."""
        if channels not in (1, 3):
            raise InputError(
                f"A picture cannot be the baseline of an input with {channels} channels.",
                "Give a tensor of the input's shape.",
            )
        picture = Image.open(io.BytesIO(base64.b64decode(self.data)), formats=["PNG"])
        grey = channels == 1
        pixels = np.asarray(picture.convert("L" if grey else "RGB"), np.float32) / 255
        tensor = torch.from_numpy(pixels).view(picture.height, picture.width, -1)
        return tensor.permute(2, 0, 1).unsqueeze(0)


def _encoded(tensor: Tensor) -> dict[str, Any]:
    fine = tensor if tensor.dtype == torch.float64 else tensor.float()
    values = fine.detach().cpu().numpy()
    if not np.isfinite(values).all():
        raise InputError("The baseline has values that are NaN or infinite.", "Replace them first.")
    return {"kind": "tensor", **packed(values)}


def _png(picture: Image.Image) -> str:
    """A picture as PNG in base64, at most 320 pixels wide: it is resized to fit anyway."""
    small = picture.convert("RGB")
    small.thumbnail((320, 320))
    buffer = io.BytesIO()
    small.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def _fitted(values: Tensor, x: Tensor) -> Tensor:
    try:
        return values.expand_as(x)
    except RuntimeError as error:
        raise InputError(
            f"The baseline has shape {tuple(values.shape)}, the input {tuple(x.shape)}.",
            "Give a baseline of the input's shape, or one row of it.",
        ) from error


def _uniform(x: Tensor, seed: int) -> Tensor:
    """The same noise on every device and for every row, so that a batch equals one by one."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(x.shape[1:], generator=generator).to(x).expand_as(x)


def blur(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (N, C, H, W) with `sigma` in pixels; the border is repeated."""
    height, width = (int(side) for side in x.shape[2:])
    radius = min(int(3 * sigma + 0.5), 3 * max(height, width))
    offsets = torch.arange(-radius, radius + 1)
    kernel = torch.exp(-0.5 * (offsets.double() / sigma) ** 2)
    kernel = kernel / kernel.sum()
    down, across = (_along(side, offsets, kernel).to(x) for side in (height, width))
    return down @ x @ across.T


def _along(side: int, offsets: Tensor, kernel: Tensor) -> Tensor:
    """(side, side): how much of each pixel of a line is in each blurred one.

    As a matrix, since a convolution with so wide a kernel is many times slower on CPUs.
    """
    seen = (torch.arange(side).unsqueeze(1) + offsets).clamp(0, side - 1)
    weights = torch.zeros(side, side, dtype=kernel.dtype)
    return weights.scatter_add_(1, seen, kernel.expand(seen.shape))
