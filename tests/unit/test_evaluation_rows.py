"""A check of several inputs draws each of them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nbxplain.core.errors import InputError
from nbxplain.evaluation import (
    average_drop,
    deletion,
    ensemble,
    infidelity,
    pointing_game,
    sanity_check,
    sensitivity_n,
    sparseness,
    stability,
)
from tests.models import cnn, linear, picture

BOX = (0, 0, 8, 8)
BOTH = picture(2)

ONE_BY_ONE: dict[str, Callable[[], Any]] = {
    "deletion": lambda: deletion(cnn(), BOTH, "gradient", points=5, random=2),
    "infidelity": lambda: infidelity(cnn(), BOTH, "gradient", draws=4),
    "pointing_game": lambda: pointing_game(cnn(), BOTH, "gradient", BOX),
    "sanity_check": lambda: sanity_check(cnn(), BOTH, "gradient", stages=2, independent=False),
    "sparseness": lambda: sparseness(cnn(), BOTH, "gradient"),
    "stability": lambda: stability(cnn(), BOTH, "gradient", draws=2, qualities=()),
    "ensemble": lambda: ensemble([cnn(), linear()], BOTH, "gradient"),
}


def pixels(figure: Any) -> Any:
    """A figure as it is drawn."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=60)
    return np.asarray(Image.open(buffer))


@pytest.mark.parametrize("found", ONE_BY_ONE.values(), ids=ONE_BY_ONE)
def test_each_input_has_its_figure(found: Callable[[], Any]) -> None:
    check = found()
    first, second = (pixels(check.figure(row, caption=False)) for row in (0, 1))
    assert np.array_equal(first, pixels(check.figure(caption=False)))
    assert first.shape == second.shape
    assert not np.array_equal(first, second)
    for row in (2, -1, 0.5):
        with pytest.raises(InputError, match="row"):
            check.figure(row)


@pytest.mark.parametrize("check", [pointing_game, sparseness])
def test_the_figure_of_a_row_is_that_of_the_row_alone(check: Callable[..., Any]) -> None:
    more = (BOX,) if check is pointing_game else ()
    together = check(cnn(), BOTH, "gradient", *more, target=1).figure(1, caption=False)
    alone = check(cnn(), BOTH[1:], "gradient", *more, target=1).figure(caption=False)
    assert np.array_equal(pixels(together), pixels(alone))


def test_the_curve_of_a_row_is_drawn() -> None:
    check = ONE_BY_ONE["deletion"]()
    for row in (0, 1):
        (axis,) = check.figure(row).axes
        np.testing.assert_array_equal(axis.lines[-1].get_ydata(), check.curve[row])


@pytest.mark.parametrize("check", [average_drop, sensitivity_n])
def test_a_figure_about_all_inputs_is_the_only_one(check: Callable[..., Any]) -> None:
    found = check(cnn(), torch.cat([BOTH, BOTH]), "grad_cam")
    found.figure(0)
    with pytest.raises(InputError, match="There is no row 1: there is one"):
        found.figure(1)
