"""RISE: how much higher the score is when a pixel is seen, over many random masks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor

from nbxplain.core.baseline import Baseline
from nbxplain.methods.base import Group, Method, Partial, Question, parameter, relative
from nbxplain.methods.coalitions import Draws, Masking, Scored
from nbxplain.methods.perturbation import on_picture


class RISE(Method):
    """The mean score of masked pictures, weighted by the masks, less the mean score.

    Masks are coarse random grids, upsampled and shifted at random. The value of a pixel estimates
    E[f | it is seen] - E[f], as the covariance of score and mask over the probability: the map of
    Petsiuk, Das, Saenko 2018 (eq. 6) less a constant, which makes it signed, zero for pixels
    without influence, and far less noisy.
    """

    name: ClassVar[str] = "rise"
    label: ClassVar[str] = "RISE"
    group: ClassVar[Group] = "perturbation"
    cost: ClassVar[int] = 3
    needs_picture: ClassVar[bool] = True
    resumable: ClassVar[bool] = True

    masks: int = parameter(1024, "Random masks.", ge=2, le=65536, draft=64, log=True)
    cells: int = parameter(7, "Cells of a mask's grid along each side.", ge=2, le=64)
    probability: float = parameter(0.5, "Of a cell to be seen.", ge=0.05, le=0.95)
    baseline: Baseline = parameter(Baseline(), "What is seen where the mask is zero.")
    seed: int = parameter(0, "Seed of the masks.", ge=0, le=9999)

    def run(self, question: Question) -> Iterator[Partial]:
        """Yields the estimate after each chunk of masks, with its standard error."""
        masking = Masking(question, self.baseline)
        x = on_picture(question, self.label)
        intact = question.scores(x)
        grids = _Grids(x, self.cells, self.probability, self.seed)
        moments = _Moments(x)
        done, total = 0, self.masks * len(x)
        for part in masking.scores(total, lambda row, number: grids.mask(number)):
            # Masks are counted from their mean, scores from f(x): equal scores give exact zeros.
            mask = grids.mask(part.number) - self.probability
            moments.add(part, mask, part.scores - intact[part.row])
            done += len(part.scores)
            yield self._partial(moments, done, total)

    def _partial(self, moments: _Moments, done: int, total: int) -> Partial:
        values, error = (moment / self.probability for moment in moments.covariance())
        if done < 2 * len(values):
            return Partial(values, done, total)
        sizes = values.flatten(1).norm(dim=1).clamp(min=1e-30)
        evidence = {"standard_error": error.flatten(1).norm(dim=1) / sizes}
        return Partial(values, done, total, relative(error, values), evidence=evidence)


class _Grids:
    """Random grids as masks from 0 to 1 for pictures (N, C, H, W), each with its number.

    A grid of s x s cells is upsampled to s + 1 cells of the picture's size / s, and cut out at a
    random place within one cell. Both are done by one matrix a side, which holds the weights of
    the bilinear interpolation: what is left of a mask is two small products.
    """

    def __init__(self, x: Tensor, cells: int, probability: float, seed: int) -> None:
        self._cells, self._probability = cells, probability
        self._size, self._dtype = x.shape[2:], x.dtype
        self._draws = Draws(cells**2 + 2, seed, x.device)

    def mask(self, number: Tensor) -> Tensor:
        """The masks (n, 1, H, W) with these numbers (n,)."""
        draws = self._draws.take(number)
        grid = (draws[:, :-2] < self._probability).float().view(-1, self._cells, self._cells)
        down, right = (
            self._weights(size, draw)
            for size, draw in zip(self._size, draws[:, -2:].unbind(1), strict=True)
        )
        return (down @ grid @ right.transpose(1, 2)).unsqueeze(1).to(self._dtype)

    def _weights(self, size: int, draw: Tensor) -> Tensor:
        """The share (n, size, s) of each cell in each pixel, shifted by `draw` (n,) of a cell."""
        width = -(-size // self._cells)
        pixel = torch.arange(size, device=draw.device) + (draw * width).floor().unsqueeze(1)
        place = (pixel + 0.5) * self._cells / (width * (self._cells + 1)) - 0.5
        place = place.clamp(0, self._cells - 1).unsqueeze(2)
        return (1 - (place - torch.arange(self._cells, device=draw.device)).abs()).relu()


class _Moments:
    """Sums over masks M, of mean zero, and scores f that give the covariance of both."""

    def __init__(self, x: Tensor) -> None:
        self._count, self._f = x.new_zeros(len(x)), x.new_zeros(len(x))
        self._m, self._fm, self._mm, self._fmm, self._ffmm = x.new_zeros(5, len(x), 1, *x.shape[2:])

    def add(self, part: Scored, mask: Tensor, f: Tensor) -> None:
        rows, ones = len(self._f), torch.ones_like(f)
        self._count += part.sums(ones.unsqueeze(1), ones, rows).squeeze(1)
        self._f += part.sums(ones.unsqueeze(1), f, rows).squeeze(1)
        square = mask.square()
        for sums, values, weights in (
            (self._m, mask, ones),
            (self._fm, mask, f),
            (self._mm, square, ones),
            (self._fmm, square, f),
            (self._ffmm, square, f.square()),
        ):
            sums += part.sums(values, weights, rows)

    def covariance(self) -> tuple[Tensor, Tensor]:
        """The mean of (f - mean f) M, and its standard error."""
        n = self._count.clamp(min=1).view(-1, 1, 1, 1)
        mean = self._f.view(-1, 1, 1, 1) / n
        first = (self._fm - mean * self._m) / n
        second = (self._ffmm - 2 * mean * self._fmm + mean**2 * self._mm) / n
        return first, ((second - first**2).clamp(min=0) / (n - 1).clamp(min=1)).sqrt()


__all__ = ["RISE"]
