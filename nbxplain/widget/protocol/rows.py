"""Rows of a table, what happens when parts are taken away, and many inputs at once."""

from __future__ import annotations

from typing import Literal, TypedDict

from nbxplain.widget.protocol.data import Grid, Picture

Fill = Literal["baseline", "blur", "mean", "noise", "black", "white"]


class Feature(TypedDict):
    """One column of a table and its value in the explained row: a number, or one of `choices`.

    `shown` is the value as text; `minimum` and `maximum` are the background's, None for categories.
    """

    name: str
    value: float | str | None
    shown: str
    minimum: float | None
    maximum: float | None
    integer: bool
    choices: list[str] | None


class TableInfo(TypedDict):
    """The explained row of a table."""

    features: list[Feature]


class Moved(TypedDict):
    """A class whose probability (or score, where there are no probabilities) has moved."""

    index: int
    label: str
    before: float
    after: float


class Ablation(TypedDict):
    """What f(x) does when players are taken away, or when features are edited.

    `before` and `after` are in the unit of the result's players. `singles` says by how much the
    score drops when each player alone is taken away, `interaction` what the joint drop has
    beyond their sum (None for a single player). `picture` is what the model saw; its bytes are the
    first buffer.
    """

    players: list[int]
    before: float
    after: float
    choices: list[Moved]
    singles: list[float]
    interaction: float | None
    picture: Picture | None


class SummaryInfo(TypedDict):
    """The explanations of many inputs at once, player by player, in order of `names`.

    `mean` is the mean of |phi| over all `rows` and `errors` its standard error. `values` holds phi
    of at most 1000 of them, (rows, players). For tables `features` holds the values of the same
    rows from 0 to 1 between `minimum` and `maximum` (of categories their places in `choices`, which
    is empty for numbers), -1 where one is missing, and `partners` the feature with which each
    interacts most strongly, itself where it is alone. For pictures `map` holds the mean of |phi| at
    each pixel and `picture` the first picture.
    """

    title: str
    target: str
    unit: str
    rows: int
    names: list[str]
    mean: list[float]
    errors: list[float]
    values: Grid
    features: Grid | None
    minimum: list[float]
    maximum: list[float]
    choices: list[list[str]]
    partners: list[int]
    map: Grid | None
    picture: Picture | None
