"""Gradients at the input, and their statistics under noise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from torch import Tensor

from nbxplain.core.errors import MethodError
from nbxplain.core.rules import RuleSet
from nbxplain.methods.base import (
    Group,
    Method,
    Partial,
    Question,
    add_rows,
    parameter,
    relative,
)


class Gradient(Method):
    """df/dx: how the score changes with each input value. Simonyan, Vedaldi, Zisserman 2014."""

    name: ClassVar[str] = "gradient"
    label: ClassVar[str] = "Gradient"
    group: ClassVar[Group] = "gradient"
    cost: ClassVar[int] = 1
    plain: ClassVar[bool] = True

    def run(self, question: Question) -> Iterator[Partial]:
        """One gradient pass per input."""
        yield from gradients(question)


class InputXGradient(Method):
    """x times df/dx: complete for a ReLU network without biases. Shrikumar et al. 2016."""

    name: ClassVar[str] = "input_x_gradient"
    label: ClassVar[str] = "Input × Gradient"
    group: ClassVar[Group] = "gradient"
    cost: ClassVar[int] = 1
    plain: ClassVar[bool] = True

    def run(self, question: Question) -> Iterator[Partial]:
        """One gradient pass per input; the sum is compared with the score."""
        scores = question.tensor.new_zeros(len(question.tensor))
        for partial in gradients(question, scores):
            partial.values = partial.values * question.tensor
            if partial.done == partial.total:
                total = partial.values.flatten(1).sum(1)
                partial.evidence = {"conservation_gap": total - scores, "score": scores}
            yield partial


def gradients(
    question: Question, scores: Tensor | None = None, rules: RuleSet | None = None
) -> Iterator[Partial]:
    """The gradient at each input, under backward rules if given; `scores` (N,) is filled."""
    x, passes, score = question.tensor, question.passes, question.target.score
    values, done = torch.zeros_like(x), 0

    def build(rows: Tensor) -> Tensor:
        return x[rows]

    count = len(x)
    for result in (
        passes.propagate(count, build, score, rules)
        if rules
        else passes.gradients(count, build, score)
    ):
        values[result.rows] = result.gradient
        if scores is not None:
            scores[result.rows] = result.scores
        done += len(result.rows)
        yield Partial(values.clone(), done, len(x))


class SmoothGrad(Method):
    """The gradient's statistics over copies of the input with Gaussian noise.

    mean is SmoothGrad (Smilkov et al. 2017), square the mean of squares and variance the variance
    (Adebayo et al. 2018). Without noise mean equals the gradient.
    """

    name: ClassVar[str] = "smoothgrad"
    label: ClassVar[str] = "SmoothGrad"
    group: ClassVar[Group] = "gradient"
    cost: ClassVar[int] = 2
    resumable: ClassVar[bool] = True

    samples: int = parameter(32, "Noisy copies.", ge=1, le=1024, draft=4, log=True)
    noise: float = parameter(
        0.15, "Standard deviation of the noise, as a share of the input's range.", ge=0, le=1
    )
    statistic: Literal["mean", "square", "variance"] = parameter(
        "mean", "What is kept of the gradients: their mean, mean square, or variance."
    )
    seed: int = parameter(0, "Seed of the noise.", ge=0, le=9999)

    def run(self, question: Question) -> Iterator[Partial]:
        """Yields the statistic after each chunk, with its standard error."""
        if self.statistic == "variance" and self.samples < 2:
            raise MethodError("A variance needs at least two samples.", "Raise samples.")
        x = question.tensor
        rows = len(x)
        draws = Noise(x, self.noise, self.seed)
        # Without noise all copies are the same: one of them is the gradient itself, bit for bit.
        total = (self.samples if self.noise else 1) * rows

        def build(index: Tensor) -> Tensor:
            return x[index % rows] + draws.take(index)

        def score(output: Tensor, index: Tensor) -> Tensor:
            return question.target.score(output, index % rows)

        moments = Moments(x)
        done = 0
        for result in question.passes.gradients(total, build, score):
            moments.add(result.rows % rows, result.gradient)
            done += len(result.rows)
            yield self._partial(moments, done, total)

    def _partial(self, moments: Moments, done: int, total: int) -> Partial:
        values, error = moments.statistic(self.statistic)
        known = bool((moments.count >= 2).all())
        share = relative(error, values) if known else None
        evidence = {}
        if known:
            sizes = values.flatten(1).norm(dim=1).clamp(min=1e-30)
            evidence["standard_error"] = error.flatten(1).norm(dim=1) / sizes
        return Partial(values, done, total, share, evidence=evidence)


class Noise:
    """Gaussian noise for copies of a batch: each copy has its own draw, the same for every row.

    The noise of a copy depends on its number and the seed alone, so it depends neither on the chunk
    size nor on the device, and a batch equals its rows one by one.
    """

    def __init__(self, x: Tensor, share: float, seed: int) -> None:
        self._x, self._seed = x, seed
        flat = x.flatten(1)
        self._scale = (share * (flat.amax(1) - flat.amin(1))).view(-1, *[1] * (x.ndim - 1))

    def take(self, index: Tensor) -> Tensor:
        """The noise (n, ...) of copies `index` // rows for rows `index` % rows."""
        rows = len(self._x)
        copies = (index // rows).tolist()
        drawn = {copy: self._draw(copy) for copy in dict.fromkeys(copies)}
        return torch.stack([drawn[copy] for copy in copies]) * self._scale[index % rows]

    def _draw(self, copy: int) -> Tensor:
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + copy)
        return torch.randn(self._x.shape[1:], generator=generator).to(self._x)


class Moments:
    """Running sums of powers of the gradient, of each row of a batch."""

    def __init__(self, like: Tensor) -> None:
        self.count = like.new_zeros(len(like))
        self._powers = like.new_zeros(4, *like.shape)
        self._shift = torch.zeros_like(like)
        self._seen: set[int] = set()

    def add(self, rows: Tensor, gradient: Tensor) -> None:
        """Adds gradients (n, ...) of the rows (n,)."""
        # Differences from the first gradient keep the powers from cancelling in float32.
        for position, row in enumerate(rows.tolist()):
            if row not in self._seen:
                self._seen.add(row)
                self._shift[row] = gradient[position]
        centred = gradient - self._shift[rows]
        for power in range(4):
            add_rows(self._powers[power], rows, centred ** (power + 1))
        add_rows(self.count, rows, torch.ones_like(self.count[rows]))

    def statistic(self, name: Literal["mean", "square", "variance"]) -> tuple[Tensor, Tensor]:
        """The statistic and its standard error, both of the batch's shape."""
        n = self.count.clamp(min=1).view(-1, *[1] * (self._shift.ndim - 1))
        m1, m2, m3, m4 = (power / n for power in self._powers)
        spread = (m2 - m1**2).clamp(min=0)
        if name == "mean":
            return self._shift + m1, (spread / (n - 1).clamp(min=1)).sqrt()
        if name == "variance":
            central4 = m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4
            variance = spread * n / (n - 1).clamp(min=1)
            return variance, ((central4 - spread**2).clamp(min=0) / n).sqrt()
        s = self._shift
        square = m2 + 2 * s * m1 + s**2
        fourth = m4 + 4 * s * m3 + 6 * s**2 * m2 + 4 * s**3 * m1 + s**4
        return square, ((fourth - square**2).clamp(min=0) / (n - 1).clamp(min=1)).sqrt()
