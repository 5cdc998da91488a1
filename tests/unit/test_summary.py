"""Many explanations at once: their means, their errors, their figures, and the widget."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.collections import PathCollection
from numpy.typing import NDArray
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from torch import nn

from nbxplain import Regions, Summary, explain, summarize
from nbxplain.core.errors import InputError
from nbxplain.figure.summary import swarm
from nbxplain.widget import protocol, wire
from nbxplain.widget.overview import info
from tests.models import cnn, picture
from tests.unit.page import FakePage
from tests.unit.test_protocol import conforms

pytest_plugins = ["tests.unit.page"]

NAMES = ["wave", "left", "right", "nothing", "kind"]


def model(rows: NDArray[Any]) -> NDArray[Any]:
    """A sine, a product, a feature that does nothing, and three kinds."""
    x = np.asarray(rows, float)
    return np.sin(x[:, 0]) + 2 * x[:, 1] * x[:, 2] + x[:, 4]


def rows(count: int = 200) -> NDArray[np.float64]:
    x = np.random.default_rng(0).normal(size=(count, 5))
    x[:, 4] = np.arange(count) % 3
    return x


def summary(**options: Any) -> Summary:
    return summarize(
        model,
        rows(),
        feature_names=NAMES,
        categories={"kind": [0, 1, 2]},
        progress=False,
        **options,
    )


@pytest.fixture(scope="module")
def one() -> Summary:
    return summary()


def test_it_is_the_explanations_of_the_rows(one: Summary) -> None:
    alone = explain(
        model,
        rows()[[0, 50, 199]],
        "shapley",
        feature_names=NAMES,
        categories={"kind": [0, 1, 2]},
        background=rows()[::2],
        progress=False,
    )
    assert torch.allclose(one.values[[0, 50, 199]], alone.values)
    assert alone.base_value is not None
    assert one.base is not None
    assert torch.allclose(one.base[[0, 50, 199]], alone.base_value)


def test_batches_change_nothing(one: Summary) -> None:
    assert torch.equal(summary(batch=7).values, one.values)


def test_an_additive_part_is_known_by_hand(one: Summary) -> None:
    x = rows()
    usual = np.sin(x[::2, 0]).mean()
    assert one.values[:, 0].numpy() == pytest.approx(np.sin(x[:, 0]) - usual, abs=1e-6)
    assert one.values[:, 3].abs().max() == pytest.approx(0, abs=1e-9)


def test_means_and_their_standard_errors(one: Summary) -> None:
    size = one.values.abs().numpy()
    assert one.mean.numpy() == pytest.approx(size.mean(0))
    assert one.errors.numpy() == pytest.approx(size.std(0, ddof=1) / np.sqrt(200))
    table = one.table()
    ranked = sorted(size.mean(0).tolist(), reverse=True)
    assert [row["mean"] for row in table] == pytest.approx(ranked)
    assert table[-1]["name"] == "nothing"
    assert table[0]["signed"] == pytest.approx(float(one.values[:, one.order[0]].mean()))


def test_partners_are_those_that_interact(one: Summary) -> None:
    assert one.partners == [0, 2, 1, 3, 4]


def test_the_target_is_the_class_that_is_predicted_most() -> None:
    scores = nn.Linear(3, 3, bias=False)
    nn.init.eye_(scores.weight)
    x = torch.tensor([[1.0, 2, 0], [0, 3, 1], [5, 0, 0]])
    found = summarize(scores, x, "integrated_gradients", labels=["x", "y", "z"], progress=False)
    assert found.target == "y"
    assert found.values[:, [0, 2]].abs().max() == 0
    assert "rows themselves" in found.notices[0]
    other = summarize(scores, x, "integrated_gradients", target=0, progress=False)
    assert other.values[:, [1, 2]].abs().max() == 0


def test_a_summary_has_one_target() -> None:
    with pytest.raises(InputError, match="one target"):
        summarize(nn.Linear(3, 3), torch.rand(2, 3), target=[0, 1])


def test_a_data_set_of_scikit_learn_is_no_table() -> None:
    """It is a dict of everything there is: rows, targets, text."""
    data = load_iris()
    fitted = LogisticRegression(max_iter=500).fit(data.data, data.target)
    for call in (
        lambda: summarize(fitted, data, progress=False),
        lambda: summarize(fitted, data.data, background=data, progress=False),
        lambda: explain(fitted, data, "gradient", progress=False),
    ):
        with pytest.raises(InputError, match=r"Bunch.*dataset\.data"):
            call()
    with pytest.raises(InputError, match="The row lacks"):
        summarize(fitted, {"a": 1}, progress=False)


def test_pictures_share_a_grid() -> None:
    found = summarize(cnn(), picture(5), target=1, batch=2, progress=False)
    each = explain(
        cnn(), picture(5), "shapley", target=1, regions=Regions.grid(4, 4), progress=False
    )
    assert torch.allclose(found.values, each.values, atol=1e-5)
    maps = torch.stack([each.heatmap(i).abs() for i in range(5)]).mean(0)
    assert torch.allclose(found.map, maps, atol=1e-5)
    for kind in ("map", "bar", "beeswarm"):
        found.figure(kind).canvas.draw()
    with pytest.raises(InputError, match="'dependence'"):
        found.figure("dependence")
    conforms(protocol.SummaryInfo, info(found))


def test_pictures_without_common_parts_are_refused() -> None:
    with pytest.raises(InputError, match="differ from picture to picture"):
        summarize(cnn(), picture(3), target=1, segments=6, progress=False)
    with pytest.raises(InputError, match="gives a map"):
        summarize(cnn(), picture(2), "gradient", target=1, progress=False)


# Figures.


def test_bars_are_the_means(one: Summary) -> None:
    axis = one.figure("bar", most=2).axes[0]
    widths = [bar.get_width() for bar in axis.patches]  # type: ignore[attr-defined]
    ranked = one.mean.sort(descending=True).values
    assert widths == pytest.approx([*ranked[:2].tolist(), float(ranked[2:].sum())])


def test_every_row_is_in_the_beeswarm(one: Summary) -> None:
    swarms = list(one.figure("beeswarm").axes[0].collections)
    assert len(swarms) == 5
    for part, points in zip(one.order, swarms, strict=True):
        assert np.asarray(points.get_offsets())[:, 0] == pytest.approx(one.values[:, part].numpy())


def test_a_swarm_keeps_apart_what_is_equal() -> None:
    aside = swarm(np.zeros(9), 1.0)
    assert len(set(aside.tolist())) == 9
    assert np.abs(aside).max() <= 1
    assert abs(aside.sum()) < 1e-9


def test_dependence_is_value_against_share(one: Summary) -> None:
    figure = one.figure("dependence", feature="left")
    points = next(c for c in figure.axes[0].collections if isinstance(c, PathCollection))
    x, phi = np.asarray(points.get_offsets()).T
    assert x == pytest.approx(rows()[:, 1])
    assert phi == pytest.approx(one.values[:, 1].numpy())
    assert any(text.get_text() == "right" for text in figure.texts), "its partner is not named"
    with pytest.raises(InputError, match="no 'middle'"):
        one.figure("dependence", feature="middle")
    ticks = one.figure("dependence", feature="kind").axes[0].get_xticklabels()
    assert [tick.get_text() for tick in ticks] == ["0", "1", "2"]


@pytest.mark.parametrize("kind", ["bar", "beeswarm", "dependence"])
@pytest.mark.parametrize("width", ["single", "double", "slide"])
def test_every_figure_is_drawn_in_every_width(one: Summary, kind: Any, width: str) -> None:
    figure = one.figure(kind, width=width)
    figure.canvas.draw()
    for text in figure.texts:
        box = text.get_window_extent()
        assert box.x0 >= -0.5
        assert box.x1 <= figure.bbox.x1 + 0.5


def test_figures_are_saved_with_their_provenance(one: Summary, tmp_path: Any) -> None:
    svg = one.save(tmp_path / "summary.svg", kind="bar").read_text()
    assert one.provenance["date"] in svg
    drawn = svg.split("</metadata>")[1]
    assert "Background(data='…'" in drawn.replace("&#39;", "'"), "the caption quotes all data"
    with pytest.raises(InputError, match="Cannot draw"):
        one.save(tmp_path / "summary.gif")


# The page.


def test_what_crosses_is_the_summary(one: Summary) -> None:
    said = info(one)
    conforms(protocol.SummaryInfo, said)
    assert said["names"] == NAMES
    assert wire.decode(said["values"]) == pytest.approx(one.values.numpy(), abs=1e-3)
    assert said["features"] is not None
    places = wire.decode(said["features"])
    low, high = np.array(said["minimum"]), np.array(said["maximum"])
    assert low + places * (high - low) == pytest.approx(rows(), abs=1e-3)
    assert said["choices"] == [[], [], [], [], ["0", "1", "2"]]


def test_missing_values_cross_as_such() -> None:
    x = rows(30)
    x[3, 1] = np.nan
    known = lambda rows: np.nan_to_num(np.asarray(rows, float)).sum(1)  # noqa: E731
    found = summarize(known, x, feature_names=NAMES, progress=False)
    said = info(found)
    assert said["features"] is not None
    assert wire.decode(said["features"])[3, 1] == pytest.approx(-1, abs=1e-3)
    found.figure("dependence", feature="left").canvas.draw()


def test_only_so_many_rows_cross() -> None:
    found = summarize(nn.Linear(2, 1), torch.randn(2500, 2), "input_x_gradient", batch=500)
    said = info(found)
    assert said["rows"] == 2500
    assert said["values"]["shape"] == [834, 2]


def test_it_shows_itself(one: Summary, wire: None) -> None:
    data, _ = one._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    widget = one.widget()
    assert widget._alone == "summary"
    assert widget._summary["names"] == NAMES
    assert FakePage(widget).ask("hello")["ok"]  # type: ignore[arg-type]
    widget.close()
