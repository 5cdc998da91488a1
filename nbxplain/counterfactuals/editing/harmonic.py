"""A hole filled by what diffuses into it from its border."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from nbxplain.core.errors import InputError

EXACT = 1e-4
"""The largest difference from the mean of its neighbours that a filled pixel may have, as a share
of what there is between black and white."""
MOST = 400
"""Iterations on one grid; a start from the coarser one needs few."""
FEW = 64
"""Pixels of a hole that are solved for without a coarser grid."""


def harmonic(picture: Tensor, hole: Tensor) -> Tensor:
    """The picture (C, H, W) with the pixels of `hole` (H, W) in balance with their neighbours.

    That is the discrete Laplace equation with the pixels around the hole as boundary values; beyond
    the picture's edge there is nothing to be in balance with. Conjugate gradients from the solution
    on the next coarser grid (Bornemann and Deuflhard 1996). Raises InputError where there is
    nothing but hole.
    """
    if bool(hole.all()):
        raise InputError(
            "The mask covers the whole picture: nothing is left to continue from.",
            "Leave something, or choose another fill.",
        )
    if not bool(hole.any()):
        return picture
    rows, columns = (_around(hole.any(axis)) for axis in (1, 0))
    filled = picture.clone()
    filled[:, rows, columns] = _solved(picture[:, rows, columns], hole[rows, columns])
    return filled


def _around(line: Tensor) -> slice:
    """From the pixel before the first True to the one after the last."""
    places = line.nonzero().flatten()
    return slice(max(0, int(places[0]) - 1), int(places[-1]) + 2)


def _solved(picture: Tensor, hole: Tensor) -> Tensor:
    start = picture
    if int(hole.sum()) > FEW and not bool(hole.all()):
        start = torch.where(hole, _coarser(picture, hole), picture)
    return _relaxed(start, hole)


def _coarser(picture: Tensor, hole: Tensor) -> Tensor:
    """The solution at half the resolution, as large as the picture."""
    known = (~hole).to(picture)
    share = F.avg_pool2d(known[None, None], 2, ceil_mode=True)[0, 0]
    sums = F.avg_pool2d((picture * known)[None], 2, ceil_mode=True)[0]
    means = sums / share.clamp(min=1e-12)
    solved = _solved(means, share == 0)
    size = picture.shape[1:]
    return F.interpolate(solved[None], size, mode="bilinear")[0]


def _relaxed(start: Tensor, hole: Tensor) -> Tensor:
    """Conjugate gradients, channel by channel at once."""
    inside = hole.to(start)
    neighbours = _sums(torch.ones_like(inside)[None])[0]

    def apart(values: Tensor) -> Tensor:
        return (neighbours * values - _sums(values)) * inside

    now = start
    residual = -apart(now)
    along, size = residual, _dot(residual, residual)
    for _ in range(MOST):
        if float(residual.abs().max()) <= EXACT:
            break
        image = apart(along)
        step = size / _dot(along, image).clamp(min=1e-30)
        now = now + step * along
        residual = residual - step * image
        before, size = size, _dot(residual, residual)
        along = residual + size / before.clamp(min=1e-30) * along
    return now


def _sums(values: Tensor) -> Tensor:
    """The sum of the neighbours of each pixel of (C, H, W), as far as there are any."""
    padded = F.pad(values, (1, 1, 1, 1))
    return padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum((1, 2), keepdim=True)
