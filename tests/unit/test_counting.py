"""Rows that are asked for by number, and how many of something: one check each, for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from nbxplain import explain, steer
from nbxplain.concepts.bottleneck.intervention import Intervention, State
from nbxplain.contributions import contributions, strongest
from nbxplain.core.cav import CAV
from nbxplain.core.counting import counted, numbered
from nbxplain.core.errors import InputError, MethodError
from nbxplain.counterfactuals import counterfactuals, picture_counterfactuals
from tests.models import ModuleRelu, cnn, picture, seeded

TWO = 2


@pytest.mark.parametrize("number", [1, np.int64(1), torch.tensor(1)])
def test_any_integer_numbers_a_row(number: Any) -> None:
    assert numbered(number, TWO) == 1


@pytest.mark.parametrize(
    ("number", "count", "said"),
    [
        (2, 2, "There is no query 2: there are 2. Give a number from 0 to 1."),
        (-1, 2, "There is no query -1: there are 2. Give a number from 0 to 1."),
        (1, 1, "There is no query 1: there is one. Give 0."),
        (0.5, 2, "0.5 is not the number of a query. Give a number from 0 to 1."),
        ("a", 1, "'a' is not the number of a query. Give 0."),
        (True, 2, "True is not the number of a query. Give a number from 0 to 1."),
    ],
)
def test_what_numbers_none(number: Any, count: int, said: str) -> None:
    with pytest.raises(InputError) as error:
        numbered(number, count, "query")
    assert str(error.value) == said


@pytest.mark.parametrize("value", [2, 5, np.int64(3)])
def test_how_many(value: Any) -> None:
    assert counted("steps", value, 2, 5) == int(value)


@pytest.mark.parametrize("value", [1, 6, -2, 2.0, "3", None, True])
def test_how_many_is_not_allowed(value: Any) -> None:
    with pytest.raises(MethodError) as error:
        counted("steps", value, 2, 5)
    assert error.value.title == f"steps = {value!r} is not allowed."
    assert error.value.hint == "Give a whole number from 2 to 5."


def of_rows() -> nn.Module:
    return seeded(lambda: nn.Linear(3, 2)).double()


def maps() -> Any:
    return explain(cnn(), picture(TWO), "gradient", target=1)


def table() -> Any:
    x = torch.eye(3, dtype=torch.float64)[:TWO]
    return explain(of_rows(), x, "integrated_gradients", target=0)


def rows() -> Any:
    background = np.random.default_rng(0).normal(size=(20, 3))
    asked = np.repeat(background[:1], TWO, axis=0)
    return counterfactuals(of_rows(), asked, 0, background=background, k=1, steps=5)


def pictures() -> Any:
    image = torch.full((1, 3, 16, 16), 0.5)
    return picture_counterfactuals(cnn(), image, 2, k=TWO, steps=2, probability=None)


def steering() -> Any:
    direction = CAV.of("second", torch.ones(6))
    return steer(seeded(ModuleRelu), picture(TWO), direction, doses=(0, 1))


def intervention() -> Any:
    half = torch.full((TWO, 2), 0.5)
    state = State(("a", "b"), ("left", "right"), half, half, half)
    return Intervention(state, state)


ASKED: dict[str, tuple[Callable[[], Any], Callable[[Any, int], Any]]] = {
    "figure of a map": (maps, lambda found, row: found.figure(row=row)),
    "figure of a table": (table, lambda found, row: found.figure(row=row)),
    "waterfall": (table, lambda found, row: found.figure(kind="waterfall", row=row)),
    "heatmap": (maps, lambda found, row: found.heatmap(row)),
    "drawn": (table, lambda found, row: found.drawn(row)),
    "row": (maps, lambda found, row: found.row(row)),
    "findings": (maps, lambda found, row: found.findings(row)),
    "top": (maps, lambda found, row: found.prediction.top(row=row)),
    "contributions": (table, contributions),
    "strongest": (table, lambda found, row: strongest(found, row=row)),
    "changes": (rows, lambda found, row: found.changes(row)),
    "summary": (rows, lambda found, row: found.summary(row)),
    "figure of rows": (rows, lambda found, row: found.figure(row)),
    "gain": (pictures, lambda found, row: found.gain(row)),
    "difference": (pictures, lambda found, row: found.drawn(row)),
    "shares": (pictures, lambda found, row: found.shares(row)),
    "turning": (steering, lambda found, row: found.turning(row)),
    "farther": (steering, lambda found, row: found.farther(row)),
    "corrections": (intervention, lambda found, row: found.after.corrections(row)),
    "as_dict": (intervention, lambda found, row: found.after.as_dict(row)),
    "reading": (intervention, lambda found, row: found.reading(row)),
    "figure of an intervention": (intervention, lambda found, row: found.figure(row)),
}


@pytest.mark.parametrize(("made", "ask"), ASKED.values(), ids=ASKED)
def test_every_row_that_is_there_and_no_other(
    made: Callable[[], Any], ask: Callable[[Any, int], Any]
) -> None:
    found = made()
    for there in range(TWO):
        ask(found, there)
    for gone in (TWO, -1):
        with pytest.raises(InputError, match=rf"There is no \w+ {gone}: there are {TWO}\."):
            ask(found, gone)
