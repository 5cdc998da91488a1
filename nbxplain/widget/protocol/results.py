"""Explanations, as drawn."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from nbxplain.widget.protocol.alternatives import Alternatives
from nbxplain.widget.protocol.data import Grid, Picture, Runs
from nbxplain.widget.protocol.edits import Found
from nbxplain.widget.protocol.evidence import Checked, Evidence
from nbxplain.widget.protocol.jobs import Failure, Phase


class Contrast(TypedDict):
    """Why `index` rather than `against`: the difference of the two scores."""

    index: int
    against: int


class Curve(TypedDict):
    """f along the path from the baseline (alpha 0) to the picture (alpha 1), sorted by alpha.

    `accumulated` is the share of the attribution summed up to that alpha, in units of the score;
    its last value less (last score - first score) is the completeness gap.
    """

    alpha: list[float]
    score: list[float]
    accumulated: list[float]
    baseline: Picture
    has_maps: bool


class Heads(TypedDict):
    """How many attention layers and heads a result has, and the grid that its patches lie on.
    A saved page cannot ask for their maps: there they are in `maps`, made coarser if they are many.
    """

    layers: int
    heads: int
    grid: list[int]
    maps: NotRequired[Grid]


class Players(TypedDict):
    """The parts that share out f(x) - E[f]: `base` + sum of `values` = `score`.

    `shown` holds the features' values as text and is empty for pictures; there `labels` says which
    player each pixel belongs to. `errors` are standard errors, None where the values are exact.
    `unit` says what `values`, `base` and `score` are: "score" or "probability".
    """

    names: list[str]
    values: list[float]
    errors: list[float] | None
    shown: list[str]
    labels: Runs | None
    base: float
    score: float
    unit: str
    evaluations: int


class Spec(TypedDict):
    """What is computed: enough to compute it again."""

    method: str
    params: dict[str, Any]
    baseline: dict[str, Any]
    regions: dict[str, Any]
    target: int | Contrast | str
    layer: str | None


class Result(TypedDict):
    """One explanation, as drawn. `reason` is set when the map is degenerate (all zero).

    The map of a table row has the shape (1, features). `checks` holds what was found out about it
    in the Check panel, `evidence` what came with it.
    """

    id: str
    phase: Phase
    spec: Spec
    title: str
    subtitle: str
    target: str
    map: Grid
    signed: bool
    done: int
    total: int
    error: float | None
    seconds: float
    complete: bool
    reason: str | None
    evidence: list[Evidence]
    checks: list[Checked]
    curve: Curve | None
    heads: Heads | None
    players: Players | None
    description: str
    provenance: dict[str, Any]


class HistoryItem(TypedDict):
    """An earlier result, small enough to travel in a saved notebook: an explanation in `result`, a
    changed picture in `found`, or the rows of a search in `rows`; one of them is there."""

    id: str
    name: str
    pinned: bool
    result: NotRequired[Result]
    found: NotRequired[Found]
    rows: NotRequired[Alternatives]


class Comparison(TypedDict):
    """Several results for one picture on one colour scale: several methods, or several classes.

    `rank` holds Spearman correlations between the maps at a common resolution, `overlap` the share
    that their strongest tenths have in common; both are square, in the order of `results`.
    `failures` says which could not be computed and why.
    """

    kind: Literal["methods", "targets"]
    results: list[Result]
    rank: list[list[float]]
    overlap: list[list[float]]
    failures: list[Failure]
