"""The leakage light: do concepts carry more than they are called?

A joint model with a low concept weight hides the class in the probabilities of its concepts. As
they are corrected, that is taken away, and the class gets worse (Mahinpei et al. 2021, Margeloiu et
al. 2021). The other way round nothing follows: a model whose class never gets worse may leak, too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from nbxplain.concepts.bottleneck.base import Bottleneck
from nbxplain.concepts.bottleneck.curve import InterventionCurve, intervention_curve
from nbxplain.evaluation.check import CANNOT_TELL, Check
from nbxplain.evidence import Verdict, graded
from nbxplain.figure import Drawing, Style

SOUND, LEAKY = 0.02, 0.05
"""Falls in accuracy up to which nothing is seen to leak, and above which it is."""
SURE = 2.0
"""Standard errors that a fall must exceed."""


@dataclass(frozen=True, repr=False)
class Leakage(Check):
    """The largest fall of accuracy between a number of corrected concepts and a larger one."""

    name: ClassVar[str] = "leakage"
    label: ClassVar[str] = "Leakage"

    curve: InterventionCurve

    @property
    def steps(self) -> tuple[int, int]:
        """The numbers of corrected concepts between which accuracy falls most."""
        accuracy = self.curve.accuracy
        pairs = [(i, j) for j in range(len(accuracy)) for i in range(j + 1)]
        return max(pairs, key=lambda pair: accuracy[pair[0]] - accuracy[pair[1]])

    @property
    def error(self) -> float:
        """The standard error of the fall: over inputs, each compared with itself."""
        right = self.curve.right.double().mean(0)
        each = right[self.steps[0]] - right[self.steps[1]]
        return float(each.std()) / math.sqrt(len(each)) if len(each) > 1 else math.inf

    @property
    def score(self) -> float:
        """The fall; nan for a model that is nowhere better than the commonest class."""
        low = self.curve.band[0]
        if max(low) <= self.curve.chance:
            return math.nan
        first, last = self.steps
        return self.curve.accuracy[first] - self.curve.accuracy[last]

    @property
    def verdict(self) -> Verdict:
        """good up to 2 points, poor above 5 where that exceeds two standard errors, else weak."""
        found = graded(self.score, SOUND, LEAKY)
        return "weak" if found == "poor" and self.score <= SURE * self.error else found

    @property
    def value(self) -> str:
        return CANNOT_TELL if math.isnan(self.score) else f"{100 * self.score:.0f} points lost"

    @property
    def reading(self) -> str:
        if math.isnan(self.score):
            return f"{CANNOT_TELL}: the class is never better than the commonest one"
        first, last = self.steps
        fall = (
            f"accuracy falls from {self.curve.accuracy[first]:.2f} with {first} to "
            f"{self.curve.accuracy[last]:.2f} with {last} concepts corrected"
        )
        if self.verdict == "good":
            points = f"largest fall {100 * self.score:.1f} points, good up to {100 * SOUND:g}"
            return f"corrected concepts do not make the class worse ({points})"
        if self.verdict == "weak":
            return f"{fall}: not enough to be sure (threshold {100 * LEAKY:g} points)"
        return (
            f"the concepts leak: {fall} (threshold {100 * LEAKY:g} points); as predicted they are "
            f"right in {100 * self.curve.concept_accuracy:.0f} %"
        )

    def draw(self, style: Style, row: int = 0) -> Drawing:
        from nbxplain.concepts.bottleneck.figure import draw_leakage

        return draw_leakage(self, style)


def leakage(
    model: Bottleneck,
    inputs: Any,
    concept_labels: Any,
    class_labels: Any,
    seeds: int | Sequence[int] = 10,
    *,
    progress: bool | None = None,
) -> Leakage:
    """Whether the class gets worse as concepts are corrected in random order.

    Arguments and errors as of intervention_curve; `Leakage(curve)` reads a curve that is there.
    """
    labels = concept_labels, class_labels
    return Leakage(intervention_curve(model, inputs, *labels, "random", seeds, progress=progress))
