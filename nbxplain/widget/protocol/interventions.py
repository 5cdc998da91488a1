"""What a concept bottleneck sees, and how its classes follow when that is corrected."""

from __future__ import annotations

from typing import Literal, TypedDict

from nbxplain.widget.protocol.jobs import Failure
from nbxplain.widget.protocol.rows import Moved


class SeenConcept(TypedDict):
    """A concept of a bottleneck: how probable the model says it is, the entropy of that in bits (0
    once it was corrected), and what it was corrected to; None where the model's word stands."""

    name: str
    probability: float
    uncertainty: float
    corrected: float | None


class Bottleneck(TypedDict):
    """The concepts of what is explained, and the classes that follow: the best of the model's own,
    then those that have joined them by corrections. `next` is the concept, of those not corrected,
    that the model is least sure of. `reading` says in words what the corrections did."""

    concepts: list[SeenConcept]
    choices: list[Moved]
    next: str | None
    reading: str
    failure: Failure | None


class InterveneRequest(TypedDict):
    """Corrects concepts, by name: 1 is present, 0 is absent, None takes the model's word again.
    Others stay as they were corrected. Answered when the work is queued."""

    id: str
    kind: Literal["intervene"]
    corrections: dict[str, float | None]
