"""What the model says of pictures: whether it agrees, how clearly, and which change would help."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.capture import Capture
from nbxplain.core.errors import LayerError
from nbxplain.core.inputs import Inputs
from nbxplain.core.layers import Layer, find
from nbxplain.core.passes import Passes
from nbxplain.counterfactuals.search import CLEAR
from nbxplain.counterfactuals.wish import Wish


@dataclass(frozen=True)
class Likeness:
    """Features of examples at a layer, each channel's mean over places: their means and standard
    deviations (C,), of which none counts as smaller than the average one."""

    layer: Layer
    mean: Tensor
    deviation: Tensor
    count: int

    @property
    def described(self) -> str:
        """What it is, for the provenance."""
        return f"{self.count} at {self.layer.name}"

    @classmethod
    def of(
        cls, adapter: ModelAdapter, passes: Passes, examples: Inputs, layer: str | None
    ) -> Likeness:
        """Raises LayerError where the model has no layer of maps to be told."""
        known = adapter.layers(examples.tensor[:1], suggest=layer is None)
        suggested = next((one.name for one in known if one.suggested), None)
        if layer is None and suggested is None:
            raise LayerError("The model has no layer of maps.", "Give layer= for likeness.")
        chosen = find(layer or suggested or "", known, adapter.replica())
        x = examples.tensor
        seen = [
            _means(part, chosen)
            for _, part in passes.activations(len(x), lambda rows: x[rows], chosen.name)
        ]
        features = torch.cat(seen)
        deviation = features.std(0, correction=0)
        typical = deviation.mean() if bool((deviation > 0).any()) else features.abs().mean()
        floor = float(typical.clamp(min=1e-6))
        return cls(chosen, features.mean(0), deviation.clamp(min=floor), len(x))

    def distance(self, activation: Tensor) -> Tensor:
        """The mean squared distance (n,), in deviations."""
        apart = (_means(activation, self.layer) - self.mean) / self.deviation
        return apart.square().mean(1)


def _means(activation: Tensor, layer: Layer) -> Tensor:
    """The mean over places (n, C) of each channel."""
    maps = layer.maps(activation)
    return maps.flatten(2).mean(2) if maps.ndim > 2 else maps


@dataclass(frozen=True)
class Said:
    """Of pictures: the scores (k, K); and (k,) the margin of the desired class, its probability
    (NaN where there is none), and whether that is enough. Valid is what is decided as desired."""

    scores: Tensor
    margin: Tensor
    probability: Tensor
    enough: Tensor

    @property
    def predicted(self) -> Tensor:
        """The class (k,) that wins."""
        return self.scores.argmax(1)

    @property
    def valid(self) -> Tensor:
        return self.margin > CLEAR

    def repeated(self, count: int) -> Said:
        """Of one picture, as of several."""
        return Said(*(value.expand(count, *value.shape[1:]) for value in vars(self).values()))

    def where(self, better: Tensor, other: Said) -> Said:
        """The other's where that is `better` (k,)."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Said(
            *(torch.where(better.view(-1, *[1] * (old.ndim - 1)), new, old) for old, new in pairs)
        )


@dataclass(frozen=True)
class Agreement:
    """The model asked about pictures: does it decide as desired, and what would help?"""

    adapter: ModelAdapter
    passes: Passes
    wish: Wish
    probability: float | None
    likeness: Likeness | None
    weight: float

    def said(self, pictures: Tensor) -> Said:
        """What it says of model inputs (k, C, H, W)."""
        output: list[Tensor] = [
            part
            for _, part in self.passes.scores(
                len(pictures), lambda rows: pictures[rows], lambda output, _: output
            )
        ]
        return self.judged(torch.cat(output))

    def judged(self, output: Tensor) -> Said:
        """What an output (k, K) means for the wish."""
        margin = self.wish.margin(output)
        share = self._share(output)
        enough = margin > CLEAR
        if self.probability is not None:
            enough &= share.isnan() | (share >= self.probability)
        return Said(output, margin, share, enough)

    def distance(self, pictures: Tensor) -> Tensor:
        """The distance (k,) from the examples; 0 where there are none."""
        if self.likeness is None:
            return pictures.new_zeros(len(pictures))
        name = self.likeness.layer.name
        parts = self.passes.activations(len(pictures), lambda rows: pictures[rows], name)
        return torch.cat([self.likeness.distance(part) for _, part in parts])

    def slope(self, pictures: Tensor, enough: Tensor) -> tuple[Tensor, Said]:
        """The gradient (k, C, H, W) towards the wish and the examples at model inputs, and what is
        said of them. Where it is `enough` (k,), and here too, only the examples count."""
        slope = torch.zeros_like(pictures)
        outputs: dict[int, Tensor] = {}
        # Nobody else runs the replica while it is listened to.
        with self.adapter.lock, self._listening() as seen:

            def score(output: Tensor, rows: Tensor) -> Tensor:
                outputs.update(zip(rows.tolist(), output.detach(), strict=True))
                done = enough[rows] & self.judged(output.detach()).enough
                gain = torch.where(done, 0.0, self._gain(output))
                if self.likeness is None or seen is None:
                    return gain
                activation = seen.outputs[self.likeness.layer.name]
                return gain - self.weight * self.likeness.distance(activation)

            for part in self.passes.gradients(len(pictures), lambda rows: pictures[rows], score):
                slope[part.rows] = part.gradient
        return slope, self.judged(torch.stack([outputs[row] for row in range(len(pictures))]))

    def _listening(self) -> AbstractContextManager[Capture | None]:
        if self.likeness is None:
            return nullcontext()
        return Capture(self.adapter.replica(), [self.likeness.layer.name])

    def _gain(self, output: Tensor) -> Tensor:
        """What rises (n,) with agreement: the log of the probability, else the margin."""
        if self.wish.interval is not None:
            return self.wish.margin(output)
        shares = self.adapter.probabilities(output)
        if shares is None:
            return self.wish.margin(output)
        # Scores that are probabilities already come back as they are.
        logs = shares.clamp(min=1e-30).log() if shares is output else output.log_softmax(1)
        return logs[:, self.wish.index]

    def _share(self, output: Tensor) -> Tensor:
        shares = None if self.wish.interval is not None else self.adapter.probabilities(output)
        if shares is None:
            return output.new_full((len(output),), torch.nan)
        return shares[:, self.wish.index]


__all__ = ["Agreement", "Likeness", "Said"]
