"""Waterfalls, bars and forces: what is drawn adds up, and no text is cut."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.patches import Polygon, Rectangle
from torch import nn

from nbxplain import Attribution, Regions, Waterfall, explain
from nbxplain.contributions import contributions
from nbxplain.core.errors import InputError
from nbxplain.figure.style import WIDTHS
from nbxplain.figure.text import number, signed, width, wrapped
from tests.models import cnn, picture

NAMES = [
    "age",
    "marital-status and household composition in 1994",
    "Größe der Wohnung (m²), gemeldet",
    "a_feature_name_of_many_letters_without_any_spaces",
    "Donaudampfschifffahrtsgesellschaftskapitän",
    "costs in $ and % of <income> & \\savings_{2}",
    "пол и возраст",
]
KINDS = ["waterfall", "bar", "force"]


class Quadratic(nn.Module):
    """Scores that are no sum over features."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        score = (x * torch.arange(1.0, 1 + x.shape[1])).sum(1) + x[:, 0] * x[:, 1]
        return torch.stack([score, -score], 1)


def row(features: int = 7, **options: Any) -> Attribution:
    """A table row, explained by a method whose values add up exactly."""
    torch.manual_seed(0)
    x = torch.randn(2, features)
    names = NAMES[:features] + [f"feature {i}" for i in range(7, features)]
    return explain(
        Quadratic(), x, "shapley", target=0, feature_names=names, progress=False, **options
    )


def regions() -> Attribution:
    return explain(
        cnn(),
        picture(),
        "shapley",
        target=1,
        regions=Regions.grid(3, 3),
        labels=list("abcde"),
        progress=False,
    )


def rectangles(figure: Any) -> list[tuple[float, float]]:
    """Where the bars begin and end, from the top."""
    axis = figure.axes[-1]
    found = [p for p in axis.patches if isinstance(p, Rectangle)]
    return [(p.get_x(), p.get_x() + p.get_width()) for p in found]


def texts(data: bytes) -> list[str]:
    """The lines of text of an SVG."""
    tree = ElementTree.fromstring(data)
    return ["".join(e.itertext()).strip() for e in tree.iter() if e.tag.endswith("}text")]


@pytest.mark.parametrize("explained", [row, regions], ids=["table", "regions"])
def test_a_waterfall_goes_from_the_base_to_the_score(explained: Any) -> None:
    one = explained()
    shares = contributions(one)
    bars = rectangles(one.figure(kind="waterfall", most=4))
    assert bars[0][0] == pytest.approx(shares.base)
    assert bars[-1][1] == pytest.approx(
        float(one.prediction.scores[0, 0 if explained is row else 1])
    )
    for (_, end), (start, _) in pairwise(bars):
        assert end == pytest.approx(start)
    assert sum(end - start for start, end in bars) == pytest.approx(shares.score - shares.base)
    assert len(bars) == 5, "four parts and the others"


def test_rows_are_sorted_and_the_others_are_their_sum() -> None:
    one = row(12)
    values = one.values[0].double().numpy()
    ranked = values[np.argsort(-np.abs(values))]
    widths = [end - start for start, end in rectangles(one.figure(kind="bar", most=5))]
    assert widths == pytest.approx([*ranked[:5], ranked[5:].sum()], abs=1e-6)
    all_but_one = rectangles(one.figure(kind="bar", most=11))
    assert len(all_but_one) == 12, "a single other part has its own row"


def test_forces_meet_at_the_score() -> None:
    one = row()
    shares = contributions(one)
    axis = next(a for a in one.figure(kind="force").axes if a.patches)
    spans = [(p.get_facecolor(), p.get_xy()[:, 0]) for p in axis.patches if isinstance(p, Polygon)]
    red = [x for colour, x in spans if colour[0] > colour[2]]
    blue = [x for colour, x in spans if colour[0] < colour[2]]
    assert max(x.max() for x in red) == pytest.approx(shares.score)
    assert min(x.min() for x in blue) == pytest.approx(shares.score)
    up = sum(v for v in shares.values if v > 0)
    assert min(x.min() for x in red) == pytest.approx(shares.score - up)


