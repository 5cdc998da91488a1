"""Class activation maps without gradients: each feature map is weighted by what it does to f."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nbxplain.core.baseline import Baseline
from nbxplain.core.below import Below
from nbxplain.core.capture import Edit
from nbxplain.core.errors import ModelError
from nbxplain.core.layers import Layer
from nbxplain.methods.base import Group, Method, Partial, Question, parameter
from nbxplain.methods.cam import spatial


@dataclass
class Maps:
    """The layer's maps (N, C, h, w) of a batch, and its channels (N, m) in the order of asking.

    Evaluation i is about input i % N and its channel number i // N.
    """

    layer: Layer
    values: Tensor
    channels: Tensor

    def row(self, index: Tensor) -> Tensor:
        return index % len(self.values)

    def number(self, index: Tensor) -> Tensor:
        return index // len(self.values)

    def channel(self, index: Tensor) -> Tensor:
        return self.channels[self.row(index), self.number(index)]


class ChannelCAM(Method):
    """Base of the maps that ask the model once per channel.

    The most active channels come first, so the early partial results hold the most.
    """

    group: ClassVar[Group] = "CAM"
    cost: ClassVar[int] = 3
    needs_layer: ClassVar[bool] = True

    channels: int = parameter(
        2048,
        "Channels that are asked for, the most active first; the others get no weight.",
        ge=1,
        le=8192,
        draft=32,
        log=True,
    )
    relu: bool = parameter(True, "Keep only evidence for the class; off keeps the sign.")

    @abstractmethod
    def changes(self, question: Question, maps: Maps) -> Iterator[tuple[Tensor, Tensor]]:
        """Numbers of evaluations (n,) and how much each channel is worth to the score (n,)."""

    @abstractmethod
    def weights(self, change: Tensor, asked: Tensor) -> Tensor:
        """Weights (N, m) of the channels from their worth, where `asked`; zero elsewhere."""

    def run(self, question: Question) -> Iterator[Partial]:
        """Yields the maps weighted by the channels asked for so far."""
        maps = self._maps(question)
        change = maps.values.new_zeros(maps.channels.shape)
        asked = torch.zeros_like(change, dtype=torch.bool)
        done, total = 0, change.numel()
        for index, worth in self.changes(question, maps):
            place = maps.row(index), maps.number(index)
            change[place] = worth
            asked[place] = True
            weights = torch.zeros_like(maps.values[:, :, 0, 0])
            weights.scatter_(1, maps.channels, self.weights(change, asked))
            signed = torch.einsum("nc,nchw->nhw", weights, maps.values).unsqueeze(1)
            done += len(index)
            yield Partial(signed.relu() if self.relu else signed, done, total)

    def _maps(self, question: Question) -> Maps:
        layer, x = spatial(question), question.tensor
        parts = question.passes.activations(len(x), lambda rows: x[rows], layer.name)
        values = torch.cat([layer.maps(activation) for _, activation in parts])
        order = values.abs().mean((2, 3)).argsort(dim=1, descending=True, stable=True)
        return Maps(layer, values, order[:, : self.channels])


class ScoreCAM(ChannelCAM):
    """Each map is laid on the picture as a mask; how far the score rises becomes its weight.

    Masks are the maps, upsampled and scaled to [0, 1]; weights the softmax over the increases
    against the baseline's score. Where no mask changes the score the map is zero, which the
    softmax would hide. Wang et al. 2020, eq. 6-8.
    """

    name: ClassVar[str] = "score_cam"
    label: ClassVar[str] = "Score-CAM"

    baseline: Baseline = parameter(Baseline(), "What is seen where the mask is zero.")

    def changes(self, question: Question, maps: Maps) -> Iterator[tuple[Tensor, Tensor]]:
        x = question.tensor
        baseline = self.baseline.tensor_for(question.inputs, x.device)
        start = question.scores(baseline)

        def build(index: Tensor) -> Tensor:
            row = maps.row(index)
            small = maps.values[row, maps.channel(index)].unsqueeze(1)
            return torch.lerp(baseline[row], x[row], _mask(small, x.shape[2:]))

        def score(output: Tensor, index: Tensor) -> Tensor:
            return question.target.score(output, maps.row(index))

        for index, scores in question.passes.scores(maps.channels.numel(), build, score):
            yield index, scores - start[maps.row(index)]

    def weights(self, change: Tensor, asked: Tensor) -> Tensor:
        shares = change.masked_fill(~asked, -torch.inf).softmax(1)
        # A row of which nothing is asked yet has a softmax of nothing but -inf.
        return torch.where(change.any(1, keepdim=True) & asked, shares, 0)


def _mask(maps: Tensor, size: torch.Size) -> Tensor:
    """Maps (n, 1, h, w) at the size of the picture, each from 0 to 1; a flat map is 0."""
    masks = F.interpolate(maps, tuple(size), mode="bilinear", align_corners=False)
    low, high = masks.amin((2, 3), keepdim=True), masks.amax((2, 3), keepdim=True)
    return (masks - low) / (high - low).clamp(min=1e-12)


class AblationCAM(ChannelCAM):
    """Each channel of the layer is set to zero; how far the score drops becomes its weight.

    The drop is not divided by the score as in the paper: that scales the map, and would turn its
    sign for a negative score. Desai and Ramaswamy 2020, eq. 5-6.
    """

    name: ClassVar[str] = "ablation_cam"
    label: ClassVar[str] = "Ablation-CAM"

    def changes(self, question: Question, maps: Maps) -> Iterator[tuple[Tensor, Tensor]]:
        intact = question.scores(question.tensor)
        ablated = _above if _above_is_enough(question, maps) else _ablated
        for index, scores in ablated(question, maps, maps.channels.shape[1]):
            yield index, intact[maps.row(index)] - scores

    def weights(self, change: Tensor, asked: Tensor) -> Tensor:
        return change


def _ablated(question: Question, maps: Maps, channels: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The scores of all inputs, each with one of its first `channels` channels at zero."""
    x = question.tensor

    def without(index: Tensor) -> Edit:
        return Edit(maps.layer.name, maps.layer.calls, _without(maps, maps.channel(index)))

    def score(output: Tensor, index: Tensor) -> Tensor:
        return question.target.score(output, maps.row(index))

    yield from question.passes.scores(
        channels * len(x), lambda index: x[maps.row(index)], score, without
    )


