"""Changes of a whole picture, as a camera or a file format would make them."""

from __future__ import annotations

import io
import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from pydantic import Field
from torch import Tensor

from nbxplain.core.parameters import Parameters

GREY = 0.5


class Adjustments(Parameters):
    """Applied in this order to pixels from 0 to 1; the defaults change nothing, bit for bit."""

    patch: float = Field(
        0.0, ge=0, le=100, description="Side of a grey square that hides a part.",
        json_schema_extra={"unit": "%"},
    )  # fmt: skip
    across: float = Field(
        50.0, ge=0, le=100, description="Where its middle is, from the left.",
        json_schema_extra={"unit": "%"},
    )  # fmt: skip
    down: float = Field(
        50.0, ge=0, le=100, description="Where its middle is, from the top.",
        json_schema_extra={"unit": "%"},
    )  # fmt: skip
    rotation: float = Field(
        0.0, ge=-180, le=180, description="Clockwise; the border is repeated.",
        json_schema_extra={"unit": "°"},
    )  # fmt: skip
    brightness: float = Field(0.0, ge=-1, le=1, description="Added to all pixels.")
    contrast: float = Field(
        1.0, ge=0.1, le=10, description="Times the distance from the mean colour.",
        json_schema_extra={"log": True},
    )  # fmt: skip
    quality: int = Field(100, ge=1, le=100, description="Of JPEG; 100: not compressed.")

    @property
    def none(self) -> bool:
        """Whether nothing changes: wherever a patch of no size would be."""
        still = {"across": self.across, "down": self.down} if not self.patch else {}
        return self == Adjustments(**still)

    def apply(self, pixels: Tensor) -> Tensor:
        """Pixels (N, C, H, W) from 0 to 1, changed."""
        if self.patch:
            pixels = torch.where(self._hidden(pixels), GREY, pixels)
        if self.rotation:
            pixels = rotated(pixels, self.rotation)
        if self.brightness or self.contrast != 1:
            middle = pixels.mean((2, 3), keepdim=True)
            pixels = middle + self.contrast * (pixels - middle) + self.brightness
        if self.quality < 100:
            pixels = compressed(pixels, self.quality)
        return pixels.clamp(0, 1)

    def _hidden(self, pixels: Tensor) -> Tensor:
        """(H, W) booleans: under the patch."""
        height, width = pixels.shape[2:]
        half = self.patch / 200 * min(height, width)
        row, column = (
            torch.arange(side, device=pixels.device) + 0.5 - share / 100 * side
            for side, share in ((height, self.down), (width, self.across))
        )
        return (row.abs() <= half).unsqueeze(1) & (column.abs() <= half)


def rotated(pixels: Tensor, degrees: float) -> Tensor:
    """Pixels (N, C, H, W) turned clockwise about the middle."""
    height, width = pixels.shape[2:]
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    # In shares of the sides, for that is what the grid is in.
    matrix = [[cosine, sine * height / width, 0], [-sine * width / height, cosine, 0]]
    turn = pixels.new_tensor([matrix]).expand(len(pixels), 2, 3)
    grid = F.affine_grid(turn, list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)


def compressed(pixels: Tensor, quality: int) -> Tensor:
    """Pixels (N, C, H, W) as they come back from a JPEG file."""
    back = []
    for one in (pixels.clamp(0, 1) * 255).round().to(torch.uint8).cpu():
        grey = len(one) == 1
        picture = Image.fromarray((one[0] if grey else one.permute(1, 2, 0)).numpy())
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality)
        read = np.asarray(Image.open(buffer), np.float32) / 255
        back.append(torch.from_numpy(read).view(*one.shape[1:], -1).permute(2, 0, 1))
    return torch.stack(back).to(pixels)
