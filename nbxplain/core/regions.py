"""The parts of an input: what a method leaves out, puts back, or counts as one player."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor

from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs
from nbxplain.core.parameters import Parameters
from nbxplain.core.pixels import PixelSpace

Kind = Literal["superpixels", "grid", "map"]

MOST = 32767
"""Regions in a map: labels are kept in 16 bits."""


class Regions(Parameters):
    """A division of the input into regions, numbered from 0: each pixel or feature is in one.

    superpixels: about `count` of them (SLIC, Achanta et al. 2012, which has no randomness), made
    for each picture. grid: `rows` x `columns` cells. map: the labels that are given, (H, W) for
    pictures of that size, (F,) for table rows; `names` says what they are. In tables, superpixels
    means one region a feature.

    A method has this beside a plain number of superpixels: the number is a slider in the Explorer,
    a label map is nothing that a slider can set.
    """

    kind: Kind = "superpixels"
    count: int = Field(50, ge=2, le=2000, description="Superpixels, roughly.")
    compactness: float = Field(
        10.0, ge=0.01, le=1000, description="Of superpixels: high is square, low follows colour."
    )
    rows: int = Field(7, ge=1, le=224, description="Rows of the grid.")
    columns: int = Field(7, ge=1, le=224, description="Columns of the grid.")
    data: str = Field("", description="Labels of the map: base64 of zlib of 16-bit integers.")
    shape: tuple[int, ...] = Field((), description="Shape of the map.")
    names: tuple[str, ...] = Field((), description="One name a region of the map.")

    @model_validator(mode="before")
    @classmethod
    def _from_anything(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"kind": value}
        if isinstance(value, Tensor | np.ndarray | list | tuple):
            return _encoded(value, ())
        return value

    @model_validator(mode="after")
    def _data_fits(self) -> Self:
        if self.kind != "map":
            return self
        if not self.data:
            raise ValueError("a map needs labels: Regions.map(...) or Regions.masks(...)")
        labels = self._labels()
        if self.names and len(self.names) != labels.max() + 1:
            raise ValueError(f"{len(self.names)} names were given for {labels.max() + 1} regions")
        return self

    @classmethod
    def superpixels(cls, count: int = 50, compactness: float = 10.0) -> Self:
        """Raises InputError for a number out of range."""
        return cls._checked(kind="superpixels", count=count, compactness=compactness)

    @classmethod
    def grid(cls, rows: int = 7, columns: int = 7) -> Self:
        """Raises InputError for a number out of range."""
        return cls._checked(kind="grid", rows=rows, columns=columns)

    @classmethod
    def map(cls, labels: Any, names: Sequence[str] = ()) -> Self:
        """Integer labels (H, W) or (F,), any numbers from 0 up; names in increasing label order."""
        return cls._checked(**_encoded(labels, names))

    @classmethod
    def masks(cls, masks: Mapping[str, Any] | Sequence[Any]) -> Self:
        """Boolean masks (H, W) that do not overlap; what none covers is one more region, rest."""
        names = list(masks) if isinstance(masks, Mapping) else [str(i) for i in range(len(masks))]
        given = [_array(m) for m in (masks.values() if isinstance(masks, Mapping) else masks)]
        return cls.map(*_merged(given, names))

    def labels_for(self, inputs: Inputs, device: torch.device) -> Tensor:
        """The label of each pixel (N, H, W) or feature (N, F). Raises InputError."""
        x = inputs.tensor
        if self.kind == "map":
            labels = torch.from_numpy(self._labels().astype(np.int64))
            wanted = tuple(x.shape[2:] if x.ndim == 4 else x.shape[1:])
            if tuple(labels.shape) != wanted:
                raise InputError(
                    f"The regions have shape {tuple(labels.shape)}, the input {wanted}.",
                    "Make the label map of the input as it is fed to the model, after resizing.",
                )
            labels = labels.expand(len(x), *wanted)
        elif x.ndim == 2:
            labels = self._features(x)
        elif self.kind == "grid":
            labels = self._cells(x)
        else:
            labels = torch.stack([self._slic(row, inputs.pixels) for row in x])
        return labels.to(device)

    def names_for(self, inputs: Inputs, labels: Tensor) -> list[list[str]]:
        """The names of the regions of each row, for labels of `labels_for`.

        Names that were given; else a feature's, or where a region of the picture lies.
        """
        counts = (labels.flatten(1).amax(1) + 1).tolist()
        if self.names:
            return [list(self.names)] * len(labels)
        if labels.ndim == 3:
            return [_placed(row, n) for row, n in zip(labels, counts, strict=True)]
        if self.kind == "map":
            return [[f"group {i}" for i in range(n)] for n in counts]
        assert inputs.table is not None
        return [list(inputs.table.names) for _ in counts]

    def _features(self, x: Tensor) -> Tensor:
        if self.kind == "grid":
            raise InputError("A table row has no grid.", "Leave regions out, or group features.")
        return torch.arange(x.shape[1]).expand(len(x), -1)

    def _cells(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        if self.rows > height or self.columns > width:
            raise InputError(
                f"A grid of {self.rows} × {self.columns} does not fit {height} × {width} pixels.",
                "Take fewer rows and columns.",
            )
        row = torch.arange(height) * self.rows // height
        column = torch.arange(width) * self.columns // width
        return (row[:, None] * self.columns + column).expand(len(x), -1, -1)

    def _slic(self, row: Tensor, pixels: PixelSpace | None) -> Tensor:
        """Superpixels of one picture (C, H, W) of the batch."""
        # skimage takes a third of a second to import, and many explanations need no superpixels.
        from skimage.segmentation import slic

        shown = (pixels or PixelSpace()).to_pixels(row.detach().float().cpu())
        if float(shown.min()) < 0 or float(shown.max()) > 1:
            shown = (shown - shown.min()) / (shown.max() - shown.min()).clamp(min=1e-12)
        found = slic(
            shown.permute(1, 2, 0).double().numpy(),
            n_segments=self.count,
            compactness=self.compactness,
            sigma=1,
            start_label=0,
            channel_axis=-1,
        )
        return torch.from_numpy(_numbered(found).astype(np.int64))

    def _labels(self) -> NDArray[np.int16]:
        size = 2 * int(np.prod(self.shape))
        decoder = zlib.decompressobj()
        data = decoder.decompress(base64.b64decode(self.data, validate=True), size + 1)
        if len(data) != size:
            raise ValueError(f"the label map does not hold the {size // 2} labels of its shape")
        return np.frombuffer(data, "<i2").reshape(self.shape)


PLACES = (
    ("upper left", "top", "upper right"),
    ("left", "centre", "right"),
    ("lower left", "bottom", "lower right"),
)


def _placed(labels: Tensor, count: int) -> list[str]:
    """Where the centres of regions (H, W) lie, in words; the same word twice gets a number."""
    height, width = labels.shape
    owner = labels.flatten()
    sizes = torch.bincount(owner, minlength=count)
    thirds = [
        (3 * torch.bincount(owner, (place + 0.5).expand(height, width).flatten(), count) / sizes)
        .div(side, rounding_mode="floor")
        .clamp(max=2)
        .int()
        .tolist()
        for place, side in (
            (torch.arange(height, device=labels.device).unsqueeze(1), height),
            (torch.arange(width, device=labels.device), width),
        )
    ]
    words = [PLACES[row][column] for row, column in zip(*thirds, strict=True)]
    before = [words[:i].count(word) for i, word in enumerate(words)]
    return [f"{word} {n + 1}" if n else word for word, n in zip(words, before, strict=True)]


def _array(value: Any) -> NDArray[Any]:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)


def _encoded(labels: Any, names: Sequence[str]) -> dict[str, Any]:
    """Labels of a map as fields. Raises InputError where they are no division."""
    array = _array(labels)
    if array.ndim not in (1, 2) or array.size == 0 or array.dtype.kind not in "iub":
        raise InputError(
            f"A label map cannot be of shape {array.shape} and type {array.dtype}.",
            "Give integers (H, W) for a picture, (F,) for a table row.",
        )
    if array.dtype.kind != "u" and int(array.min()) < 0:
        raise InputError(
            "The label map has negative labels: the regions do not cover the input.",
            "Give each pixel or feature a region, numbered from 0.",
        )
    numbered = _numbered(array)
    if numbered.max() >= MOST:
        raise InputError(f"The label map has {numbered.max() + 1} regions.", f"At most {MOST}.")
    data = zlib.compress(numbered.astype("<i2").tobytes(), 9)
    return {
        "kind": "map",
        "data": base64.b64encode(data).decode(),
        "shape": tuple(array.shape),
        "names": tuple(names),
    }


def _numbered(labels: NDArray[Any]) -> NDArray[np.intp]:
    """The same division with labels 0, 1, 2, ... in their order."""
    _, numbered = np.unique(labels, return_inverse=True)
    return numbered.reshape(labels.shape)


def _merged(masks: list[NDArray[Any]], names: list[str]) -> tuple[NDArray[Any], list[str]]:
    if not masks or any(m.dtype != bool or m.shape != masks[0].shape for m in masks):
        raise InputError(
            "Masks must be boolean, of one shape, and at least one.", "Give arrays (H, W) of bool."
        )
    covered = np.sum(masks, axis=0)
    if covered.max() > 1:
        raise InputError(
            f"The masks overlap in {int((covered > 1).sum())} pixels.",
            "A pixel belongs to one region: cut one mask out of the other.",
        )
    empty = [name for name, mask in zip(names, masks, strict=True) if not mask.any()]
    if empty:
        raise InputError(f"The mask {empty[0]!r} is empty.", "Leave it out.")
    rest = covered == 0
    parts, named = ([*masks, rest], [*names, "rest"]) if rest.any() else (masks, names)
    return np.argmax(parts, axis=0), named


__all__ = ["Regions"]