def _above(question: Question, maps: Maps, channels: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The same, of which only what follows the layer is run for every channel."""
    layer = maps.layer
    for row, one in enumerate(question.tensor):
        below = Below(layer.name, layer.calls)

        def build(index: Tensor, one: Tensor = one) -> Tensor:
            return one.expand(len(index), *one.shape)

        def without(index: Tensor, row: int = row, below: Below = below) -> Edit:
            return Edit(layer.name, layer.calls, _without(maps, maps.channels[row, index]), below)

        def score(output: Tensor, index: Tensor, row: int = row) -> Tensor:
            return question.target.score(output, torch.full_like(index, row))

        for index, scores in question.passes.scores(channels, build, score, without):
            yield index * len(question.tensor) + row, scores


def _without(maps: Maps, channel: Tensor) -> Callable[[Tensor], Tensor]:
    """The layer's output (n, ...) with one channel (n,) of each row at zero."""
    kept = maps.values.new_ones(len(channel), maps.values.shape[1])
    kept.scatter_(1, channel.unsqueeze(1), 0)
    return lambda output: output * maps.layer.spread(kept)


def _above_is_enough(question: Question, maps: Maps) -> bool:
    """Whether the model takes what was computed once for what it computes, for two channels each.

    It does not where an operation in place follows a module, or rows influence one another.
    """
    channels = min(2, maps.channels.shape[1])
    fast, safe = (maps.values.new_zeros(channels * len(maps.values)) for _ in range(2))
    try:
        for found, ablated in ((fast, _above), (safe, _ablated)):
            for index, scores in ablated(question, maps, channels):
                found[index] = scores
    except (ModelError, RuntimeError):
        return False
    return torch.allclose(fast, safe, rtol=1e-4, atol=1e-5)


__all__ = ["AblationCAM", "ChannelCAM", "ScoreCAM"]
