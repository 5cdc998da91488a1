"""Parts of pictures as pictures: cut out and resized when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs
from nbxplain.core.regions import Regions
from nbxplain.evidence import percent

SMALLEST = 0.005
"""Share of the picture below which a superpixel says nothing."""


@dataclass(frozen=True)
class Crops:
    """n crops of pictures (N, C, H, W), each as large as a whole picture once it is cut out.

    `owner` (n,) says of which picture, `boxes` (n, 4) where: top, left, bottom, right. With
    `labels` (L, N, H, W) only the region `region` (n,) of division `division` (n,) is seen, on the
    picture's mean colour.
    """

    pictures: Tensor
    owner: Tensor
    boxes: Tensor
    labels: Tensor | None = None
    division: Tensor | None = None
    region: Tensor | None = None

    def __len__(self) -> int:
        return len(self.owner)

    def __getitem__(self, rows: slice | Tensor) -> Tensor:
        """The crops (k, C, H, W) of some rows."""
        chosen = torch.arange(len(self))[rows].tolist()
        return torch.stack([self._cut(row) for row in chosen])

    def _cut(self, row: int) -> Tensor:
        owner = int(self.owner[row])
        picture = self.pictures[owner]
        top, left, bottom, right = self.boxes[row].tolist()
        if self.labels is not None and self.division is not None and self.region is not None:
            seen = self.labels[self.division[row], owner] == self.region[row]
            mean = picture.mean((1, 2), keepdim=True)
            picture = torch.where(seen.to(picture.device), picture, mean)
        part = picture[None, :, top:bottom, left:right]
        size = tuple(picture.shape[1:])
        return F.interpolate(part, size, mode="bilinear", align_corners=False)[0]


def random_crops(pictures: Tensor, count: int, sizes: Sequence[float], seed: int) -> Crops:
    """`count` crops of each picture at random places; `sizes` are shares of its sides, in turn."""
    generator = torch.Generator().manual_seed(seed)
    height, width = pictures.shape[2:]
    number = len(pictures) * count
    shares = torch.tensor(sizes)[torch.arange(number) % len(sizes)]
    sides = (shares[:, None] * torch.tensor([height, width])).round().long().clamp(min=2)
    room = torch.tensor([height, width]) - sides + 1
    start = (torch.rand(number, 2, generator=generator) * room).long()
    owner = torch.arange(len(pictures)).repeat_interleave(count)
    return Crops(pictures, owner, torch.cat([start, start + sides], 1))


def superpixels(inputs: Inputs, counts: Sequence[int]) -> Crops:
    """The superpixels of each picture, at several resolutions: about `counts` of them.

    Raises InputError where a picture has no room for them.
    """
    pixels = inputs.tensor[0, 0].numel()
    if max(counts) > pixels:
        raise InputError(
            f"{max(counts)} superpixels do not fit a picture of {pixels} pixels.",
            "Give fewer segments.",
        )
    labels = torch.stack(
        [Regions.superpixels(count).labels_for(inputs, torch.device("cpu")) for count in counts]
    )
    found = [
        (owner, division, region, *_box(seen))
        for owner in range(labels.shape[1])
        for division in range(len(counts))
        for region in labels[division, owner].unique().tolist()
        if float((seen := labels[division, owner] == region).float().mean()) >= SMALLEST
    ]
    if not found:
        raise InputError(
            f"None of about {' and '.join(map(str, counts))} superpixels covers "
            f"{percent(SMALLEST)} of its picture.",
            "Give fewer segments: smaller parts say nothing.",
        )
    table = torch.tensor(found)
    crops = Crops(inputs.tensor, table[:, 0], table[:, 3:])
    return replace(crops, labels=labels, division=table[:, 1], region=table[:, 2])


def _box(seen: Tensor) -> tuple[int, int, int, int]:
    rows, columns = seen.any(1).nonzero(), seen.any(0).nonzero()
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


__all__ = ["Crops", "random_crops", "superpixels"]
