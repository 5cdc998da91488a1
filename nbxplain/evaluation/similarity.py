"""How alike two maps are, whatever their units and resolutions."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor

NAN = float("nan")


def rank_correlation(a: Tensor, b: Tensor) -> float:
    """Spearman's correlation of two maps (h, w) or (F,), in [-1, 1]; nan where one is constant.

    The finer map is averaged into the cells of the coarser one first.
    """
    first, second = (torch.as_tensor(rankdata(m.flatten())) for m in common(a, b))
    first, second = first - first.mean(), second - second.mean()
    size = first.norm() * second.norm()
    return float((first @ second) / size) if size > 0 else NAN


def absolute_correlation(a: Tensor, b: Tensor) -> float:
    """Spearman's correlation of the magnitudes of two maps, in [-1, 1]."""
    return rank_correlation(a.abs(), b.abs())


def top_overlap(a: Tensor, b: Tensor, share: float = 0.1) -> float:
    """How much of the strongest `share` of cells two maps (h, w) have in common, in [0, 1]."""
    first, second = (m.flatten() for m in common(a, b))
    count = max(1, round(share * first.numel()))
    tops = [set(m.topk(count).indices.tolist()) for m in (first, second)]
    return len(tops[0] & tops[1]) / count


def ssim(a: Tensor, b: Tensor) -> float:
    """Structural similarity (Wang et al. 2004) of two maps (h, w), each scaled to [0, 1].

    In [-1, 1]; nan where one is constant, and for maps of fewer than 3 x 3 cells, which have no
    window.
    """
    from skimage.metrics import structural_similarity

    if a.ndim != 2:
        return NAN
    first, second = (_scaled(m) for m in common(a, b))
    window = min(7, *first.shape)
    window -= 1 - window % 2
    if window < 3 or not (first.any() and second.any()):
        return NAN
    return float(structural_similarity(first, second, win_size=window, data_range=1.0))


def hog_correlation(a: Tensor, b: Tensor) -> float:
    """Correlation of the histograms of oriented gradients (Dalal and Triggs 2005) of two maps.

    Cells are an eighth of the shorter side. In [-1, 1]; nan where a map has no edges or fewer than
    8 x 8 cells.
    """
    from skimage.feature import hog

    if a.ndim != 2:
        return NAN
    maps = [_scaled(m) for m in common(a, b)]
    side = min(maps[0].shape)
    if side < 8:
        return NAN
    cell = (side // 8, side // 8)
    first, second = (
        hog(m, orientations=9, pixels_per_cell=cell, cells_per_block=(1, 1)) for m in maps
    )
    if not (first.std() > 0 and second.std() > 0):
        return NAN
    return float(np.corrcoef(first, second)[0, 1])


MEASURES = {
    "signed": rank_correlation,
    "absolute": absolute_correlation,
    "ssim": ssim,
    "hog": hog_correlation,
}
"""What two maps are compared by, where a check compares maps."""

WORDS = {
    "signed": "rank correlation",
    "absolute": "rank correlation of magnitudes",
    "ssim": "SSIM",
    "hog": "HOG",
}


def common(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both maps on the grid of the coarser one; rows of features (F,) as they are."""
    if a.ndim == 1:
        return a.double(), b.double()
    rows, columns = (min(sides) for sides in zip(a.shape, b.shape, strict=True))
    first, second = (
        F.adaptive_avg_pool2d(m.double()[None, None], (rows, columns))[0, 0] for m in (a, b)
    )
    return first, second


def mean(values: list[float]) -> float:
    """The mean of what is known; nan where nothing is."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else NAN


def _scaled(values: Tensor) -> NDArray[np.float64]:
    """The map from 0 to 1; all zero where it is constant."""
    array = values.double().cpu().numpy()
    span = float(np.ptp(array))
    return (array - array.min()) / span if span > 0 else np.zeros_like(array)
