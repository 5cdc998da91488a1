"""Where a concept matters to a score, and where a layer sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from torch import Tensor

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.cav import CAV
from nbxplain.core.errors import MethodError
from nbxplain.core.inputs import Inputs
from nbxplain.core.passes import Pass
from nbxplain.methods.base import Group, Method, Partial, Question, parameter
from nbxplain.methods.cam import spatial


class ConceptMap(Method):
    """Where more of a concept would change the score, or where a layer sees the concept.

    effect: gradient times direction, cell by cell. It sums to the directional derivative of the
    score along the unit direction, which is what TCAV takes the sign of (Kim et al. 2018).
    presence: activation times direction, from 0 (as what the concept was told from) to 1 (as the
    concept's pictures are on average), in every cell. `concept` is a CAV, or a ConceptScore; the
    layer is the one it was found at. Raises MethodError without a concept.
    """

    name: ClassVar[str] = "concept_map"
    label: ClassVar[str] = "Concept map"
    group: ClassVar[Group] = "concept"
    cost: ClassVar[int] = 1
    plain: ClassVar[bool] = True
    needs_picture: ClassVar[bool] = True
    needs_layer: ClassVar[bool] = True
    needs_concept: ClassVar[bool] = True

    concept: CAV | None = parameter(None, "The concept's direction, as nbxplain.tcav finds it.")
    show: Literal["effect", "presence"] = parameter(
        "effect", "What more of the concept would do to the score, or how much of it is there."
    )

    @classmethod
    def lacks(cls, adapter: ModelAdapter, inputs: Inputs) -> str | None:
        """A concept, unless something else is missing already."""
        return super().lacks(adapter, inputs) or "needs a concept: test one, then ask for its map"

    @property
    def bound(self) -> str | None:
        return None if self.concept is None else self.concept.layer

    def run(self, question: Question) -> Iterator[Partial]:
        """Yields the maps of the inputs done so far."""
        if self.concept is None:
            raise MethodError(
                "A concept map needs a concept.",
                "Give concept=, for example nbxplain.tcav(...).of('striped').",
            )
        self.concept.check(question.adapter)
        layer, x = spatial(question), question.tensor
        field = self.concept.field(layer).to(x)
        values, slopes = x.new_zeros(len(x), 1, *(layer.grid or ())), x.new_zeros(len(x))
        done = 0
        for part in question.passes.gradients(
            len(x), lambda rows: x[rows], question.target.score, layer.name
        ):
            values[part.rows] = layer.maps(self._along(part, field)).sum(1, keepdim=True)
            slopes[part.rows] = (part.gradient * field).flatten(1).sum(1)
            done += len(part.rows)
            evidence = {"directional_derivative": slopes.clone()}
            yield Partial(self._scaled(values), done, len(x), evidence=evidence)

    def _along(self, part: Pass, field: Tensor) -> Tensor:
        assert part.activation is not None
        return (part.gradient if self.show == "effect" else part.activation) * field

    def _scaled(self, values: Tensor) -> Tensor:
        """A copy; of presence so that 0 is where the others lie, and 1 the concept."""
        if self.show == "effect":
            return values.clone()
        assert self.concept is not None
        places = 1 if self.concept.space == "channels" else values[0].numel()
        scaled: Tensor = (values - self.concept.origin / places) / self.concept.distance
        return scaled


__all__ = ["ConceptMap"]
