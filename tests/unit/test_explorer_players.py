"""The Explorer and its page: players in results, taken away, and rows of tables edited."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from nbxplain import Explorer, Regions
from nbxplain.widget import protocol, runs
from tests.models import cnn, many, picture
from tests.unit.page import FakePage, until
from tests.unit.test_protocol import conforms

pytest_plugins = ["tests.unit.page"]

NAMES = ["a", "b", "c"]


class Products(nn.Module):
    """a b + c, and zero."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        score = x[:, 0] * x[:, 1] + x[:, 2]
        return torch.stack([score, 0 * score], 1)


def opened(*arguments: Any, **options: Any) -> tuple[Explorer, FakePage]:
    explorer = Explorer(*arguments, **options)
    explorer.wait()
    page = FakePage(explorer)
    page.ask("hello")
    return explorer, page


@pytest.fixture
def regions(wire: None) -> Iterator[tuple[Explorer, FakePage]]:
    explorer, page = opened(cnn(), picture(), method="shapley", target=1)
    explorer.regions = Regions.grid(3, 3)
    explorer.wait()
    yield explorer, page
    explorer.close()


@pytest.fixture
def table(wire: None) -> Iterator[tuple[Explorer, FakePage]]:
    row = dict(zip(NAMES, (2.0, 3.0, 5.0), strict=True))
    options: dict[str, Any] = {"feature_names": NAMES, "background": np.zeros((1, 3))}
    explorer, page = opened(Products(), row, method="shapley", target=0, **options)
    yield explorer, page
    explorer.close()


def test_players_of_a_picture_have_a_label_map(regions: tuple[Explorer, FakePage]) -> None:
    explorer, _ = regions
    players = explorer._result["players"]
    conforms(protocol.Players, players)
    labels = runs.decode(players["labels"]["data"], (16, 16))
    assert np.array_equal(labels, explorer.result.players.labels[0].numpy())
    assert len(players["names"]) == len(players["values"]) == 9
    assert sum(players["values"]) == pytest.approx(players["score"] - players["base"], abs=1e-5)
    assert explorer._history[-1]["result"]["players"] == players


def test_a_frame_sends_the_label_map_as_its_second_buffer(
    regions: tuple[Explorer, FakePage],
) -> None:
    explorer, page = regions
    page.ask("draft", spec={**explorer._result["spec"], "target": 2})
    frame = page.messages("frame")[-1]
    assert frame["result"]["players"]["labels"]["data"] == b""
    labels = runs.decode(bytes(frame["buffers"][1]), (16, 16))
    assert labels.max() == 8


def test_players_are_taken_away(regions: tuple[Explorer, FakePage]) -> None:
    explorer, page = regions
    answer = page.ask("ablate", result=explorer._result["id"], players=[0, 4], fill="white")
    found = answer["ablation"]
    conforms(protocol.Ablation, found)
    x, model = picture(), cnn()
    labels = explorer.result.players.labels[0]
    without = [torch.where((labels == 0) | (labels == 4), torch.ones(()), x)]
    without += [torch.where(labels == player, torch.ones(()), x) for player in (0, 4)]
    with torch.no_grad():
        before, (both, *single) = model(x)[0, 1], model(torch.cat(without))[:, 1]
    assert found["before"] == pytest.approx(float(before), abs=1e-5)
    assert found["after"] == pytest.approx(float(both), abs=1e-5)
    drops = [float(before - s) for s in single]
    assert found["singles"] == pytest.approx(drops, abs=1e-5)
    assert found["interaction"] == pytest.approx(float(before - both) - sum(drops), abs=1e-5)
    shares = model(x).detach().softmax(1)[0]
    for choice in found["choices"]:
        assert choice["before"] == pytest.approx(float(shares[choice["index"]]), abs=1e-5)
    assert bytes(answer["buffers"][0]).startswith(b"\xff\xd8"), "no JPEG"


