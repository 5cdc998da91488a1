"""What every bottleneck answers, whoever built it: concepts, classes, and classes corrected."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nbxplain.concepts.bottleneck.intervention import Intervention, State
from nbxplain.concepts.bottleneck.labels import Corrections, known
from nbxplain.concepts.bottleneck.order import By, usefulness
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import ModelError


@dataclass(frozen=True)
class Sight:
    """What a bottleneck makes of N inputs.

    probabilities (N, C): of the concepts. scores: of rows (M,), each with what is known of it
    (M, C; nan where the model's word stands), the class scores (M, K). shares: class probabilities
    (M, K) of such scores. classes: their names.
    """

    probabilities: Tensor
    scores: Callable[[Tensor, Tensor], Tensor]
    shares: Callable[[Tensor], Tensor]
    classes: tuple[str, ...]

    def state(self, concepts: tuple[str, ...], known: Tensor) -> State:
        """What is said of all inputs, with what is known of them (N, C)."""
        scores = self.scores(torch.arange(len(known)), known)
        return State(concepts, self.classes, self.probabilities, known, self.shares(scores))


def shares_of(adapter: ModelAdapter) -> Callable[[Tensor], Tensor]:
    """Class probabilities of a model's scores. Raises ModelError where there are no classes."""

    def shares(scores: Tensor) -> Tensor:
        found = adapter.probabilities(scores)
        if found is None:
            raise ModelError(
                f"The model gives {scores.shape[1]} number, and no classes.",
                "Give it one score for each of two or more classes, or pick them with output=.",
            )
        return found

    return shares


class Bottleneck(ABC):
    """Classes that follow from named concepts, which can be corrected.

    `look` is all that a bottleneck has to know. Inputs are what `explain` takes.
    """

    concept_names: tuple[str, ...]

    @abstractmethod
    def look(self, inputs: Any) -> Sight:
        """What it makes of the inputs."""

    def concepts(self, inputs: Any) -> Tensor:
        """The probability (N, C) of each concept."""
        return self.look(inputs).probabilities

    def state(self, inputs: Any) -> State:
        """Concepts and classes, as the model says."""
        return self.corrected(inputs, {})

    def corrected(self, inputs: Any, corrections: Corrections) -> State:
        """The same where some concepts have the values given: the classes follow.

        Raises InputError for an unknown concept or a value outside [0, 1].
        """
        sight = self.look(inputs)
        said = known(corrections, self.concept_names, len(sight.probabilities))
        return sight.state(self.concept_names, said)

    def intervene(self, inputs: Any, corrections: Corrections) -> Intervention:
        """Classes before and after concepts are corrected (Koh et al. 2020), as
        `model.intervene(x, {"striped": 1})`. Raises InputError as `corrected` does."""
        sight = self.look(inputs)
        said = known(corrections, self.concept_names, len(sight.probabilities))
        before = sight.state(self.concept_names, torch.full_like(said, float("nan")))
        return Intervention(before, sight.state(self.concept_names, said))

    def next_concepts(
        self, inputs: Any, corrections: Corrections | None = None, by: By = "uncertainty"
    ) -> list[list[str]]:
        """For each input the concepts not yet corrected, the one most worth asking for first.

        by: see order.py. Raises InputError as `corrected` does.
        """
        sight = self.look(inputs)
        said = known(corrections, self.concept_names, len(sight.probabilities))
        worth = usefulness(sight, said, by)
        order = worth.argsort(dim=1, descending=True, stable=True)
        return [
            [self.concept_names[place] for place in row if worth[number, place] >= 0]
            for number, row in enumerate(order.tolist())
        ]
