"""Pictures, paths, arrays, tensors and table rows become model input, and what to show of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from nbxplain.core.errors import InputError
from nbxplain.core.pixels import PixelSpace, Preprocessing, fed, pixel_space
from nbxplain.core.tables import Table

__all__ = ["Inputs", "PixelSpace", "Preprocessing", "as_picture", "open_picture", "read"]

SMALLEST, LARGEST = 8, 100_000_000
"""Sides in pixels, and pixels in all, between which a picture can be explained."""


@dataclass
class Inputs:
    """A batch as the model gets it, and as a person sees it.

    `tensor` is (N, C, H, W) or (N, F) in the model's units. `pixels` converts between it and pixels
    and says what black and white are; `view` converts for the eye alone where that differs. `table`
    says what the columns of table rows are.
    """

    tensor: Tensor
    pixels: PixelSpace | None
    view: PixelSpace | None = None
    notices: list[str] = field(default_factory=list)
    table: Table | None = None

    def __post_init__(self) -> None:
        if self.is_table and self.table is None:
            self.table = Table.of(self.tensor)

    @property
    def is_table(self) -> bool:
        return self.tensor.ndim == 2

    @cached_property
    def pictures(self) -> list[Image.Image]:
        """What was fed (after resize and crop) for the eye, one a row; none for tables."""
        view = self.view
        return [] if view is None else [view.picture(row) for row in self.tensor]


def read(inputs: Any, transform: Callable[[Image.Image], Any] | None) -> Inputs:
    """Turns whatever the user gave into Inputs.

    A tensor is fed as it is: (C, H, W), (N, C, H, W), (F,) or (N, F). Everything else (PIL
    picture, path, numpy array (H, W[, C]) or (N, H, W, C), or a list of these) goes through
    `transform`. Raises InputError for what cannot be fed.
    """
    if isinstance(inputs, Tensor):
        return _from_tensor(inputs, transform)
    if transform is None:
        raise InputError("There is no preprocessing for pictures.", "Feed a tensor instead.")
    notices: list[str] = []
    pictures = [as_picture(item, notices) for item in _items(inputs)]
    tensors = [fed(transform, picture) for picture in pictures]
    if len({tensor.shape for tensor in tensors}) > 1:
        shapes = ", ".join(sorted({str(tuple(t.shape)) for t in tensors}))
        raise InputError(
            f"preprocess gives tensors of different shapes: {shapes}.",
            "Crop or resize to one shape, or explain the pictures one by one.",
        )
    tensor = torch.stack(tensors)
    _check_finite(tensor, "preprocess returned a tensor")
    space = pixel_space(transform, pictures[0].size)
    if space is None:
        space = _span(*(float(end) for end in tensor.aminmax()))
        notices.append(
            "The normalisation in preprocess could not be worked out: the picture is shown between "
            "its smallest and largest value, which stand for black and white."
        )
    return Inputs(tensor, space, space, list(dict.fromkeys(notices)))


def _span(low: float, high: float) -> PixelSpace:
    width = max(high - low, 1e-12)
    return PixelSpace((-low / width,), (1 / width,))


def _from_tensor(tensor: Tensor, transform: Callable[[Image.Image], Any] | None) -> Inputs:
    tensor = tensor.detach()
    if tensor.ndim in (1, 3):
        tensor = tensor.unsqueeze(0)
    if tensor.ndim not in (2, 4) or 0 in tensor.shape:
        raise InputError(
            f"A tensor of shape {tuple(tensor.shape)} cannot be explained.",
            "Expected (N, C, H, W) or (C, H, W) for pictures, (N, F) for table rows.",
        )
    if not tensor.is_floating_point():
        raise InputError(
            f"The tensor holds {tensor.dtype}, which has no gradient.",
            "Convert it with .float() as the model expects, or pass a picture.",
        )
    _check_finite(tensor, "The tensor")
    if tensor.ndim == 2:
        return Inputs(tensor, None)
    if transform is not None:
        space = pixel_space(transform, (tensor.shape[3], tensor.shape[2]))
        if space is not None and len(space.mean) in (1, tensor.shape[1]):
            return Inputs(tensor, space, space)
    notices = []
    view = PixelSpace()
    low, high = (float(end) for end in tensor.aminmax())
    if low < 0 or high > 1:
        view = _span(low, high)
        notices.append(
            "The tensor was fed as it is and is shown between its smallest and largest value; a "
            "black baseline means 0. Give preprocess= to say how pixels are normalised."
        )
    return Inputs(tensor, PixelSpace(), view, notices)


def _check_finite(tensor: Tensor, what: str) -> None:
    bad = int((~torch.isfinite(tensor)).sum())
    if bad:
        raise InputError(
            f"{what} has {bad} values that are NaN or infinite.",
            "Replace them, for example with torch.nan_to_num, before asking for an explanation.",
        )


def _items(inputs: Any) -> Sequence[Any]:
    if isinstance(inputs, np.ndarray) and inputs.ndim == 4:
        return list(inputs)
    if isinstance(inputs, list | tuple):
        if not inputs:
            raise InputError("The list of pictures is empty.", "Give at least one picture.")
        return inputs
    return [inputs]


def as_picture(item: Any, notices: list[str]) -> Image.Image:
    """One picture of whatever the user gave, upright and RGB; what was changed goes to `notices`.

    Raises InputError.
    """
    if isinstance(item, str | os.PathLike):
        picture = open_picture(Path(item))
    elif isinstance(item, np.ndarray):
        picture = _from_array(item, notices)
    elif isinstance(item, Image.Image):
        picture = item
    else:
        raise InputError(
            f"{type(item).__name__} is no picture.",
            "Give a PIL picture, a path, a numpy array (H, W, 3) or a torch tensor.",
        )
    _check_size(picture.size)
    return _to_rgb(picture, notices)


def open_picture(path: Path, file: BinaryIO | None = None) -> Image.Image:
    """Opens a picture file, whose size is looked at before it is decoded. Raises InputError.

    `file` holds the bytes when they did not come from `path`, which then only names them.
    """
    try:
        with Image.open(file or path) as picture:
            _check_size(picture.size)
            picture.load()
            return picture
    except FileNotFoundError as error:
        raise InputError(f"There is no file {str(path)!r}.", "Check the path.") from error
    except Image.DecompressionBombError as error:
        raise _too_large(f"{path.name!r}") from error
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise InputError(
            f"{path.name!r} is no picture that can be read: {error}",
            "Expected PNG, JPEG, TIFF, WebP, BMP or GIF.",
        ) from error


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if min(size) < SMALLEST:
        raise InputError(
            f"The picture is {width} × {height} pixels, too small to say which part matters.",
            f"Give a picture of at least {SMALLEST} × {SMALLEST} pixels.",
        )
    if width * height > LARGEST:
        raise _too_large(f"A picture of {width} × {height}")


def _too_large(what: str) -> InputError:
    return InputError(
        f"{what} has more than {LARGEST // 10**6} million pixels.",
        "Make it smaller first: picture.thumbnail((4096, 4096)).",
    )


def _from_array(array: np.ndarray[Any, Any], notices: list[str]) -> Image.Image:
    if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3, 4):
        array = array.transpose(1, 2, 0)
        notices.append("The array was read as (C, H, W).")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise InputError(
            f"An array of shape {array.shape} is no picture.",
            "Expected (H, W), (H, W, 3) or (H, W, 4), or (N, H, W, C) for a batch.",
        )
    _check_size((array.shape[1], array.shape[0]))
    if array.dtype == np.uint8:
        return Image.fromarray(array)
    if array.dtype == bool:
        return Image.fromarray(array.astype(np.uint8) * 255)
    if array.dtype == np.uint16:
        return Image.fromarray(_eight_bits(array, notices))
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(
            f"An array of {array.dtype} is no picture.", "Expected uint8, uint16, or floats 0 to 1."
        )
    if not np.isfinite(array).all():
        raise InputError("The array has values that are NaN or infinite.", "Replace them first.")
    if array.min() < 0 or array.max() > 1:
        raise InputError(
            f"The array of floats runs from {array.min():.3g} to {array.max():.3g}.",
            "Scale a picture to 0 to 1; feed what is already normalised as a torch tensor.",
        )
    return Image.fromarray((array * 255).round().astype(np.uint8))


def _eight_bits(array: np.ndarray[Any, Any], notices: list[str]) -> np.ndarray[Any, Any]:
    full = 4095 if array.max() <= 4095 else 65535
    notices.append(f"16-bit picture: 0 to {full} was mapped to 0 to 255.")
    return (array.astype(np.float64) * (255 / full)).round().clip(0, 255).astype(np.uint8)


def _to_rgb(picture: Image.Image, notices: list[str]) -> Image.Image:
    turned = ImageOps.exif_transpose(picture)
    if turned is not picture and turned.getexif() != picture.getexif():
        notices.append("The picture was turned upright as its EXIF data says.")
    picture = turned
    mode = picture.mode
    if mode == "RGB":
        return picture
    if mode.startswith("I;16") or mode == "I":
        return Image.fromarray(_eight_bits(np.asarray(picture), notices)).convert("RGB")
    if mode == "F":
        return _from_array(np.asarray(picture), notices).convert("RGB")
    if mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        notices.append("The transparent picture was laid on white.")
        layer = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    notices.append(f"The picture was converted from {mode} to RGB.")
    return picture.convert("RGB")