def test_the_explained_class_is_told_without_some_players(wire: None) -> None:
    last = int(many()(picture())[0].argmin())
    explorer, page = opened(many(), picture(), method="shapley", target=last)
    id = explorer._result["id"]
    found = page.ask("ablate", result=id, players=[0], fill="white")["ablation"]
    explorer.close()
    assert len(found["choices"]) == 6
    assert found["choices"][-1]["index"] == last
    before = float(many()(picture()).detach().softmax(1)[0, last])
    assert found["choices"][-1]["before"] == pytest.approx(before, abs=1e-6)


def test_what_cannot_be_taken_away_is_said(regions: tuple[Explorer, FakePage]) -> None:
    explorer, page = regions
    id = explorer._result["id"]
    for wrong, says in (
        ({"result": "gone", "players": [0], "fill": "mean"}, "no longer kept"),
        ({"result": id, "players": [9], "fill": "mean"}, "no part 9"),
        ({"result": id, "players": [0], "fill": "paint"}, "'paint'"),
    ):
        answer = page.ask("ablate", **wrong)
        assert not answer["ok"]
        assert says in answer["error"]["title"]
    explorer.method = "gradient"
    explorer.wait()
    answer = page.ask("ablate", result=explorer._result["id"], players=[0], fill="mean")
    assert "gives a map" in answer["error"]["title"]


def test_an_earlier_result_can_be_asked_of(regions: tuple[Explorer, FakePage]) -> None:
    explorer, page = regions
    first, players = explorer._result["id"], explorer._result["players"]
    explorer.target = 3
    explorer.wait()
    answer = page.ask("ablate", result=first, players=[], fill="baseline")
    assert answer["ablation"]["before"] == pytest.approx(players["score"], abs=1e-5)
    assert answer["ablation"]["after"] == answer["ablation"]["before"]


def test_everything_away_leaves_the_base(regions: tuple[Explorer, FakePage]) -> None:
    explorer, page = regions
    players = explorer._result["players"]
    asked = {"result": explorer._result["id"], "players": list(range(9)), "fill": "baseline"}
    assert page.ask("ablate", **asked)["ablation"]["after"] == pytest.approx(
        players["base"], abs=1e-5
    )


def test_features_of_a_row_are_taken_away(table: tuple[Explorer, FakePage]) -> None:
    explorer, page = table
    players = explorer._result["players"]
    assert players["names"] == NAMES
    assert players["shown"] == ["2", "3", "5"]
    assert players["values"] == pytest.approx([3, 3, 5])
    answer = page.ask("ablate", result=explorer._result["id"], players=[0, 1], fill="baseline")
    found = answer["ablation"]
    assert (found["before"], found["after"]) == (11, 5)
    assert found["singles"] == [6, 6]
    assert found["interaction"] == -6
    assert found["picture"] is None


def test_a_row_is_edited(table: tuple[Explorer, FakePage]) -> None:
    explorer, page = table
    found = page.ask("edit", values={"a": 4.0, "c": 5.0}, apply=False)["ablation"]
    conforms(protocol.Ablation, found)
    assert found["players"] == [0], "c was not changed"
    assert (found["before"], found["after"], found["singles"]) == (11, 17, [-6])
    assert explorer.row == {"a": 2, "b": 3, "c": 5}


def test_an_edited_row_becomes_the_explained_one(table: tuple[Explorer, FakePage]) -> None:
    explorer, page = table
    assert page.ask("edit", values={"b": 1.0}, apply=True)["ablation"]["after"] == 7
    until(lambda: explorer._result["players"]["score"] == pytest.approx(7), "not explained")
    assert explorer.row == {"a": 2, "b": 1, "c": 5}
    assert explorer._table["features"][1]["value"] == 1


def test_an_edit_that_does_not_fit_is_said(
    table: tuple[Explorer, FakePage], regions: tuple[Explorer, FakePage]
) -> None:
    _, page = table
    assert "no feature 'd'" in page.ask("edit", values={"d": 1}, apply=False)["error"]["title"]
    wrong = page.ask("edit", values={"a": "blue"}, apply=False)
    assert "'a'" in wrong["error"]["title"]
    _, page = regions
    assert "no table row" in page.ask("edit", values={"a": 1}, apply=False)["error"]["title"]
