"""What a bottleneck says of inputs, before and after concepts are corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nbxplain.concepts.bottleneck.order import entropy
from nbxplain.core.counting import numbered
from nbxplain.figure import Drawing


@dataclass(frozen=True, repr=False)
class State:
    """Concepts and classes of N inputs.

    probabilities (N, C): of the concepts, as the model says. known (N, C): what was corrected, nan
    elsewhere. class_probabilities (N, K): what follows.
    """

    concepts: tuple[str, ...]
    classes: tuple[str, ...]
    probabilities: Tensor
    known: Tensor
    class_probabilities: Tensor

    @property
    def values(self) -> Tensor:
        """The concepts (N, C) that the classes follow from: corrected where they were."""
        return torch.where(self.known.isnan(), self.probabilities, self.known)

    @property
    def uncertainty(self) -> Tensor:
        """The entropy (N, C) of each concept in bits; 0 where it was corrected."""
        return entropy(self.probabilities).masked_fill(~self.known.isnan(), 0.0)

    @property
    def predicted(self) -> list[str]:
        """The most probable class of each input."""
        return [self.classes[place] for place in self.class_probabilities.argmax(1).tolist()]

    def corrections(self, row: int = 0) -> dict[str, float]:
        """What was corrected of an input.

        Raises InputError for an input that is not there, as everything of one input does.
        """
        row = numbered(row, len(self.known))
        said = zip(self.concepts, self.known[row].tolist(), strict=True)
        return {name: value for name, value in said if value == value}

    def as_dict(self, row: int = 0) -> dict[str, Any]:
        """One input's concepts and classes as JSON: what a panel shows.

        "next" names the concepts not corrected yet, the least sure first.
        """
        corrected, unsure = self.corrections(row), self.uncertainty[row]
        order = unsure.argsort(descending=True, stable=True).tolist()
        return {
            "concepts": list(self.concepts),
            "probabilities": self.probabilities[row].tolist(),
            "corrections": corrected,
            "uncertainty": unsure.tolist(),
            "next": [self.concepts[n] for n in order if self.concepts[n] not in corrected],
            "classes": list(self.classes),
            "class_probabilities": self.class_probabilities[row].tolist(),
            "predicted": self.predicted[row],
        }

    def __repr__(self) -> str:
        return f"<State of {len(self.known)} inputs: {', '.join(self.predicted[:5])}>"


@dataclass(frozen=True, repr=False)
class Intervention:
    """Concepts and classes before and after a correction."""

    before: State
    after: State

    @property
    def changed(self) -> list[bool]:
        """Whether each input's class is another one now."""
        pairs = zip(self.before.predicted, self.after.predicted, strict=True)
        return [one != other for one, other in pairs]

    def reading(self, row: int = 0) -> str:
        """What happened to an input, in words."""
        said = self.after.corrections(row)
        given = ", ".join(f"{name} = {value:g}" for name, value in said.items()) or "nothing"
        one, other = self.before.predicted[row], self.after.predicted[row]
        place = self.before.classes.index(other)
        was, now = (float(s.class_probabilities[row, place]) for s in (self.before, self.after))
        turn = f"{one} becomes {other}" if one != other else f"{one} stays"
        return f"{given} corrected: {turn} (its probability {was:.2f}, now {now:.2f})"

    def figure(self, row: int = 0, **options: Any) -> Drawing:
        """Concepts and classes of an input; options as in nbxplain.figure.Style."""
        from nbxplain.concepts.bottleneck.figure import draw_intervention

        return draw_intervention(self, row, **options)

    def __repr__(self) -> str:
        return f"<Intervention: {self.reading()}>"

    def _repr_png_(self) -> bytes:
        return self.figure()._repr_png_()
