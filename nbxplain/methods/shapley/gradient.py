"""Gradient SHAP: the path integral of every pixel, averaged over a background."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor

from nbxplain.core.background import Background
from nbxplain.methods.base import Group, Method, Partial, Question, add_rows, parameter, relative
from nbxplain.methods.coalitions import Draws


class GradientShap(Method):
    """Expected gradients: (x - x') times the gradient between both, averaged over draws of x'.

    Each draw takes one sample x' of the background in turn and a random place on the straight way
    from it to the input x. Values per pixel or feature; they sum to f(x) - E[f(x')] up to
    the error of the draws, which is reported as the completeness gap. Erion et al. 2021.
    """

    name: ClassVar[str] = "gradient_shap"
    label: ClassVar[str] = "GradientSHAP"
    group: ClassVar[Group] = "Shapley"
    cost: ClassVar[int] = 2
    needs_gradient: ClassVar[bool] = True
    resumable: ClassVar[bool] = True

    samples: int = parameter(64, "Draws for each input.", ge=2, le=65536, draft=8, log=True)
    background: Background = parameter(
        Background.of("black", "white", "mean", "blur"),
        "Inputs that stand for nothing there, averaged over.",
    )
    seed: int = parameter(0, "Seed of the places on the way.", ge=0, le=9999)

    def run(self, question: Question) -> Iterator[Partial]:
        """Yields the mean so far, with its standard error and its completeness gap."""
        x = question.tensor
        references = self.background.tensors_for(question.inputs, x.device)
        kinds, rows = references.shape[:2]
        draws = Draws(1, self.seed, x.device)
        total, squares = torch.zeros_like(x), torch.zeros_like(x)
        done, all = 0, self.samples * rows
        ends: tuple[Tensor, Tensor] | None = None

        def place(index: Tensor) -> tuple[Tensor, Tensor]:
            row, number = index % rows, index // rows
            return row, references[number % kinds, row]

        def build(index: Tensor) -> Tensor:
            row, reference = place(index)
            alpha = draws.take(index // rows).view(-1, *[1] * (x.ndim - 1))
            return torch.lerp(reference, x[row], alpha.to(x))

        def score(output: Tensor, index: Tensor) -> Tensor:
            return question.target.score(output, index % rows)

        for part in question.passes.gradients(all, build, score):
            # After the first chunk, which has found the faster layout.
            ends = ends or (question.scores(x), _mean_score(question, references))
            row, reference = place(part.rows)
            values = part.gradient * (x[row] - reference)
            add_rows(total, row, values)
            add_rows(squares, row, values**2)
            done += len(row)
            yield _partial(total, squares, ends, done, all)


def _mean_score(question: Question, references: Tensor) -> Tensor:
    scores = question.scores(references.flatten(0, 1))
    return scores.view(references.shape[:2]).mean(0)


def _partial(
    total: Tensor, squares: Tensor, ends: tuple[Tensor, Tensor], done: int, all: int
) -> Partial:
    rows = len(total)
    row = torch.arange(rows, device=total.device)
    # Draws come to the rows in turn.
    count = (done - row + rows - 1).div(rows, rounding_mode="floor")
    share = count.clamp(min=1).view(-1, *[1] * (total.ndim - 1))
    values = total / share
    final, base = ends
    evidence = {
        "completeness_gap": values.flatten(1).sum(1) - (final - base),
        "score_change": final - base,
    }
    error = None
    if bool((count >= 2).all()):
        spread = ((squares / share - values**2).clamp(min=0) / (share - 1)).sqrt()
        error = relative(spread, values)
        sizes = values.flatten(1).norm(dim=1).clamp(min=1e-30)
        evidence["standard_error"] = spread.flatten(1).norm(dim=1) / sizes
    return Partial(values, done, all, error, base, evidence)


__all__ = ["GradientShap"]
