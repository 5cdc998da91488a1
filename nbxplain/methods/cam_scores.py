"""Class activation maps without gradients: each feature map is weighted by what it does to f."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nbxplain.core.baseline import Baseline
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
        once = _once_is_enough(question, maps)
        for index, scores in _ablated(question, maps, maps.channels.numel(), once):
            yield index, intact[maps.row(index)] - scores

    def weights(self, change: Tensor, asked: Tensor) -> Tensor:
        return change


def _ablated(
    question: Question, maps: Maps, count: int, once: bool
) -> Iterator[tuple[Tensor, Tensor]]:
    """The scores of the first `count` evaluations, each with its channel at zero.

    With `once` each input is run once per chunk up to the layer, whose output is then repeated for
    the channels: for a layer near the end that is most of the work.
    """
    x, layer = question.tensor, maps.layer

    def repeats(index: Tensor) -> bool:
        return once and len(index) > len(x)

    def build(index: Tensor) -> Tensor:
        return x if repeats(index) else x[maps.row(index)]

    def without(index: Tensor) -> Edit:
        kept = x.new_ones(len(index), maps.values.shape[1])
        kept.scatter_(1, maps.channel(index).unsqueeze(1), 0)

        def change(output: Tensor) -> Tensor:
            copied = output[maps.row(index)] if repeats(index) else output
            return copied * layer.spread(kept)

        return Edit(layer.name, layer.calls, change)

    def score(output: Tensor, index: Tensor) -> Tensor:
        return question.target.score(output, maps.row(index))

    yield from question.passes.scores(count, build, score, without)


def _once_is_enough(question: Question, maps: Maps) -> bool:
    """Whether all that the score sees goes through the layer, as far as a few channels can tell.

    Tried with one evaluation more than there are inputs: a connection around the layer then carries
    one row too few, which fails, or, for a single input, is the same for all channels anyway.
    """
    count = min(len(question.tensor) + 1, maps.channels.numel())
    try:
        fast, safe = (
            torch.cat([scores for _, scores in _ablated(question, maps, count, once)])
            for once in (True, False)
        )
    except (ModelError, RuntimeError):
        return False
    return torch.allclose(fast, safe, rtol=1e-4, atol=1e-5)


__all__ = ["AblationCAM", "ChannelCAM", "ScoreCAM"]
