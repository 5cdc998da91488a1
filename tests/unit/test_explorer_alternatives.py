"""What would have to be different, in the Explorer of a table: asked from Python and the page."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nbxplain import Explorer
from nbxplain.core.errors import ExplanationError, InputError, TargetError
from nbxplain.counterfactuals import CausalGraph, counterfactuals
from tests.models import cnn, picture
from tests.unit.page import FakePage, until
from tests.unit.test_explorer_saved import saved

pytest_plugins = ["tests.unit.page"]

NAMES = ["income", "balance", "age"]
ROWS = np.array(
    [[40.0, 10, 30], [75, 25, 41], [110, 40, 50], [160, 60, 60], [90, 30, 22], [60.5, 20.5, 35]]
)
ROW = [75.0, 25.0, 41.0]
"""Refused: income + 5 * balance is 200, and 225 is wanted (Karimi et al. 2021, in thousands)."""


class Loan(nn.Module):
    """Two classes: granted where income + 5 * balance is above 225; age does not count."""

    def forward(self, x: Tensor) -> Tensor:
        score = (x[:, 0] + 5 * x[:, 1] - 225) / 10
        return torch.stack([torch.zeros_like(score), score], 1)


def opened(model: Any = None, **options: Any) -> Explorer:
    labels = ["refused", "granted"] if model is None else None
    model = Loan() if model is None else model
    explorer = Explorer(
        model, ROW, background=ROWS, feature_names=NAMES, labels=labels, method="feature_ablation",
        **options,
    )  # fmt: skip
    explorer.wait()
    return explorer


@pytest.fixture
def explorer(wire: None) -> Iterator[Explorer]:
    explorer = opened()
    yield explorer
    explorer.close()


def asked(desired: Any = 1, **more: Any) -> dict[str, Any]:
    return {
        "desired": desired, "k": 3, "search": "auto", "immutable": [], "monotone": {},
        "ranges": {}, **more,
    }  # fmt: skip


def test_the_panel_finds_what_the_function_finds(explorer: Explorer) -> None:
    explorer.alternatives.find("granted", k=3, immutable=["age"], monotone={"income": "increase"})
    explorer.alternatives.wait()
    found = explorer.alternatives.result
    direct = counterfactuals(
        Loan(), ROW, 1, background=ROWS, feature_names=NAMES, k=3, immutable=["age"],
        monotone={"income": "increase"},
    )  # fmt: skip
    assert found is not None
    assert torch.equal(found.rows, direct.rows)
    assert found.figure().axes
    assert found.describe()["desired"] == "granted"
    assert "immutable=['age']" in found.code()


def test_the_page_is_told_the_rows_and_which_cells_changed(
    explorer: Explorer, page: FakePage
) -> None:
    answer = page.ask("alternatives", asked=asked(immutable=["age", "income"]))
    assert answer["ok"], answer["error"]
    explorer.alternatives.wait()
    told = explorer._alternatives
    assert told is not None
    assert told["job"]["state"] == "done"
    assert told["desired"] == "granted"
    assert told["names"] == NAMES
    as_it_was, first = told["rows"][:2]
    assert [cell["value"] for cell in as_it_was["cells"]] == ROW
    assert [cell["changed"] for cell in first["cells"]] == ["", "acted", ""]
    assert first["valid"]
    # 30 is the boundary.
    assert first["cells"][1]["value"] == pytest.approx(30, abs=0.2)
    assert first["says"] == pytest.approx(0.5, abs=0.02)
    assert as_it_was["says"] == pytest.approx(float(torch.tensor(-2.5).sigmoid()), abs=1e-6)
    assert told["unit"] == "probability"
    assert told["error"] is None


def test_they_are_taken_away_as_code_and_as_a_figure(explorer: Explorer, page: FakePage) -> None:
    assert "yet" in page.ask("alternative", action="code", item="", place=0)["error"]["title"]
    explorer.alternatives.find("granted", immutable=["age"])
    explorer.alternatives.wait()
    found = explorer.alternatives.result
    assert found is not None
    answer = page.ask("alternative", action="code", item="", place=0)
    space: dict[str, Any] = {"model": Loan(), "row": ROW, "background": ROWS}
    exec(answer["code"], space)
    assert torch.equal(space["found"].rows, found.rows)
    answer = page.ask("alternative", action="figure", item="", place=0)
    assert answer["filename"].endswith(".png")
    assert bytes(answer["buffers"][0]).startswith(b"\x89PNG")
    assert "dance" in page.ask("alternative", action="dance", item="", place=0)["error"]["title"]


def test_without_a_wish_the_second_class_is_meant(explorer: Explorer) -> None:
    explorer.alternatives.find()
    explorer.alternatives.wait()
    assert explorer._alternatives is not None
    assert explorer._alternatives["desired"] == "granted"


def test_what_follows_by_a_causal_graph_is_told_apart(explorer: Explorer, page: FakePage) -> None:
    graph = CausalGraph({"balance": (["income"], lambda income: 0.3 * income)})
    explorer.alternatives.find("granted", k=1, costs={"balance": 100.0}, causal_graph=graph)
    explorer.alternatives.wait()
    # The page knows no graphs: the one given here holds for what it asks as well.
    for _ in range(2):
        told = explorer._alternatives
        assert told is not None
        cells = told["rows"][1]["cells"]
        assert [cell["changed"] for cell in cells] == ["acted", "followed", ""]
        assert cells[0]["value"] == pytest.approx(85, abs=0.2)
        assert cells[1]["value"] == pytest.approx(28, abs=0.1)
        page.ask("alternatives", asked=asked(k=1))
        explorer.alternatives.wait()


def test_each_can_be_explained_and_the_row_as_it_was_again(
    explorer: Explorer, page: FakePage
) -> None:
    page.ask("alternatives", asked=asked())
    explorer.alternatives.wait()
    found = explorer.alternatives.result
    assert found is not None
    assert page.ask("alternative", action="explain", item="", place=2)["ok"]
    explorer.wait()
    assert explorer.row == found.table.row(found.rows[0, 1])
    assert explorer._prediction is not None
    assert explorer._prediction["top"][0]["label"] == "granted"
    assert explorer._alternatives is not None
    assert explorer._alternatives["explained"] == 2
    assert page.ask("alternative", action="explain", item="", place=0)["ok"]
    assert explorer.row == dict(zip(NAMES, ROW, strict=True))
    assert explorer._alternatives["explained"] == 0
    explorer.row = [60.5, 20.5, 35.0]
    assert explorer._alternatives is None
    assert explorer.alternatives.result is None
    assert "yet" in page.ask("alternative", action="explain", item="", place=0)["error"]["title"]


def searches(explorer: Explorer) -> list[dict[str, Any]]:
    return [item for item in explorer._history if "rows" in item]


def test_searches_stand_in_the_history(explorer: Explorer, page: FakePage) -> None:
    explorer.alternatives.find("granted", immutable=["age"])
    explorer.alternatives.wait()
    first = explorer.alternatives.result
    explorer.alternatives.find("granted", k=2, immutable=["income", "age"])
    explorer.alternatives.wait()
    assert first is not None
    explained, one, two = explorer._history
    assert "result" in explained
    assert (one["name"], two["name"]) == ("→ granted", "→ granted")
    assert one["rows"]["asked"]["immutable"] == ["age"]
    assert two["rows"] == explorer._alternatives
    # The earlier one is still there to be taken away and explained.
    answer = page.ask("alternative", action="json", item=one["id"], place=0)
    described = json.loads(bytes(answer["buffers"][0]))
    assert described == json.loads(first.encode("json"))
    assert page.ask("alternative", action="explain", item=one["id"], place=1)["ok"]
    explorer.wait()
    assert explorer.row == first.table.row(first.rows[0, 0])


def test_another_row_keeps_the_searches_it_is_in(explorer: Explorer, page: FakePage) -> None:
    explorer.alternatives.find("granted", immutable=["income", "age"])
    explorer.alternatives.wait()
    (other,) = searches(explorer)
    page.ask("history", action="pin", item=other["id"])
    explorer.alternatives.find("granted", immutable=["balance", "age"])
    explorer.alternatives.wait()
    one = searches(explorer)[1]
    explorer.alternatives.explain(1)
    explorer.wait()
    # Income was raised: that row is none of those where it stayed.
    assert [item["id"] for item in searches(explorer)] == [one["id"]]
    assert searches(explorer)[0]["rows"]["explained"] == 1
    gone = page.ask("alternative", action="figure", item=other["id"], place=0)
    assert "no longer kept" in gone["error"]["title"]
    explorer.row = [60.5, 20.5, 35.0]
    explorer.wait()
    assert searches(explorer) == []


def test_a_saved_page_has_the_searches(explorer: Explorer) -> None:
    explorer.alternatives.find("granted")
    explorer.alternatives.wait()
    kept = saved(explorer)["_history"][-1]
    assert kept["rows"]["rows"] == explorer._alternatives["rows"]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"desired": 0}, "The row is refused already."),
        ({"ranges": {"age": [60.0, 50.0]}}, "is empty"),
        ({"ranges": {"age": [50.0, 60.0]}, "immutable": ["age"]}, "'age' is immutable"),
        ({"desired": [0.0, 1.0]}, "An interval needs a model with one score"),
        ({"immutable": ["agee"]}, "no feature 'agee'"),
    ],
)
def test_what_cannot_be_asked_is_a_card(
    explorer: Explorer, page: FakePage, wanted: dict[str, Any], says: str
) -> None:
    page.ask("alternatives", asked=asked(**wanted))
    with pytest.raises(ExplanationError, match=says):
        explorer.alternatives.wait()
    told = explorer._alternatives
    assert told is not None
    assert says in told["error"]["title"]
    assert told["error"]["hint"]
    assert told["job"]["state"] == "error"
    assert explorer._error is None
    page.ask("alternatives", asked=asked())
    explorer.alternatives.wait()
    assert explorer._alternatives is not None
    assert explorer._alternatives["error"] is None


def test_what_cannot_begin_is_answered(explorer: Explorer, page: FakePage) -> None:
    assert "grants" in page.ask("alternatives", asked=asked("grants"))["error"]["title"]
    assert "k = 0" in page.ask("alternatives", asked=asked(k=0))["error"]["title"]
    assert "luck" in page.ask("alternatives", asked=asked(search="luck"))["error"]["title"]
    with pytest.raises(TargetError, match="no class"):
        explorer.alternatives.find("grants")


def test_the_unreachable_is_said_with_the_best_there_is(explorer: Explorer) -> None:
    explorer.alternatives.find("granted", immutable=["balance"], ranges={"income": (0.0, 90.0)})
    explorer.alternatives.wait()
    told = explorer._alternatives
    assert told is not None
    assert not any(row["valid"] for row in told["rows"])
    assert "is 1 short" in told["notices"][0]
    assert told["rows"][1]["margin"] == pytest.approx(-1, abs=1e-4)


def test_an_interval_of_a_regression(wire: None) -> None:
    explorer = opened(lambda rows: rows[:, 0] + 5 * rows[:, 1])
    with pytest.raises(InputError, match="one score"):
        explorer.alternatives.find()
    explorer.alternatives.find((230.0, 240.0))
    explorer.alternatives.wait()
    told = explorer._alternatives
    assert told is not None
    assert told["desired"] == "230 to 240"
    assert told["unit"] == "score"
    assert all(230 < row["says"] < 240 for row in told["rows"][1:])
    explorer.close()


def test_stop_keeps_the_best_so_far(wire: None) -> None:
    """A model that takes its time: the first rows are there while the search goes on."""

    def slow(rows: Any) -> Any:
        time.sleep(0.03)
        granted = 1 / (1 + np.exp(-(rows[:, 0] + 5 * rows[:, 1] - 225) / 10))
        return np.stack([1 - granted, granted], 1)

    explorer = opened(slow)
    page = FakePage(explorer)
    page.ask("alternatives", asked=asked())
    until(lambda: (explorer._alternatives or {}).get("rows"), "nothing was found on the way")
    assert explorer._alternatives is not None
    assert explorer._alternatives["job"]["state"] == "running"
    assert all(row["valid"] for row in explorer._alternatives["rows"][1:])
    page.ask("stop", panel="alternatives")
    explorer.alternatives.wait(5)
    told = explorer._alternatives
    assert told["job"]["state"] == "cancelled"
    assert 0 < told["job"]["done"] < told["job"]["total"]
    assert told["rows"]
    assert explorer.alternatives.result is not None
    explorer.close()


def test_a_picture_has_no_alternatives(wire: None) -> None:
    explorer = Explorer(cnn(), picture(), method="gradient")
    explorer.wait()
    with pytest.raises(InputError, match=r"no row.* explorer\.edits\.find\("):
        explorer.alternatives.find(1)
    explorer.close()


def test_the_picture_panel_says_what_to_call(explorer: Explorer) -> None:
    with pytest.raises(InputError, match="no picture") as error:
        explorer.edits.find("granted", k=3, steps=20, immutable=["age"])
    call = "explorer.alternatives.find('granted', k=3, immutable=['age'])"
    assert f"Call {call}: " in error.value.hint
    explorer.alternatives.find("granted", k=3, immutable=["age"])  # as it says
    explorer.alternatives.wait()
    with pytest.raises(InputError, match=r"Call explorer\.alternatives\.find\(\): "):
        explorer.edits.probe()


def test_a_saved_page_holds_them(explorer: Explorer, tmp_path: Path) -> None:
    explorer.alternatives.find("granted", immutable=["age"])
    explorer.alternatives.wait()
    saved = explorer.save(tmp_path / "page.html").read_text()
    assert '"desired": "granted"' in saved
    assert '"followed"' not in saved
    assert '"acted"' in saved
