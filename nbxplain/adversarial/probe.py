"""What an attack works on: inputs in the units a person sees, and how near they are to another
class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import InputError, MethodError, TargetError
from nbxplain.core.inputs import Inputs
from nbxplain.core.passes import Passes, Score
from nbxplain.core.target import Label, class_index

WITHIN = 1e-3
"""How far outside 0 to 1 pixels may lie before the box is given up."""

Labels = Label | Sequence[Label] | Tensor | None


@dataclass
class Seen:
    """For inputs (B, ...): the loss's gradient at them, the loss (B,) and the margin (B,)."""

    gradient: Tensor
    loss: Tensor
    margin: Tensor


class Probe:
    """Inputs whose class an attack wants to change.

    `clean` (N, ...) is in pixels from 0 to 1 for pictures, in the model's units for tables. The
    margin is positive where the attack has won: the best other class's score less the true one's,
    or, with `toward`, the wanted class's less the best other one's. Raises ExplanationError.
    """

    def __init__(
        self, adapter: ModelAdapter, inputs: Inputs, passes: Passes, truth: Labels, toward: Labels
    ) -> None:
        self.adapter, self.inputs, self.passes = adapter, inputs, passes
        self.space = inputs.pixels
        x = inputs.tensor
        self.clean = x if self.space is None else self.space.to_pixels(x)
        self.output = two_sided(adapter.outputs(x))
        self.names = adapter.labels(self.output.shape[1])
        predicted = self.output.argmax(1)
        self.truth = predicted if truth is None else self._classes(truth)
        self.toward = None if toward is None else self._classes(toward)
        if self.toward is not None and bool((self.toward == self.truth).any()):
            raise TargetError(
                "An input is of the wanted class already.", "Choose another class in toward=."
            )
        boxed = self.space is not None and bool(
            ((self.clean >= -WITHIN) & (self.clean <= 1 + WITHIN)).all()
        )
        self.box = (0.0, 1.0) if boxed else None

    def __len__(self) -> int:
        return len(self.clean)

    def boxed(self, pixels: Tensor) -> Tensor:
        """The nearest picture that a screen can show; tables have no such bound."""
        return pixels if self.box is None else pixels.clamp(*self.box)

    def feasible(self, slope: Tensor, pixels: Tensor) -> Tensor:
        """The slope without the places that could only follow it out of the box."""
        if self.box is None:
            return slope
        low, high = self.box
        blocked = ((pixels <= low) & (slope < 0)) | ((pixels >= high) & (slope > 0))
        return slope.masked_fill(blocked, 0)

    def to_model(self, pixels: Tensor) -> Tensor:
        """Inputs as the model gets them."""
        return pixels if self.space is None else self.space.to_model(pixels)

    def look(self, pixels: Tensor, row: Tensor) -> Seen:
        """Loss, gradient and margin of inputs (B, ...) that are variants of rows (B,)."""
        margin = pixels.new_zeros(len(pixels))

        def score(output: Tensor, rows: Tensor) -> Tensor:
            scores = two_sided(output)
            margin[rows] = self.margin(scores.detach(), row[rows])
            return self._loss(scores, row[rows])

        loss, gradient = self._differentiate(pixels, score)
        return Seen(gradient, loss, margin)

    def difference(self, pixels: Tensor, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """The score of class `one` (B,) less that of `other` (B,), and its gradient."""

        def score(output: Tensor, rows: Tensor) -> Tensor:
            scores = two_sided(output)
            pair = torch.stack([one[rows], other[rows]], 1)
            return scores.gather(1, pair) @ scores.new_tensor([1.0, -1.0])

        return self._differentiate(pixels, score)

    def _differentiate(self, pixels: Tensor, score: Score) -> tuple[Tensor, Tensor]:
        values, gradient = pixels.new_zeros(len(pixels)), torch.zeros_like(pixels)
        build = self._builder(pixels)
        for part in self.passes.gradients(len(pixels), build, score):
            values[part.rows], gradient[part.rows] = part.scores, part.gradient
        if self.space is None:
            return values, gradient
        # The chain rule through the normalisation: one pixel unit is 1 / std of the model's.
        return values, self.space.to_model(gradient) - self.space.to_model(
            torch.zeros_like(gradient)
        )

    def scores(self, pixels: Tensor) -> Tensor:
        """The scores (B, K) of inputs."""
        with self.adapter.lock:
            return two_sided(self.adapter.outputs(self.to_model(pixels)))

    def margins(self, pixels: Tensor, row: Tensor) -> Tensor:
        """The margins (B,) of inputs, by forward passes alone."""
        return self.margin(self.scores(pixels), row)

    def _builder(self, pixels: Tensor) -> Callable[[Tensor], Tensor]:
        return lambda rows: self.to_model(pixels[rows])

    def _loss(self, scores: Tensor, row: Tensor) -> Tensor:
        if self.toward is not None:
            return -F.cross_entropy(scores, self.toward[row], reduction="none")
        return F.cross_entropy(scores, self.truth[row], reduction="none")

    def margin(self, scores: Tensor, row: Tensor) -> Tensor:
        """The margins (B,) of scores (B, K)."""
        own = (self.truth if self.toward is None else self.toward)[row].unsqueeze(1)
        score = scores.gather(1, own).squeeze(1)
        other = scores.scatter(1, own, -torch.inf).amax(1)
        return other - score if self.toward is None else score - other

    def _classes(self, given: Labels) -> Tensor:
        """Class indices (N,) of labels, one for all or one a row. Raises TargetError."""
        if isinstance(given, Tensor):
            given = given.tolist()
        items = list(given) if isinstance(given, list | tuple) else [given] * len(self.clean)
        if len(items) != len(self.clean):
            raise TargetError(
                f"{len(items)} labels were given for {len(self.clean)} inputs.",
                "Give one for all, or one for each.",
            )
        found = [class_index(item, len(self.names), self.names) for item in items]
        return torch.tensor(found, device=self.clean.device)


def two_sided(output: Tensor) -> Tensor:
    """Scores (N, K) of at least two classes: a single score is that of the second of two."""
    if output.ndim != 2:
        raise InputError(
            f"The model's output has shape {tuple(output.shape)}, not (N, classes).",
            "Pick the scores of the classes with output=.",
        )
    return output if output.shape[1] > 1 else torch.cat([torch.zeros_like(output), output], 1)


OPTIONS = ("preprocess", "labels", "output", "device")
"""The arguments of explain that say how the model is to be called."""


def probe(model: nn.Module, inputs: Any, truth: Labels, toward: Labels, /, **options: Any) -> Probe:
    """The probe of the user's arguments; options: OPTIONS. Raises MethodError for others."""
    for name in options:
        if name not in OPTIONS:
            raise MethodError(
                f"There is no argument {name!r} here.",
                "The class to reach is toward= (a robustness curve has none), the true class "
                f"truth=; as in explain there are {', '.join(OPTIONS)}.",
            )
    adapter = ModelAdapter(model, **options)
    return Probe(adapter, adapter.read(inputs), Passes(adapter), truth, toward)


__all__ = ["Labels", "Probe", "Seen", "probe", "two_sided"]
