"""Figures: the rules by which raw values are drawn, and that every kind of result can be."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

from nbxplain import explain
from nbxplain.figure import look
from tests.models import cnn, picture

RAMP = np.linspace(-1, 3, 400).reshape(20, 20)
SIGNS = ["both", "positive", "negative", "absolute"]

maps = arrays(
    np.float64, (5, 7), elements=st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False)
)


# The rules.


def test_scale_is_symmetric_when_both_signs_occur() -> None:
    shown, low, high, visible = look(RAMP, clip=100)
    assert (low, high) == (-3, 3)
    assert np.array_equal(shown, RAMP)
    assert visible.all()


def test_scale_begins_at_zero_when_one_sign_occurs() -> None:
    assert look(RAMP, 100, "positive")[1:3] == (0, 3)
    assert look(RAMP, 100, "negative")[1:3] == (0, 1)
    assert look(RAMP, 100, "absolute")[1:3] == (0, 3)
    assert look(np.abs(RAMP), 100)[1:3] == (0, 3)


def test_clip_is_a_percentile_of_magnitudes() -> None:
    _, low, high, _ = look(RAMP, clip=90)
    assert high == pytest.approx(np.percentile(np.abs(RAMP), 90))
    assert low == -high


def test_threshold_hides_the_smallest_magnitudes() -> None:
    visible = look(RAMP, threshold=75).alpha > 0
    assert visible.mean() == pytest.approx(0.25, abs=0.01)
    assert np.abs(RAMP[visible]).min() > np.abs(RAMP[~visible]).max()


def test_sparse_map_is_not_clipped_to_nothing() -> None:
    sparse = np.zeros((50, 50))
    sparse[3, 4] = 2.0
    assert look(sparse, clip=99)[2] == 2.0


def test_empty_map_has_a_scale() -> None:
    shown, low, high, _ = look(np.zeros((4, 4)))
    assert (low, high) == (0, 1)
    assert not shown.any()


@pytest.mark.parametrize("sign", SIGNS)
@given(values=maps, clip=st.floats(50, 100), threshold=st.floats(0, 99))
def test_scale_is_always_a_scale(sign: Any, values: Any, clip: float, threshold: float) -> None:
    before = values.copy()
    shown, low, high, visible = look(values, clip, sign, threshold)
    assert np.array_equal(values, before)
    assert high > 0
    assert low in (0, -high)
    assert (low < 0) == bool((shown < 0).any())
    assert visible.min() >= 0
    assert visible.max() <= 1
    assert visible.flat[np.abs(shown).argmax()] == (1 if shown.any() or low < 0 else 0)


# Drawing.


def drawn(method: str = "gradient", x: torch.Tensor | None = None, **options: Any) -> Any:
    result = explain(cnn(), picture(2) if x is None else x, method, target=1, progress=False)
    return result.figure(**{"row": 0, **options})


@pytest.mark.parametrize("width", ["single", "double", "slide"])
def test_width_in_millimetres(width: Any) -> None:
    inches = drawn(width=width).get_size_inches()[0]
    assert inches * 25.4 == pytest.approx({"single": 85, "double": 180, "slide": 254}[width])


@pytest.mark.parametrize(
    "options",
    [
        {"row": 1},
        {"sign": "negative", "threshold": 50.0},
        {"colormap": "viridis", "opacity": 1.0, "clip": 90.0},
        {"native": True, "caption": False, "transparent": True},
    ],
)
def test_every_option_draws(options: dict[str, Any]) -> None:
    drawn("grad_cam", **options).canvas.draw()


def test_map_covers_the_whole_picture() -> None:
    figure = drawn("grad_cam")
    extents = {tuple(image.get_extent()) for axis in figure.axes[:3] for image in axis.images}
    assert extents == {(0, 16, 16, 0)}


def test_native_shows_cells_and_full_resolution_is_not_smoothed() -> None:
    def interpolation(*args: Any, **options: Any) -> str:
        return str(drawn(*args, **options).axes[1].images[0].get_interpolation())

    assert interpolation("grad_cam") == "bicubic"
    assert interpolation("grad_cam", native=True) == "nearest"
    assert interpolation("gradient") == "nearest"


def test_several_targets_of_one_picture_draw_each() -> None:
    result = explain(cnn(), picture(), "gradient", target=[0, 3], labels=list("abcde"))
    for row in (0, 1):
        figure = result.figure(row=row)
        assert np.array_equal(figure.axes[1].images[0].get_array(), result.heatmap(row).numpy())


def test_zero_map_draws() -> None:
    model = cnn()
    nn.init.zeros_(model.head.weight)  # type: ignore[arg-type]
    explain(model, picture(), "gradient", target=1).figure().canvas.draw()


def test_table_row_draws_as_bars() -> None:
    result = explain(nn.Linear(30, 3), torch.rand(2, 30), "integrated_gradients", progress=False)
    figure = result.figure(row=1, most=20)
    figure.canvas.draw()
    widths = [bar.get_width() for bar in figure.axes[0].patches]  # type: ignore[attr-defined]
    strongest = result.values[1][result.values[1].abs().argsort(descending=True)]
    expected = [*strongest[:20].tolist(), float(strongest[20:].sum())]
    assert widths == pytest.approx(expected, abs=1e-6)


def test_drawing_leaves_the_users_matplotlib_alone() -> None:
    before = dict(mpl.rcParams)
    drawn().canvas.draw()
    assert dict(mpl.rcParams) == before
    assert "matplotlib.pyplot" not in drawn.__globals__
