"""How far two maps agree, whatever their units and resolutions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from scipy.stats import rankdata
from torch import Tensor


def rank_correlation(a: Tensor, b: Tensor) -> float:
    """Spearman's correlation of two maps (h, w), in [-1, 1]; nan where one is constant.

    The finer map is averaged into the cells of the coarser one first.
    """
    first, second = (torch.as_tensor(rankdata(m.flatten())) for m in common(a, b))
    first, second = first - first.mean(), second - second.mean()
    size = first.norm() * second.norm()
    return float((first @ second) / size) if size > 0 else float("nan")


def top_overlap(a: Tensor, b: Tensor, share: float = 0.1) -> float:
    """How much of the strongest `share` of cells two maps (h, w) have in common, in [0, 1]."""
    first, second = (m.flatten() for m in common(a, b))
    count = max(1, round(share * first.numel()))
    tops = [set(m.topk(count).indices.tolist()) for m in (first, second)]
    return len(tops[0] & tops[1]) / count


def common(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both maps on the grid of the coarser one."""
    rows, columns = (min(sides) for sides in zip(a.shape, b.shape, strict=True))
    first, second = (
        F.adaptive_avg_pool2d(m.double()[None, None], (rows, columns))[0, 0] for m in (a, b)
    )
    return first, second
