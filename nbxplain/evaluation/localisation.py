"""Localisation: does the map point at the place where the thing is?

Pointing game: Zhang et al. 2018. Energy inside: Wang et al. 2020 (Score-CAM); with Quantus it is
the attribution localisation, and the overlap of as many places as the mask has is close to its
relevance rank accuracy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Unpack

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nbxplain.core.errors import InputError
from nbxplain.evaluation.case import Case, Explained, Options, case, spread
from nbxplain.evaluation.check import CANNOT_TELL, Check, finish, show
from nbxplain.evidence import Verdict, percent
from nbxplain.figure import Drawing, Style

TWICE = 2.0
"""Times the mask's share of the picture from which the energy inside counts as focused."""


@dataclass(frozen=True, repr=False)
class Localisation(Check):
    """Maps (N, H, W) at the picture's size against masks (N, H, W).

    `hit` (N,): the highest place lies in the mask (a share, where several are highest). `energy`
    (N,): the share of the positive values inside. `iou` (N,): overlap of the highest places with
    the mask, over their union. `area` (N,): the mask's share of the picture, which is what a map
    without any idea gets as energy. All but it are nan for a constant map, and for a mask that is
    the whole picture.
    """

    name: ClassVar[str] = "pointing_game"
    label: ClassVar[str] = "Pointing game"

    maps: Tensor
    masks: Tensor
    hit: Tensor
    energy: Tensor
    iou: Tensor
    of: str

    @property
    def area(self) -> Tensor:
        return self.masks.flatten(1).double().mean(1)

    @property
    def score(self) -> float:
        """The share of maps whose highest place lies in the mask."""
        return float(self.hit.nanmean())

    @property
    def focus(self) -> float:
        """The energy inside over the mask's share of the picture, a mean over rows."""
        return float((self.energy / self.area).nanmean())

    @property
    def verdict(self) -> Verdict:
        if math.isnan(self.score) or math.isnan(self.focus):
            return "plain"
        if self.score < 0.5:
            return "poor"
        return "good" if self.focus >= min(TWICE, 0.5 * float((1 / self.area).mean())) else "weak"

    @property
    def value(self) -> str:
        return CANNOT_TELL if math.isnan(self.score) else f"{percent(self.score)} hit"

    @property
    def reading(self) -> str:
        if math.isnan(self.score):
            return f"{CANNOT_TELL}: the map is constant, or the mask the whole picture"
        return (
            f"the highest place of {self.of} lies in the mask in {percent(self.score)} of "
            f"{len(self.hit)}; {percent(float(self.energy.nanmean()))} of the positive map is "
            f"inside, of the picture {percent(float(self.area.mean()))} "
            f"(focused from {TWICE:g} times that); overlap (IoU) {float(self.iou.nanmean()):.2f}"
        )

    @property
    def rows(self) -> int:
        return len(self.maps)

    def draw(self, style: Style, row: int = 0) -> Drawing:
        figure = style.figure(0.6, 8 * style.caption)
        axis = figure.subplots()
        show(axis, self.maps[row], style)
        axis.contour(self.masks[row].numpy(), [0.5], colors="#2ca02c", linewidths=1)
        return figure


def pointing_game(
    model: Any,
    inputs: Any,
    attribution: Explained,
    mask: Any,
    *,
    tolerance: int = 0,
    top: float | None = None,
    **options: Unpack[Options],
) -> Localisation:
    """Whether the map points into a mask, and how much of it lies inside.

    mask: boolean (H, W) or (N, H, W) at the size that is fed to the model, or boxes (left, top,
        right, bottom) in its pixels, one or one for each input.
    tolerance: pixels by which the highest place may miss (Zhang et al. take 15).
    top: the share of highest places that the overlap is taken of; by default the mask's own share.
    Raises InputError for a mask of the wrong size, for an empty one, and for tables.
    """
    found = case(model, inputs, attribution, options)
    return finish(pointing_game_steps(found, mask, tolerance=tolerance, top=top))


def pointing_game_steps(
    case: Case, mask: Any, *, tolerance: int = 0, top: float | None = None
) -> Iterator[Localisation]:
    """The one step of pointing_game."""
    if case.inputs.is_table:
        raise InputError("A table row has no places.", "Look at its features instead.")
    masks = masks_for(mask, len(case), case.inputs.tensor.shape[2:])
    maps = spread(case.maps, case.inputs).double()
    flat, inside = maps.flatten(1), masks.flatten(1)
    near = F.max_pool2d(masks.double(), 2 * tolerance + 1, 1, tolerance).flatten(1)
    highest = flat == flat.amax(1, keepdim=True)
    hit = (highest * near).sum(1) / highest.sum(1)
    positive = flat.clamp(min=0)
    energy = (positive * inside).sum(1) / positive.sum(1)
    iou = torch.stack([_overlap(f, m, top) for f, m in zip(flat, inside, strict=True)])
    idle = torch.tensor(case.constant) | inside.all(1)
    hit, energy, iou = (v.masked_fill(idle, float("nan")) for v in (hit, energy, iou))
    yield Localisation(maps.float(), masks, hit, energy, iou, case.label)


def _overlap(values: Tensor, mask: Tensor, top: float | None) -> Tensor:
    count = int(mask.sum()) if top is None else max(1, round(top * len(values)))
    highest = torch.zeros_like(mask)
    highest[values.topk(count).indices] = True
    return (highest & mask).sum().double() / (highest | mask).sum()


def masks_for(mask: Any, rows: int, size: Any) -> Tensor:
    """Boolean masks (N, H, W) of masks or boxes. Raises InputError."""
    if isinstance(mask, str):
        raise InputError(
            f"{mask!r} is no mask: places of a picture have no names.",
            "Give booleans (H, W) or (N, H, W), or boxes (left, top, right, bottom).",
        )
    array = mask.detach().cpu().numpy() if isinstance(mask, Tensor) else np.asarray(mask)
    height, width = (int(side) for side in size)
    if array.dtype != bool and array.shape in ((4,), (rows, 4)):
        return _boxes(array.reshape(-1, 4), rows, height, width)
    masks = torch.from_numpy(np.ascontiguousarray(array != 0))
    masks = masks.unsqueeze(0) if masks.ndim == 2 else masks
    if masks.ndim != 3 or masks.shape[1:] != (height, width) or len(masks) not in (1, rows):
        raise InputError(
            f"The mask has shape {tuple(array.shape)}, the {rows} pictures {(height, width)}.",
            "Give masks (H, W) or (N, H, W) of what is fed to the model, after resizing.",
        )
    if not bool(masks.flatten(1).any(1).all()):
        raise InputError("A mask is empty.", "Leave its picture out.")
    return masks.expand(rows, -1, -1)


def _boxes(boxes: Any, rows: int, height: int, width: int) -> Tensor:
    masks = torch.zeros(len(boxes), height, width, dtype=torch.bool)
    for mask, box in zip(masks, boxes.tolist(), strict=True):
        left, top, right, bottom = (round(edge) for edge in box)
        if not (0 <= left < right <= width and 0 <= top < bottom <= height):
            raise InputError(
                f"The box {tuple(box)} is not inside {width} × {height} pixels.",
                "Give (left, top, right, bottom) in pixels of what is fed to the model.",
            )
        mask[top:bottom, left:right] = True
    return masks.expand(rows, -1, -1)


__all__ = ["Localisation", "pointing_game", "pointing_game_steps"]
