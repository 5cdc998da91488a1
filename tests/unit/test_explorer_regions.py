"""Regions in the Explorer: set from Python, chosen on the page, painted on the stage."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from traitlets import TraitError

from nbxplain import Explorer, Regions, explain
from nbxplain.methods.perturbation import FeatureAblation
from nbxplain.widget import runs
from tests.models import cnn, picture
from tests.unit.page import FakePage

pytest_plugins = ["tests.unit.page"]


@pytest.fixture
def explorer(wire: None) -> Iterator[Explorer]:
    explorer = Explorer(cnn(), picture(), method="feature_ablation")
    explorer.wait()
    yield explorer
    explorer.close()


def quarter(explorer: Explorer) -> np.ndarray:
    """1 in the upper left quarter of the picture, 2 right of it, 0 below."""
    height, width = explorer.image.height, explorer.image.width
    labels = np.zeros((height, width), int)
    labels[: height // 2] = 1
    labels[: height // 2, width // 2 :] = 2
    return labels


def paint(page: FakePage, labels: np.ndarray, names: list[str]) -> dict[str, object]:
    return page.ask("painted_regions", [runs.encode(labels)["data"]], names=names)


def parts(explorer: Explorer, labels: np.ndarray) -> list[set[float]]:
    """Which values the map has in each region."""
    values = explorer.wait().heatmap().numpy()
    return [set(values[labels == label].tolist()) for label in np.unique(labels)]


def test_python_sets_regions_in_any_form(explorer: Explorer) -> None:
    assert explorer.regions == {}
    explorer.regions = Regions.grid(2, 3)
    assert explorer.regions == {"kind": "grid", "rows": 2, "columns": 3}
    assert explorer.wait().method.regions == Regions.grid(2, 3)
    assert explorer._result["spec"]["regions"] == explorer.regions
    explorer.regions = "grid"
    assert explorer.wait().method.regions == Regions.grid()
    explorer.regions = None
    assert explorer.regions == {}
    assert explorer.wait().method.regions is None


def test_the_method_that_is_given_brings_its_regions(wire: None) -> None:
    explorer = Explorer(cnn(), picture(), method=FeatureAblation(regions=Regions.grid(3, 2)))
    assert explorer.wait().method.regions == Regions.grid(3, 2)
    assert explorer.regions["kind"] == "grid"
    assert "regions" not in explorer.params
    explorer.close()


def test_regions_outlast_a_method_that_takes_none(explorer: Explorer) -> None:
    explorer.regions = Regions.grid(2, 2)
    explorer.method = "gradient"
    assert explorer.wait().method.name == "gradient"
    assert explorer._result["spec"]["regions"] == {}
    explorer.method = "lime"
    explorer.params = {**explorer.params, "samples": 8}
    assert explorer.wait().method.regions == Regions.grid(2, 2)


@pytest.mark.parametrize("wrong", ["hexagons", {"kind": "grid", "rows": 0}, {"kind": "map"}, 5])
def test_no_regions_are_refused(explorer: Explorer, wrong: object) -> None:
    with pytest.raises(TraitError, match="no regions"):
        explorer.regions = wrong
    assert explorer.regions == {}


def test_regions_are_no_parameter(explorer: Explorer) -> None:
    with pytest.raises(TraitError, match="regions is no entry of params"):
        explorer.params = {"regions": "grid"}


def test_painted_regions_are_what_is_left_out(explorer: Explorer, page: FakePage) -> None:
    labels = quarter(explorer)
    assert paint(page, labels, ["left ear", "right ear"])["ok"]
    assert explorer.regions["names"] == ["rest", "left ear", "right ear"]
    assert [len(values) for values in parts(explorer, labels)] == [1, 1, 1]
    alone = explain(cnn(), picture(), FeatureAblation(regions=Regions.map(labels)))
    assert torch.equal(explorer.result.values, alone.values)


def test_without_a_rest_there_is_none(explorer: Explorer, page: FakePage) -> None:
    labels = quarter(explorer)
    labels[labels == 0] = 3
    assert paint(page, labels, ["a", "b", "c"])["ok"]
    assert explorer.regions["names"] == ["a", "b", "c"]


def test_another_painting_of_the_same_names_is_computed(explorer: Explorer, page: FakePage) -> None:
    labels = quarter(explorer)
    paint(page, labels, ["a", "b"])
    first = explorer.wait()
    paint(page, labels.T.copy(), ["a", "b"])
    assert explorer.wait() is not first
    assert [len(values) for values in parts(explorer, labels.T)] == [1, 1, 1]
    assert len(explorer._history) == 3


@pytest.mark.parametrize(
    ("names", "data", "title"),
    [
        (["a"], struct.pack("<2H", 1, 7), "do not fill"),
        (["a"], b"\0\0\0", "do not fill"),
        (["a"], None, "No regions came"),
    ],
)
def test_a_painting_that_is_no_division_is_refused(
    explorer: Explorer, page: FakePage, names: list[str], data: bytes | None, title: str
) -> None:
    answer = page.ask("painted_regions", None if data is None else [data], names=names)
    assert title in answer["error"]["title"]
    assert explorer.regions == {}


def test_names_and_regions_must_match(explorer: Explorer, page: FakePage) -> None:
    labels = quarter(explorer)
    assert "2 labels and 1 names" in paint(page, labels, ["a"])["error"]["title"]
    assert "'c' has no pixels" in paint(page, labels, ["a", "b", "c"])["error"]["title"]


@pytest.mark.parametrize("names", [[], "ab", None, [["a"], "b"]])
def test_names_must_be_names(explorer: Explorer, page: FakePage, names: object) -> None:
    assert not paint(page, quarter(explorer), names)["ok"]  # type: ignore[arg-type]


def labels_asked(page: FakePage, regions: dict[str, object], segments: int) -> np.ndarray:
    answer = page.ask("regions", regions=regions, segments=segments)
    assert answer["ok"], answer["error"]
    rows, columns = answer["labels"]["shape"]
    return runs.decode(answer["buffers"][0], (rows, columns))


def test_the_page_gets_the_regions_that_are_used(explorer: Explorer, page: FakePage) -> None:
    few, many = labels_asked(page, {}, 4), labels_asked(page, {}, 40)
    assert few.shape == (explorer.image.height, explorer.image.width)
    assert 1 < few.max() + 1 < many.max() + 1
    grid = labels_asked(page, {"kind": "grid", "rows": 2, "columns": 3}, 9)
    assert sorted(np.unique(grid)) == list(range(6))
    explorer.params = {**explorer.params, "segments": 40}
    assert [len(values) for values in parts(explorer, many)] == [1] * int(many.max() + 1)


def test_the_page_gets_a_painting_back_after_a_reload(explorer: Explorer, page: FakePage) -> None:
    labels = quarter(explorer)
    paint(page, labels, ["a", "b"])
    assert (labels_asked(page, explorer.regions, 9) == labels).all()
    answer = page.ask("regions", regions=explorer.regions, segments=9)
    assert answer["names"] == ["rest", "a", "b"]


def test_a_painting_that_is_gone_is_not_taken_for_another(
    explorer: Explorer, page: FakePage
) -> None:
    paint(page, quarter(explorer), ["a", "b"])
    gone = dict(explorer.regions)
    explorer.wait()
    explorer.regions = Regions.map(quarter(explorer).T.copy())
    explorer.wait()
    answer = page.ask("regions", regions=gone, segments=9)
    assert "no longer kept" in answer["error"]["title"]
    page.set(regions=gone)
    assert "no longer kept" in explorer._error["title"]


def test_restoring_brings_the_painting_back(explorer: Explorer, page: FakePage) -> None:
    paint(page, quarter(explorer), ["a", "b"])
    painted, named = explorer.wait(), dict(explorer.regions)
    item = explorer._history[-1]["id"]
    explorer.regions = None
    explorer.wait()
    page.ask("history", action="restore", item=item)
    assert explorer.regions == named
    assert explorer.result is painted
    explorer.run()
    assert torch.equal(explorer.wait().values, painted.values)


def test_regions_of_another_size_are_a_card(explorer: Explorer) -> None:
    explorer.regions = np.arange(12).reshape(3, 4)
    with pytest.raises(ValueError, match="shape"):
        explorer.wait()
    assert explorer.status == "error"


def test_the_code_names_the_regions(explorer: Explorer) -> None:
    explorer.regions = Regions.grid(2, 2)
    explorer.wait()
    assert "regions=Regions(kind='grid', rows=2, columns=2)" in explorer.code()
