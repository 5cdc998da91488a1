"""Divisions of pictures and tables: they cover, they fit, and they survive as data."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from nbxplain import ExplanationError, Regions, explain
from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs, read
from nbxplain.core.pixels import PixelSpace
from tests.models import cnn, picture

CPU = torch.device("cpu")

KINDS = {
    "superpixels": Regions.superpixels(20),
    "grid": Regions.grid(3, 5),
    "map": Regions.map(torch.arange(256).view(16, 16) // 40),
    "masks": Regions.masks({"left": np.arange(256).reshape(16, 16) % 16 < 8}),
    "table": Regions.map([0, 0, 1], names=("size", "age")),
}
every_kind = pytest.mark.parametrize("kind", KINDS)
of_pictures = pytest.mark.parametrize("kind", sorted(set(KINDS) - {"table"}))


def labels(regions: Regions, x: Tensor) -> Tensor:
    return regions.labels_for(read(x, None), CPU)


@of_pictures
def test_covers_every_pixel_with_numbers_from_zero(kind: str) -> None:
    found = labels(KINDS[kind], picture(2))
    assert found.shape == (2, 16, 16)
    assert found.dtype == torch.long
    for row in found:
        assert row.unique().tolist() == list(range(int(row.max()) + 1))


@of_pictures
def test_batch_equals_one_by_one(kind: str) -> None:
    x = 3 * picture(3) - 1
    together = labels(KINDS[kind], x)
    for row in range(3):
        assert torch.equal(together[row], labels(KINDS[kind], x[row])[0])


def test_superpixels_follow_the_picture_in_pixels() -> None:
    halves = torch.zeros(1, 3, 32, 32)
    halves[..., 10:] = 1
    space = PixelSpace((0.5,) * 3, (0.2,) * 3)
    inputs = Inputs(space.to_model(halves), space)
    found = Regions.superpixels(12).labels_for(inputs, CPU)[0]
    share = torch.stack([halves[0, 0][found == label].mean() for label in found.unique()])
    # The picture is smoothed a little first, so that a pixel at the edge may go to either side.
    assert bool(((share < 0.2) | (share > 0.8)).all())


def test_superpixels_of_a_picture_of_one_colour() -> None:
    assert labels(Regions.superpixels(9), torch.full((1, 3, 16, 16), 7.0)).shape == (1, 16, 16)


def test_grid() -> None:
    found = labels(Regions.grid(2, 4), picture())[0]
    assert found[0].tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4
    assert found[:, 0].tolist() == [0] * 8 + [4] * 8
    with pytest.raises(ExplanationError, match="17"):
        labels(Regions.grid(17, 1), picture())


def test_table_has_its_features_or_groups() -> None:
    x = torch.rand(2, 3)
    assert labels(Regions(), x).tolist() == [[0, 1, 2]] * 2
    assert labels(KINDS["table"], x).tolist() == [[0, 0, 1]] * 2
    with pytest.raises(ExplanationError, match="grid"):
        labels(Regions.grid(2, 2), x)


def test_any_numbers_are_labels() -> None:
    given = np.full((16, 16), 7, np.uint16)
    given[3:5] = 300
    found = labels(Regions.map(given), picture())[0]
    assert torch.equal(found, torch.from_numpy((given == 300).astype(np.int64)))


def test_masks_leave_a_rest() -> None:
    first, second = torch.zeros(2, 16, 16, dtype=torch.bool)
    first[:2], second[5:] = True, True
    regions = Regions.masks({"sky": first, "ground": second})
    assert regions.names == ("sky", "ground", "rest")
    found = labels(regions, picture())[0]
    assert [int((found == label).sum()) for label in range(3)] == [32, 176, 48]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Regions.map(np.zeros((4, 4))), "type float64"),
        (lambda: Regions.map(np.zeros((1, 4, 4), int)), "shape"),
        (lambda: Regions.map([]), "shape"),
        (lambda: Regions.map([0, -1]), "do not cover"),
        (lambda: Regions.map([0, 1], names=("a",)), "1 names"),
        (lambda: Regions(kind="map"), "needs labels"),
        (lambda: Regions(kind="map", data="eJwDAAAAAAE=", shape=(2, 2)), "labels"),
        (lambda: Regions.masks([np.ones((4, 4), bool)] * 2), "overlap in 16"),
        (lambda: Regions.masks([np.zeros((4, 4), bool)]), "empty"),
        (lambda: Regions.masks([np.zeros((4, 4))]), "boolean"),
        (lambda: Regions.masks([]), "boolean"),
    ],
)
def test_what_is_no_division_is_refused(make: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Regions.grid(0, 3), "rows = 0 .*greater than or equal to 1"),
        (lambda: Regions.superpixels(1), "count = 1 .*greater than or equal to 2"),
        (lambda: Regions.map([0, 1], names=("a",)), "Regions: 1 names were given for 2 regions"),
    ],
)
def test_regions_out_of_range_are_refused_in_words(make: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()  # type: ignore[operator]


def test_explain_says_why_a_label_map_is_none() -> None:
    with pytest.raises(InputError) as caught:
        explain(cnn(), picture(), "feature_ablation", regions=-torch.ones(16, 16).long())
    assert caught.value.title == (
        "The label map has negative labels: the regions do not cover the input."
    )


def test_map_of_another_size_is_an_error_with_both_sizes() -> None:
    with pytest.raises(ExplanationError, match=r"\(16, 16\).*\(20, 20\)"):
        labels(KINDS["map"], picture(side=20))


@every_kind
def test_json_round_trip_and_repr(kind: str) -> None:
    regions = KINDS[kind]
    again = Regions.model_validate_json(regions.model_dump_json())
    assert again == regions
    assert hash(again) == hash(regions)
    assert eval(repr(regions), {"Regions": Regions}) == regions


def test_a_map_is_small_as_data() -> None:
    rows = torch.arange(224).view(-1, 1) // 16 * 14
    regions = Regions.map(rows + torch.arange(224) // 16)
    assert len(regions.model_dump_json()) < 4000


def names(regions: Regions, x: Tensor) -> list[list[str]]:
    inputs = read(x, None)
    return regions.names_for(inputs, regions.labels_for(inputs, CPU))


def test_regions_are_named_by_where_they_lie() -> None:
    assert names(Regions.grid(3, 3), picture())[0] == (
        "upper left, top, upper right, left, centre, right, lower left, bottom, lower right"
    ).split(", ")
    expected = [["left", "centre", "centre 2", "right"]] * 2
    assert names(Regions.grid(1, 4), picture(2)) == expected


def test_names_are_those_given_or_the_features() -> None:
    assert names(KINDS["masks"], picture()) == [["left", "rest"]]
    assert names(KINDS["table"], torch.rand(2, 3)) == [["size", "age"]] * 2
    assert names(Regions(), torch.rand(1, 3)) == [["feature 0", "feature 1", "feature 2"]]
    assert names(Regions.map([1, 0, 1]), torch.rand(1, 3)) == [["group 0", "group 1"]]
