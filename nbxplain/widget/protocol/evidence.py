"""What is known about how far a map can be trusted, in words and as drawn."""

from __future__ import annotations

from typing import Literal, TypedDict

from nbxplain.widget.protocol.data import Grid

Verdict = Literal["good", "weak", "poor", "plain"]


class Evidence(TypedDict):
    """One checkable number beside the map. `verdict` is only other than plain where a threshold
    is stated in `help`."""

    name: str
    label: str
    value: str
    verdict: Verdict
    help: str


class Removed(TypedDict):
    """The score while a growing `share` of the places is taken away or put back (`moved`), in the
    map's order, and of `orders` random maps the mean and the middle 90 %.

    Points that are not known yet are None; without a whole random order its lists are empty.
    """

    moved: Literal["taken away", "put back"]
    unit: str
    fill: str
    share: list[float]
    score: list[float | None]
    orders: int
    mean: list[float]
    low: list[float]
    high: list[float]


class Forgetful(TypedDict):
    """One step of the cascade: the map of a model that was made to forget, and how alike it is to
    the map itself (rank correlation). None where it is not finite, or where that is not defined."""

    title: str
    map: Grid | None
    similarity: float | None


class Cascade(TypedDict):
    """The map and those of ever more forgetful models. They have changed up to a similarity of
    `changed`, and hardly have from `alike`."""

    map: Grid
    signed: bool
    stages: list[Forgetful]
    changed: float
    alike: float


class Changes(TypedDict):
    """How alike the map stays under one kind of change, one number a variant."""

    kind: str
    similarity: list[float | None]


class Spread(TypedDict):
    """Where the map varies: its standard deviation over all variants, in the map's units. It is
    stable from a similarity of `stable`, and not under `unstable`."""

    map: Grid
    signed: bool
    spread: Grid
    changes: list[Changes]
    stable: float
    unstable: float


class Checked(Evidence):
    """The result of a check after `done` of `total` evaluations, with what it is drawn of: one of
    the last three. Its `help` is its reading, a sentence that names the threshold."""

    done: int
    total: int
    removed: Removed | None
    cascade: Cascade | None
    spread: Spread | None
