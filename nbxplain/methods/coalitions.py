"""The engine of everything that asks what happens when a part of the input is not there.

A coalition says for each player whether it is there: regions of a picture, or features of a table
row. Inputs are made of it inside the chunk, on the device: however many are asked for, only one
chunk of them exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nbxplain.core.background import Background
from nbxplain.core.baseline import Baseline
from nbxplain.core.nearby import Near
from nbxplain.core.regions import Regions
from nbxplain.methods.base import Method, Question, paint, parameter

Mask = Callable[[Tensor, Tensor], Tensor]
"""Rows of the batch (n,) and numbers (n,) -> what is kept (n, 1, H, W) or (n, F): booleans, or
shares from 0 to 1."""
Coalition = Callable[[Tensor, Tensor], Tensor]
"""Rows of the batch (n,) and numbers (n,) -> which players are there (n, P), booleans."""
Split = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Evaluations (n,) -> the row and the number of each."""

BLOCK = 256
"""Numbers whose draws come from one generator."""


@dataclass
class Scored:
    """Scores (n,) of the masked rows (n,) of the batch, under the masks with these numbers (n,)."""

    row: Tensor
    number: Tensor
    scores: Tensor

    def sums(self, values: Tensor, weights: Tensor, rows: int) -> Tensor:
        """The sum (rows, ...) over the values (n, ...) of each row, with weights (n,)."""
        shares = F.one_hot(self.row, rows).to(values).T * weights
        return (shares @ values.flatten(1)).view(rows, *values.shape[1:])


class Masking:
    """A question's inputs x, of which a part is exchanged for the baseline.

    With a background of K samples each mask is seen K times: evaluation `number` has the mask
    number // K and the sample number % K.
    """

    def __init__(self, question: Question, absent: Baseline | Background) -> None:
        self.question, self.x = question, question.tensor
        inputs, device = question.inputs, self.x.device
        if isinstance(absent, Background):
            self.absent = absent.tensors_for(inputs, device)
        else:
            self.absent = absent.tensor_for(inputs, device).unsqueeze(0)
        self.samples = len(self.absent)

    def split(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Every row under the first mask, then every row under the second, and so on."""
        return index % len(self.x), index // len(self.x)

    def scores(self, count: int, mask: Mask, split: Split | None = None) -> Iterator[Scored]:
        """The scores of `count` evaluations, chunk by chunk."""
        place = split or self.split

        def build(index: Tensor) -> Tensor:
            row, number = place(index)
            kept, absent = (
                mask(row, number // self.samples),
                self.absent[number % self.samples, row],
            )
            if kept.dtype == torch.bool:
                return torch.where(kept, self.x[row], absent)
            return torch.lerp(absent, self.x[row], kept)

        def score(output: Tensor, index: Tensor) -> Tensor:
            return self.question.target.score(output, place(index)[0])

        near = Near(self.x, lambda index: place(index)[0])
        for index, scores in self.question.passes.scores(count, build, score, near=near):
            yield Scored(*place(index), scores)


class Game(Masking):
    """The same with regions as players: `labels` (N, H, W) or (N, F) says whose a place is.

    Rows may have fewer players than `players`, the most of any: see `counts` (N,).
    """

    def __init__(self, question: Question, absent: Baseline | Background, regions: Regions) -> None:
        super().__init__(question, absent)
        self.labels = regions.labels_for(question.inputs, self.x.device)
        self.counts = self.labels.flatten(1).amax(1) + 1
        self.players = int(self.counts.max())

    def mask(self, row: Tensor, present: Tensor) -> Tensor:
        """What is kept of the rows (n,) when these players (n, P) are there."""
        labels = self.labels[row]
        kept = present.gather(1, labels.flatten(1)).view_as(labels)
        return kept.unsqueeze(1) if kept.ndim == 3 else kept

    def values(
        self, count: int, coalition: Coalition, split: Split | None = None
    ) -> Iterator[Scored]:
        """The scores of `count` coalitions, chunk by chunk."""
        yield from self.scores(count, lambda r, n: self.mask(r, coalition(r, n)), split)

    def paint(self, values: Tensor) -> Tensor:
        """Values (N, P) of the players as a map (N, 1, H, W), or as (N, F)."""
        painted = paint(values, self.labels)
        return painted.unsqueeze(1) if painted.ndim == 3 else painted


class Draws:
    """Uniform random numbers in [0, 1), a row of `width` for each number.

    A row depends on its number and the seed alone, so it depends neither on the chunk size nor on
    the device; and a narrower row is the beginning of a wider one, so that inputs with different
    numbers of players see the same draws together as one by one.
    """

    def __init__(self, width: int, seed: int, device: torch.device) -> None:
        self._width, self._seed, self._device = width, seed, device
        self._blocks: dict[int, Tensor] = {}

    def take(self, numbers: Tensor) -> Tensor:
        """The rows (n, width) of numbers (n,)."""
        if not len(numbers):
            return torch.empty(0, self._width, device=self._device)
        first, last = (int(end) // BLOCK for end in numbers.aminmax())
        wanted = range(first, last + 1)
        self._blocks = {block: self._block(block) for block in wanted}
        return torch.cat([self._blocks[block] for block in wanted])[numbers - first * BLOCK]

    def _block(self, block: int) -> Tensor:
        if block in self._blocks:
            return self._blocks[block]
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + block)
        return torch.rand(self._width, BLOCK, generator=generator).T.to(self._device)


class Regional(Method):
    """Base of the methods whose players are regions."""

    segments: int = parameter(
        50, "Superpixels, where no regions are given; a table has its features.", ge=2, le=1000,
        draft=16, log=True,
    )  # fmt: skip
    regions: Regions | None = parameter(
        None, "Regions to use instead: a grid, a label map, groups of features."
    )
    baseline: Baseline = parameter(Baseline(), "What is seen where a region is left out.")

    def game(self, question: Question) -> Game:
        return Game(question, self.baseline, self.regions or Regions.superpixels(self.segments))


__all__ = ["Coalition", "Draws", "Game", "Mask", "Masking", "Regional", "Scored", "Split"]
