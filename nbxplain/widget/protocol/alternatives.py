"""Rows that the model decides otherwise."""

from __future__ import annotations

from typing import Literal, TypedDict

from nbxplain.widget.protocol.jobs import Failure, Job

Search = Literal["auto", "gradient", "genetic", "nearest"]


class Asked(TypedDict):
    """What is wanted: `k` rows of class `desired`, or with a score in the interval of two numbers.
    `immutable` features stay, `monotone` ones move one way, `ranges` bound the others."""

    desired: int | list[float]
    k: int
    search: Search
    immutable: list[str]
    monotone: dict[str, Literal["increase", "decrease"]]
    ranges: dict[str, list[float]]


class Cell(TypedDict):
    """A value of a row, as in Feature. `changed` is how it came to differ from the explained row:
    acted on, or as a consequence (of a causal graph)."""

    value: float | str | None
    shown: str
    changed: Literal["", "acted", "followed"]


class Alternative(TypedDict):
    """A row by feature, in the table's order. `says` is the probability of the desired class, or
    the score where there are no probabilities; `margin` how far in score the row is from the
    boundary. `distance` is in median absolute deviations, `changed` counts features acted on."""

    cells: list[Cell]
    says: float
    valid: bool
    margin: float
    distance: float
    changed: int


class Alternatives(TypedDict):
    """What would have to be different. `rows` begins with the row as it was; `explained` is the
    place of the one that is explained now. `diversity` is the mean distance between the found."""

    job: Job
    error: Failure | None
    asked: Asked
    desired: str
    unit: Literal["probability", "score"]
    names: list[str]
    rows: list[Alternative]
    explained: int
    diversity: float
    search: str
    notices: list[str]


class AlternativesRequest(TypedDict):
    """Search rows that are decided otherwise. Answered when the search has begun."""

    id: str
    kind: Literal["alternatives"]
    asked: Asked


class AlternativeRequest(TypedDict):
    """Explain the row at `place` in `rows`, or take all of them away: answered by `code`, or by a
    file as an ExportRequest is. `item` is a search in the history; an empty one is the last."""

    id: str
    kind: Literal["alternative"]
    action: Literal["explain", "code", "figure", "json"]
    item: str
    place: int
