"""Which pixels of a picture are meant."""

from __future__ import annotations

import base64
import zlib
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor

from nbxplain.core.errors import InputError
from nbxplain.core.parameters import Parameters


class Mask(Parameters):
    """A set of pixels, (H, W) booleans of the picture as it is fed; made by `Mask.of`."""

    data: str = Field(description="Base64 of zlib of bits, row by row.")
    shape: tuple[int, int] = Field(description="Rows and columns.")

    @model_validator(mode="before")
    @classmethod
    def _from_anything(cls, value: Any) -> Any:
        return _encoded(value) if isinstance(value, Tensor | np.ndarray) else value

    @model_validator(mode="after")
    def _data_fits(self) -> Self:
        if len(self._bits()) != -(-self.shape[0] * self.shape[1] // 8):
            raise ValueError(f"the mask does not hold the pixels of its shape {self.shape}")
        return self

    @classmethod
    def of(cls, pixels: Any) -> Self:
        """Booleans (H, W). Raises InputError for an empty mask and for what is none."""
        return cls.model_validate(_encoded(pixels))

    def tensor_for(self, height: int, width: int, device: torch.device) -> Tensor:
        """Booleans (height, width). Raises InputError where the picture has another size."""
        if self.shape != (height, width):
            raise InputError(
                f"The mask is {self.shape[0]} × {self.shape[1]} pixels, the picture "
                f"{height} × {width}.",
                "Make it of the picture as it is fed to the model, after resizing.",
            )
        bits = np.unpackbits(np.frombuffer(self._bits(), np.uint8), count=height * width)
        return torch.from_numpy(bits.astype(bool).reshape(self.shape)).to(device)

    def _bits(self) -> bytes:
        size = -(-self.shape[0] * self.shape[1] // 8)
        decoder = zlib.decompressobj()
        return decoder.decompress(base64.b64decode(self.data, validate=True), size + 1)


def _encoded(pixels: Any) -> dict[str, Any]:
    given = pixels.detach().cpu().numpy() if isinstance(pixels, Tensor) else np.asarray(pixels)
    array: NDArray[Any] = given
    if array.ndim != 2 or array.dtype != bool:
        raise InputError(
            f"A mask cannot be of shape {array.shape} and type {array.dtype}.",
            "Give booleans (H, W).",
        )
    if not array.any():
        raise InputError("The mask is empty: no pixel is meant.", "Paint at least one.")
    data = zlib.compress(np.packbits(array).tobytes(), 9)
    return {"data": base64.b64encode(data).decode(), "shape": array.shape}
