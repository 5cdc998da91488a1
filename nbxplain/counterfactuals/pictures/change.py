"""Changes of a picture: where they may be, what they are made of, what they cost."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nbxplain.counterfactuals.pictures.parameters import PictureSearch

LEAST = 1e-2
"""The weight of squares where none is wanted: without any, a change has no length."""
SHARP = 1e-4
"""Slopes below this count as smooth: total variation has a corner at zero."""


@dataclass(frozen=True)
class Space:
    """Changes of one picture (C, H, W) in pixels, within a mask (H, W) and, if there is one, a box.

    Changes are made from drives (k, C, H, W), which are what gradients add up to. A change is the
    one whose cost l1 |d|_1 + l2 |d|_2^2 / 2 less its product with the blurred drive is smallest:
    mirror descent, whose mirror is the cost. For a linear model the drives are multiples of its
    weights, and the changes the cheapest ones.
    """

    clean: Tensor
    mask: Tensor
    box: tuple[float, float] | None
    emphasis: Tensor
    blurs: tuple[Tensor, Tensor] | None
    search: PictureSearch

    @classmethod
    def of(
        cls, clean: Tensor, mask: Tensor, box: tuple[float, float] | None, search: PictureSearch
    ) -> Space:
        height, width = clean.shape[1:]
        blurs = None
        if search.blur:
            vertical, horizontal = (_spots(side, search.blur) for side in (height, width))
            blurs = vertical.to(clean), horizontal.to(clean)
        return cls(clean, mask, box, _emphasis(clean, search), blurs, search)

    def spread(self, drive: Tensor) -> Tensor:
        """The drive through the emphasis of each picture, the blur and the mask."""
        spread = drive * self.emphasis * self.mask
        if self.blurs is not None:
            spread = self.blurs[0] @ spread @ self.blurs[1].T
        return spread * self.emphasis * self.mask

    def pixels(self, drive: Tensor, share: Tensor | float = 1.0) -> Tensor:
        """The pictures (k, C, H, W) of drives times shares; outside the mask bit for bit."""
        wanted = share * self.spread(drive)
        l1, l2 = self.search.l1, max(self.search.l2, LEAST)
        change = F.softshrink(wanted, l1) / l2 if l1 else wanted / l2
        pixels = self.clean + change
        if self.box is not None:
            pixels = pixels.clamp(*self.box)
        return torch.where(self.mask & (change != 0), pixels, self.clean)

    def towards(self, gradient: Tensor) -> Tensor:
        """Gradients (k, C, H, W) at a length at which the step has the wanted size."""
        spread = self.spread(gradient)
        length = (gradient * spread).flatten(1).sum(1).clamp(min=0).sqrt()
        values = self.mask.sum() * self.clean.shape[0]
        reach = self.search.learning_rate * values.to(gradient).sqrt()
        return gradient * (reach / length.clamp(min=1e-30)).view(-1, 1, 1, 1)

    def terms(self, pixels: Tensor) -> dict[str, Tensor]:
        """The weighted terms (k,) of the objective that are about pixels alone."""
        change = pixels - self.clean
        return {
            "l1": self.search.l1 * change.abs().flatten(1).sum(1),
            "l2": self.search.l2 * change.square().flatten(1).sum(1) / 2,
            "smoothness": self.search.smoothness * total_variation(change),
        }

    def roughness(self, pixels: Tensor) -> Tensor:
        """The gradient of the total variation (k, C, H, W)."""
        with torch.enable_grad():
            change = (pixels - self.clean).requires_grad_()
            (slope,) = torch.autograd.grad(total_variation(change).sum(), change)
        return slope


def total_variation(change: Tensor) -> Tensor:
    """The sum (k,) of the lengths of the slopes between neighbours."""
    down = F.pad(change.diff(dim=2), (0, 0, 0, 1))
    right = F.pad(change.diff(dim=3), (0, 1))
    slope = (down.square() + right.square() + SHARP**2).sqrt() - SHARP
    return slope.flatten(1).sum(1)


def _spots(side: int, deviation: float) -> Tensor:
    """A Gaussian blur (side, side) that mirrors the picture at its ends."""
    place = torch.arange(side, dtype=torch.float64)
    ends = place[None], -1 - place[None], 2 * side - 1 - place[None]
    apart = [(place[:, None] - other).square() for other in ends]
    weight = sum(torch.exp(-one / (2 * deviation**2)) for one in apart)
    assert isinstance(weight, Tensor)
    # Each is as large as the others, or a drive would reach further at the ends.
    return weight / weight.sum(1, keepdim=True)


def _emphasis(clean: Tensor, search: PictureSearch) -> Tensor:
    """How much (k, 1, H, W) each picture likes changes in places: the first everywhere alike."""
    generator = torch.Generator().manual_seed(search.seed)
    drawn = torch.rand((search.k, 1, 4, 4), generator=generator, dtype=torch.float64)
    fields = F.interpolate(drawn, tuple(clean.shape[1:]), mode="bilinear")
    fields = (4 * (fields - fields.mean((2, 3), keepdim=True))).sigmoid() * 1.8 + 0.1
    fields[0] = 1
    return fields.to(clean)


__all__ = ["Space", "total_variation"]
