"""What a test with concept activation vectors found: scores, and whether they hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from nbxplain.concepts.directions import Estimator
from nbxplain.core.cav import CAV, Space
from nbxplain.core.errors import InputError


@dataclass(frozen=True)
class ConceptScore:
    """One concept at one layer.

    score: share of the class's pictures whose logit grows along the concept, mean over runs;
    `runs` (runs,) holds each. magnitude: by how much the logit changes, to first order, when a
    picture is moved along the direction as far as the concept lies from random pictures; `null`
    (R,) holds what sets without the concept give. A derivative along the unit direction would be as
    large for chance sets, whose directions are short but follow the same main axes. p: of the
    magnitude, by permutation; q: corrected for all concepts and layers. accuracy: of the direction
    on held-out pictures, 0.5 is chance; accuracy_p: how often a set without the concept reaches
    it. literature_p: the usual t-test, for comparison alone. derivatives (J,): the same change
    for each of the class's pictures.
    direction (d,): unit length, mean over runs; the concept lies `distance` along it from random
    pictures, which lie at `origin`.
    """

    concept: str
    layer: str
    estimator: Estimator
    score: float
    runs: Tensor
    random_scores: Tensor
    magnitude: float
    null: Tensor
    p: float
    q: float
    accuracy: float
    accuracy_p: float
    literature_p: float
    derivatives: Tensor
    direction: Tensor
    distance: float
    origin: float
    space: Space
    weights: str
    alpha: float

    @property
    def cav(self) -> CAV:
        """The direction as an object for concept maps and steering. Raises InputError."""
        if not self.distance > 0:
            raise InputError(
                f"{self.concept} does not lie apart from random pictures at {self.layer}.",
                "There is no direction to follow: choose another layer.",
            )
        return CAV.of(
            self.layer, self.direction, name=self.concept, space=self.space,
            distance=self.distance, origin=self.origin, weights=self.weights,
        )  # fmt: skip

    @property
    def order(self) -> list[int]:
        """The class's pictures, from the one whose score the concept raises most."""
        return [int(row) for row in self.derivatives.argsort(descending=True, stable=True)]

    @property
    def found(self) -> bool:
        """True when the layer tells the concept from random pictures better than chance."""
        return self.accuracy_p <= self.alpha and self.accuracy > 0.5

    @property
    def significant(self) -> bool:
        """True when the concept was found, and matters to the class more than chance would."""
        return self.found and self.q <= self.alpha

    @property
    def verdict(self) -> str:
        """The finding in words."""
        if not self.found:
            return (
                f"{self.layer} does not tell {self.concept} from random pictures "
                f"(held out {self.accuracy:.2f}, p {self.accuracy_p:.2g}): no score."
            )
        if not self.significant:
            return (
                f"{self.concept} is seen at {self.layer}, but moves the class no more than sets "
                f"without it do (q {self.q:.2g})."
            )
        way = "towards" if self.magnitude > 0 else "away from"
        return f"{self.concept} at {self.layer} moves the model {way} the class (q {self.q:.2g})."


@dataclass
class TCAV:
    """The scores of all concepts at all layers; `done` of `total` counts pictures and tests."""

    target: str
    scores: list[ConceptScore] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    done: int = 0
    total: int = 1

    @property
    def complete(self) -> bool:
        return self.done >= self.total

    def of(self, concept: str, layer: str | None = None) -> ConceptScore:
        """The score of one concept, at the first layer unless named. Raises InputError."""
        for score in self.scores:
            if score.concept == concept and layer in (None, score.layer):
                return score
        known = ", ".join(f"{s.concept} at {s.layer}" for s in self.scores)
        raise InputError(f"There is no score of {concept!r} at {layer!r}.", f"There are: {known}.")

    def summary(self) -> str:
        """One line a concept and layer; a score that does not hold is not given."""
        lines = [f"concepts for {self.target}"]
        for s in self.scores:
            given = f"{s.score:.2f}, {s.magnitude:+.3g} logits" if s.significant else "no score"
            lines.append(f"{s.concept} at {s.layer}: {given}. {s.verdict}")
        return "\n".join([*lines, *self.notices])

    def __repr__(self) -> str:
        return f"<TCAV of {self.target}: {len(self.scores)} scores>"

    def figure(self, **options: Any) -> Any:
        """Magnitudes with what chance gives behind them; options as in nbxplain.figure.Style."""
        from nbxplain.concepts.figure import draw_scores

        return draw_scores(self, **options)


__all__ = ["TCAV", "ConceptScore"]