def test_what_a_path_misses_has_a_row_of_its_own() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 2))
    x = 3 * torch.randn(1, 6)
    one = explain(model, x, "integrated_gradients", target=0, steps=2, progress=False)
    shares = contributions(one)
    change = float(model(x)[0, 0] - model(0 * x)[0, 0])
    assert shares.score - shares.base == pytest.approx(change, abs=1e-5)
    assert abs(shares.gap) > 0.01 * abs(change), "two steps close the gap: choose a bent model"
    bars = rectangles(one.figure(kind="waterfall"))
    assert bars[-1][1] == pytest.approx(shares.score, abs=1e-5)
    assert bars[-1][1] - bars[-1][0] == pytest.approx(shares.gap, abs=1e-5)
    assert "not accounted for" in texts(one.encode("svg", kind="waterfall"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", list(WIDTHS))
def test_no_name_is_cut(kind: str, size: str) -> None:
    drawn = texts(row().encode("svg", kind=kind, width=size))
    together = re.sub(r"\s", "", "".join(drawn))
    for name in NAMES:
        assert re.sub(r"\s", "", name) in together, f"{name} is not whole"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", list(WIDTHS))
@pytest.mark.parametrize("explained", [row, regions], ids=["table", "regions"])
def test_all_text_is_inside_the_figure_and_columns_do_not_touch(
    kind: str, size: str, explained: Any
) -> None:
    figure = explained().figure(kind=kind, width=size)
    figure.canvas.draw()
    whole = figure.bbox
    boxes = [t.get_window_extent() for t in figure.texts if t.get_text()]
    for box in boxes:
        assert box.x0 >= whole.x0
        assert box.x1 <= whole.x1
        assert box.y0 >= whole.y0
        assert box.y1 <= whole.y1
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            across = min(a.x1, b.x1) - max(a.x0, b.x0)
            down = min(a.y1, b.y1) - max(a.y0, b.y0)
            assert across <= 1 or down <= 1, "two texts overlap"


def test_values_and_names_of_a_table_are_shown() -> None:
    one = row()
    assert one.inputs.table is not None
    drawn = texts(one.encode("svg", kind="waterfall", row=1))
    for text in one.inputs.table.shown(one.inputs.tensor[1]):
        assert text in drawn


def test_regions_are_numbered_in_the_picture_and_in_the_rows() -> None:
    figure = regions().figure(kind="waterfall", most=4)
    photograph = next(a for a in figure.axes if a.images)
    in_picture = sorted(t.get_text() for t in photograph.texts)
    in_rows = sorted(t.get_text() for t in figure.texts if t.get_text().isdigit())
    assert in_picture == in_rows == ["1", "2", "3", "4"]


def test_errors_are_whiskers_of_one_standard_error() -> None:
    one = explain(cnn(), picture(), "kernel_shap", target=1, segments=12, budget=64, progress=False)
    shares = contributions(one)
    assert shares.errors is not None
    axis = one.figure(kind="bar", most=50).axes[-1]
    whiskers = [line.get_xdata() for line in axis.lines if len(set(line.get_ydata())) == 1]
    lengths = sorted((x[1] - x[0]) / 2 for x in whiskers)
    assert lengths == pytest.approx(sorted(e for e in shares.errors if e))


@pytest.mark.parametrize("kind", ["waterfall", "force"])
def test_a_map_is_no_waterfall(kind: str) -> None:
    one = explain(cnn(), picture(), "gradient", target=1)
    with pytest.raises(InputError, match="gives a map"):
        one.figure(kind=kind)
    with pytest.raises(InputError, match="do not add up"):
        explain(Quadratic(), torch.rand(1, 3), "gradient").figure(kind=kind)
    with pytest.raises(InputError, match="cannot be drawn as 'pie'"):
        one.figure(kind="pie")
    with pytest.raises(InputError, match="cannot be drawn as 'map'"):
        row().figure(kind="map")


# Text.


@given(
    st.text(st.characters(categories=["L", "N", "P", "Zs"], max_codepoint=0x24F), max_size=60),
    st.floats(2, 60),
)
def test_wrapping_keeps_every_letter_and_fits(text: str, room: float) -> None:
    lines = wrapped(text, room, 7)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)
    for line in lines:
        assert width(line, 7) <= room or len(line) == 1


def test_lines_break_at_spaces_first() -> None:
    room = width("of the parents", 7) + 0.1
    assert wrapped("marital status of the parents", room, 7) == [
        "marital status",
        "of the parents",
    ]
    assert wrapped("capital_gain_per_year", width("capital_gain_", 7), 7)[0] == "capital_gain_"


@pytest.mark.parametrize(
    ("value", "largest", "text"),
    [
        (1.23456, 5, "+1.23"),
        (-0.5, 250, "−0"),
        (-0.5, 25, "−0.5"),
        (0.00123, 0.004, "+0.00123"),
        (3e8, 3e8, "+3.00e+08"),
        (0.0, 0.0, "+0.00"),
    ],
)
def test_numbers_have_three_digits_of_the_largest(value: float, largest: float, text: str) -> None:
    assert signed(value, largest) == text
    assert number(value, largest) == text.lstrip("+")


# The widget.


def test_a_waterfall_widget_shows_a_row_without_a_worker() -> None:
    one = row()
    widget = Waterfall(one, row=1)
    assert widget._alone == "waterfall"
    players = widget._result["players"]
    assert players["names"] == NAMES
    assert sum(players["values"]) == pytest.approx(players["score"] - players["base"], abs=1e-5)
    assert players["score"] == pytest.approx(float(one.prediction.scores[1, 0]), abs=1e-5)
    assert [f["name"] for f in widget._table["features"]] == NAMES
    data, _ = widget._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in data
    widget.close()


def test_a_waterfall_widget_of_a_picture_is_saved(tmp_path: Any) -> None:
    widget = Waterfall(regions())
    assert widget._image["width"] == 16
    assert widget._result["players"]["labels"]["shape"] == [16, 16]
    page = widget.save(tmp_path / "waterfall.html").read_text()
    assert "waterfall" in page
    assert widget.save(tmp_path / "waterfall.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="Cannot draw"):
        widget.save(tmp_path / "waterfall.gif")
    widget.close()


def test_a_waterfall_widget_refuses_what_does_not_add_up() -> None:
    with pytest.raises(InputError, match="gives a map"):
        Waterfall(explain(cnn(), picture(), "gradient", target=1))
    with pytest.raises(InputError, match="no row 2"):
        Waterfall(row(), row=2)
    with pytest.raises(InputError, match="not Tensor"):
        Waterfall(torch.zeros(3))  # type: ignore[arg-type]


def test_a_page_of_its_own_is_greeted_and_nothing_is_computed(wire: None) -> None:
    from tests.unit.page import FakePage

    widget = Waterfall(row())
    page = FakePage(widget)  # type: ignore[arg-type]
    assert page.ask("hello")["ok"]
    refused = page.ask("ablate", result="x", players=[0], fill="blur")
    assert not refused["ok"]
    assert "stands alone" in refused["error"]["title"]
    widget.close()


pytest_plugins = ["tests.unit.page"]
