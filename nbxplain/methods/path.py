"""Integrated gradients: the gradient averaged along the way from a baseline to the input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from nbxplain.core.baseline import Baseline
from nbxplain.methods.base import Group, Method, Partial, Path, Question, add_rows, parameter
from nbxplain.methods.quadrature import Rule, rule

PATH_MAPS = 16
"""Cumulative maps kept for scrubbing the path of one picture."""


class IntegratedGradients(Method):
    """(x - x') times the mean gradient between the baseline x' and the input x.

    Sums to f(x) - f(x') up to the error of the quadrature, which is reported as the completeness
    gap. Several baselines are averaged. Sundararajan, Taly, Yan 2017, equation 1.
    """

    name: ClassVar[str] = "integrated_gradients"
    label: ClassVar[str] = "Integrated Gradients"
    group: ClassVar[Group] = "path"
    cost: ClassVar[int] = 2
    resumable: ClassVar[bool] = True

    steps: int = parameter(
        64,
        "Intervals on the path; powers of two use every point best.",
        ge=2,
        le=1024,
        draft=8,
        log=True,
    )
    quadrature: Rule = parameter("nested", "Where the gradient is taken, and with what weight.")
    # From left to right: a tensor is one baseline, not a sequence of its rows.
    baseline: Baseline | Annotated[tuple[Baseline, ...], Field(min_length=1)] = parameter(
        Baseline(), "The input that stands for nothing there.", union_mode="left_to_right"
    )

    def run(self, question: Question) -> Iterator[Partial]:
        """Yields the estimate after each chunk of (point, baseline, input) triples."""
        baselines = self.baseline if isinstance(self.baseline, tuple) else (self.baseline,)
        x = question.tensor
        references = torch.stack([b.tensor_for(question.inputs, x.device) for b in baselines])
        integral = _Integral(question, references, *rule(self.quadrature, self.steps))
        yield from integral.partials()


class _Integral:
    """The running sum over (point, baseline, input) triples, point by point."""

    def __init__(
        self, question: Question, references: Tensor, points: object, weights: object
    ) -> None:
        self.question, self.references = question, references
        x = question.tensor
        self.points = torch.as_tensor(points, dtype=x.dtype, device=x.device)
        self.weights = torch.as_tensor(weights, dtype=x.dtype, device=x.device)
        self.kinds, self.rows = references.shape[0], x.shape[0]
        self.sum = x.new_zeros(references.shape)
        self.weight = x.new_zeros(self.kinds, self.rows)
        self.scores = x.new_full((self.kinds, self.rows, len(self.points)), torch.nan)
        self.slopes = torch.full_like(self.scores, torch.nan)
        self.bins = x.new_zeros(PATH_MAPS, *x.shape[2:]) if x.ndim == 4 and self.rows == 1 else None

    def partials(self) -> Iterator[Partial]:
        x, question = self.question.tensor, self.question
        count = len(self.points) * self.kinds * self.rows

        def build(rows: Tensor) -> Tensor:
            point, kind, row = self._split(rows)
            alpha = self.points[point].view(-1, *[1] * (x.ndim - 1))
            return torch.lerp(self.references[kind, row], x[row], alpha)

        def score(output: Tensor, rows: Tensor) -> Tensor:
            return question.target.score(output, self._split(rows)[2])

        done = 0
        for result in question.passes.gradients(count, build, score):
            if not done:
                # After the first chunk, which has found the faster layout.
                self.starts, self.finals = self._ends()
            self._add(result.rows, result.scores, result.gradient)
            done += len(result.rows)
            yield self._partial(done, count)

    def _ends(self) -> tuple[Tensor, Tensor]:
        """The scores of the baselines (kinds, N) and of the inputs (N,), in one run."""
        places = torch.cat([self.references, self.question.tensor.unsqueeze(0)])
        scores = self.question.scores(places.flatten(0, 1)).view(-1, self.rows)
        return scores[:-1], scores[-1]

    def _split(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        point, rest = rows // (self.kinds * self.rows), rows % (self.kinds * self.rows)
        return point, rest // self.rows, rest % self.rows

    def _add(self, rows: Tensor, scores: Tensor, gradient: Tensor) -> None:
        point, kind, row = self._split(rows)
        weight = self.weights[point]
        scaled = gradient * weight.view(-1, *[1] * (gradient.ndim - 1))
        group = kind * self.rows + row
        add_rows(self.sum.flatten(0, 1), group, scaled)
        add_rows(self.weight.flatten(), group, weight)
        difference = self.question.tensor[row] - self.references[kind, row]
        slope = gradient * difference
        self.scores[kind, row, point] = scores
        self.slopes[kind, row, point] = slope.flatten(1).sum(1)
        if self.bins is not None:
            self._add_to_bins(self.points[point], slope.sum(1) * weight.view(-1, 1, 1) / self.kinds)

    def _add_to_bins(self, alpha: Tensor, slope: Tensor) -> None:
        """A point on the border of two bins counts half in each."""
        assert self.bins is not None
        position = alpha.double() * PATH_MAPS
        for shift in (-1e-9, 1e-9):
            index = (position + shift).floor().clamp(0, PATH_MAPS - 1).long()
            add_rows(self.bins, index, slope / 2)

    def _partial(self, done: int, total: int) -> Partial:
        x = self.question.tensor
        share = self.weight.clamp(min=1e-30).view(self.kinds, self.rows, *[1] * (x.ndim - 1))
        values = ((x - self.references) * self.sum / share).mean(0)
        change = self.finals - self.starts.mean(0)
        gap = values.flatten(1).sum(1) - change
        return Partial(
            values=values,
            done=done,
            total=total,
            error=float((gap.abs() / change.abs().clamp(min=1e-6)).mean()),
            base_value=self.starts.mean(0),
            evidence={"completeness_gap": gap, "score_change": change},
            path=self._path() if done == total else None,
        )

    def _path(self) -> Path:
        order = self.points.argsort()
        weighted = (self.slopes * self.weights).mean(0)[:, order]
        maps = None if self.bins is None else _cumulative(self.bins)
        return Path(
            alpha=self.points[order],
            score=self.scores.mean(0)[:, order],
            accumulated=weighted.cumsum(1),
            baseline=self.references[0],
            map_alpha=None if maps is None else torch.linspace(0, 1, PATH_MAPS + 1),
            maps=maps,
        )


def _cumulative(bins: Tensor) -> Tensor:
    """(m, H, W) to (m + 1, 1, H, W): nothing at alpha 0, everything at 1."""
    return torch.cat([torch.zeros_like(bins[:1]), bins.cumsum(0)]).unsqueeze(1)
