"""Leaving out one part after another: what the score loses is the part's value."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor

from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import InputError, MethodError
from nbxplain.methods.base import Group, Method, Partial, Question, parameter
from nbxplain.methods.coalitions import Masking, Regional


class FeatureAblation(Regional):
    """Each region, or feature of a table, is put at the baseline; its value is what f loses.

    f(x) - f(x without the region), painted on the region. For a linear model this is w (x - x')
    summed over the region; what regions do only together is not seen.
    """

    name: ClassVar[str] = "feature_ablation"
    label: ClassVar[str] = "Feature ablation"
    group: ClassVar[Group] = "perturbation"
    cost: ClassVar[int] = 2

    def run(self, question: Question) -> Iterator[Partial]:
        """One forward pass per region; yields the regions done so far."""
        game = self.game(question)
        intact = question.scores(game.x)
        everyone = torch.arange(game.players, device=game.x.device).expand(len(game.x), -1)
        rows, players = (everyone < game.counts.unsqueeze(1)).nonzero(as_tuple=True)

        def without(row: Tensor, player: Tensor) -> Tensor:
            return everyone[row] != player.unsqueeze(1)

        values, done = game.x.new_zeros(everyone.shape), 0
        for part in game.values(len(rows), without, lambda index: (rows[index], players[index])):
            values[part.row, part.number] = intact[part.row] - part.scores
            done += len(part.scores)
            yield Partial(game.paint(values), done, len(rows))


class Occlusion(Method):
    """A window is put at the baseline all over the picture; a pixel gets the mean loss under it.

    f(x) - f(x with the window occluded), averaged over the windows that cover the pixel. Windows
    at the right and bottom edges are cut off by the picture's. Zeiler and Fergus 2014.
    """

    name: ClassVar[str] = "occlusion"
    label: ClassVar[str] = "Occlusion"
    group: ClassVar[Group] = "perturbation"
    cost: ClassVar[int] = 2
    needs_picture: ClassVar[bool] = True

    window: int = parameter(
        32, "Side of the square window; at most that of the picture.", ge=1, le=512, unit="px"
    )
    stride: int = parameter(
        16, "Distance between windows, at most their side.", ge=1, le=512, unit="px"
    )
    baseline: Baseline = parameter(Baseline(), "What is seen in the window.")

    def run(self, question: Question) -> Iterator[Partial]:
        """One forward pass per window, spread over the picture from the start."""
        if self.stride > self.window:
            raise MethodError(
                f"Windows of {self.window} pixels at distance {self.stride} leave gaps.",
                "Make stride at most window.",
            )
        masking = Masking(question, self.baseline)
        x = on_picture(question, self.label)
        intact = question.scores(x)
        windows = _Windows(x, self.window, self.stride)
        losses, covered = x.new_zeros(len(x), 1, *x.shape[2:]), x.new_zeros(len(x), 1, *x.shape[2:])
        done, total = 0, windows.count * len(x)
        for part in masking.scores(total, lambda row, number: ~windows.mask(number)):
            mask = windows.mask(part.number).to(x)
            loss = intact[part.row] - part.scores
            losses += part.sums(mask, loss, len(x))
            covered += part.sums(mask, torch.ones_like(loss), len(x))
            done += len(loss)
            yield Partial(losses / covered.clamp(min=1), done, total)


class _Windows:
    """Square windows over pictures (N, C, H, W), in an order that is spread from the start."""

    def __init__(self, x: Tensor, side: int, stride: int) -> None:
        self.side, self.stride = side, stride
        self.y, self.x = (torch.arange(size, device=x.device) for size in x.shape[2:])
        self.rows, self.columns = (
            1 + math.ceil(max(0, size - side) / stride) for size in x.shape[2:]
        )
        self.count = self.rows * self.columns
        self._step = _coprime(self.count)

    def mask(self, number: Tensor) -> Tensor:
        """True (n, 1, H, W) inside the windows with these numbers (n,)."""
        place = number * self._step % self.count
        down, right = self.stride * (place // self.columns), self.stride * (place % self.columns)
        return (
            self._inside(self.y, down).unsqueeze(2) & self._inside(self.x, right).unsqueeze(1)
        ).unsqueeze(1)

    def _inside(self, pixels: Tensor, start: Tensor) -> Tensor:
        offset = pixels - start.unsqueeze(1)
        return (offset >= 0) & (offset < self.side)


def _coprime(count: int) -> int:
    """A step that visits all of `count` places, the next one always far from the last ones."""
    step = max(1, round(count * (math.sqrt(5) - 1) / 2))
    while math.gcd(step, count) > 1:
        step += 1
    return step


def on_picture(question: Question, label: str) -> Tensor:
    """The pictures (N, C, H, W) that are asked about. Raises InputError for tables."""
    if question.tensor.ndim != 4:
        raise InputError(
            f"{label} needs pictures; this is a table of shape {tuple(question.tensor.shape)}.",
            "Use feature_ablation or lime for table rows.",
        )
    return question.tensor


__all__ = ["FeatureAblation", "Occlusion", "on_picture"]
