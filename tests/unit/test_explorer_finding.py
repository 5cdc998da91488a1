"""What the Edit panel seeks: counterfactuals of a picture, and probes of fragility."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nbxplain import Explorer
from nbxplain.adversarial import pgd, smallest_epsilon
from nbxplain.core.errors import ExplanationError, InputError, TargetError
from nbxplain.counterfactuals.pictures import hunt
from nbxplain.counterfactuals.pictures.parameters import PictureSearch
from nbxplain.widget import runs
from tests.models import SIDE, cnn, many, picture
from tests.unit.page import FakePage, until
from tests.unit.test_explorer_saved import saved

pytest_plugins = ["tests.unit.page"]

WIDE = {"blur": 0.0, "jitter": 0, "noise": 0.0}


@pytest.fixture
def explorer(wire: None) -> Iterator[Explorer]:
    explorer = Explorer(cnn(), picture(), method="gradient")
    explorer.wait()
    yield explorer
    explorer.close()


def second(explorer: Explorer) -> int:
    """The class that is nearest to be predicted."""
    return int(explorer._study.setting.prediction.top(2)[1].index)


def found(explorer: Explorer) -> list[dict[str, Any]]:
    explorer.edits.wait()
    return [item["found"] for item in explorer._history if "found" in item]


def test_a_counterfactual_is_found_beside_the_explanation(explorer: Explorer) -> None:
    before = explorer.result
    explorer.edits.find(second(explorer), probability=None, steps=40, k=2, **WIDE)
    told = found(explorer)
    assert explorer.result is before
    result = explorer.edits.result
    assert len(told) == len(result) == 2
    with torch.no_grad():
        says = cnn()(result.tensor).argmax(1).tolist()
    for number, one in enumerate(told):
        assert one["reached"] == (says[number] == second(explorer))
        assert one["kind"] == "counterfactual"
        assert one["amplified"] == pytest.approx(result.gain(number), abs=0.01)
        seen = Image.open(io.BytesIO(one["picture"]["data"]))
        assert seen.size == (SIDE, SIDE)
        shares = [share for _, share in result.shares(number)]
        assert [s["share"] for s in one["shares"]] == shares[: len(one["shares"])]
        assert result.honesty[number].verdict in one["says"]
    assert len(told[0]["way"]["losses"]) == len(told[0]["way"]["costs"]) == 40
    assert told[0]["iterates"]


def test_the_explained_class_is_told_of_what_is_found(wire: None) -> None:
    last = int(many()(picture())[0].argmin())
    explorer = Explorer(many(), picture(), method="gradient", target=last)
    explorer.edits.find(second(explorer), probability=None, steps=5, **WIDE)
    explorer.edits.wait()
    explorer.edits.probe("fgsm")
    told = found(explorer)
    explorer.close()
    assert [one["kind"] for one in told] == ["counterfactual", "probe"]
    assert all(one["choices"][5]["index"] == last for one in told)


def test_the_page_seeks_inside_of_what_was_painted(explorer: Explorer, page: FakePage) -> None:
    labels = np.zeros((SIDE // 2, SIDE // 2), int)
    labels[:4] = 2
    request = {
        "desired": second(explorer),
        "probability": None,
        "shape": [SIDE // 2, SIDE // 2],
        "inside": True,
        "weights": {"l1": 0.0, "l2": 0.5, "smoothness": 0.0},
        "count": 1,
    }
    answer = page.ask("find", [runs.encode(labels)["data"]], **request)
    assert answer["ok"], answer["error"]
    explorer.edits.wait()
    change = explorer.edits.result.difference[0]
    assert bool((change[:, 8:] == 0).all())
    assert explorer.edits.result.search.l2 == 0.5


def test_stop_keeps_the_best_so_far_and_examines_it(explorer: Explorer, page: FakePage) -> None:
    explorer.edits.find(second(explorer), steps=2000)
    until(lambda: explorer._edits["walk"], "the search is not told")
    page.ask("stop", panel="edits")
    (one,) = found(explorer)
    result = explorer.edits.result
    assert 0 < result.done < 2000
    assert result.honesty
    assert f"stopped at step {result.done} of 2000" in one["says"]
    assert explorer._edits["walk"] is None


def test_the_search_is_told_while_it_runs(explorer: Explorer) -> None:
    explorer.edits.find(second(explorer), steps=2000)
    walk = until(lambda: explorer._edits["walk"], "the search is not told")
    assert walk["iterates"]
    assert walk["way"]["losses"]
    assert [one["index"] for one in walk["choices"][:3]] == [
        choice.index for choice in explorer._study.setting.prediction.top(3)
    ]
    explorer.edits.stop()
    explorer.edits.wait()


def test_the_bars_of_a_search_are_what_the_model_says_of_its_best(wire: None) -> None:
    model = many()
    explorer = Explorer(model, picture(), method="gradient")
    setting = explorer.edits._setting()
    last = int(setting.prediction.scores[0].argmin())
    steps = hunt(setting, last, explorer._passes(lambda: False), k=2, steps=8, **WIDE)
    for result in steps:
        expected = model(result.tensor).detach()
        torch.testing.assert_close(result.scores, expected)
    explorer.edits.find(last, steps=2000)
    walk = until(lambda: explorer._edits["walk"], "the search is not told")
    explorer.close()
    assert last in [one["index"] for one in walk["choices"]]


def test_an_explanation_meanwhile_does_not_end_the_search(explorer: Explorer) -> None:
    explorer.edits.find(second(explorer), steps=30)
    explorer.method = "integrated_gradients"
    assert explorer.wait() is not None
    assert len(found(explorer)) == 1


def test_what_cannot_be_found_is_a_card(explorer: Explorer, page: FakePage) -> None:
    predicted = explorer._study.setting.prediction.top(1)[0].index
    explorer.edits.find(predicted)
    with pytest.raises(TargetError, match="already"):
        explorer.edits.wait()
    assert "nearest boundary" in explorer._edits["error"]["hint"]
    empty = np.zeros((SIDE, SIDE), bool)
    explorer.edits.find(second(explorer), mask=empty)
    with pytest.raises(InputError, match="empty"):
        explorer.edits.wait()
    explorer.edits.find(second(explorer), mask=empty[:4])
    with pytest.raises(InputError, match="shape"):
        explorer.edits.wait()
    explorer.edits.find(second(explorer), likeness=1.0)
    with pytest.raises(InputError, match="examples"):
        explorer.edits.wait()


def test_what_is_out_of_reach_says_how_far_it_got(explorer: Explorer) -> None:
    last = int(explorer._study.setting.prediction.scores[0].argmin())
    mask = np.zeros((SIDE, SIDE), bool)
    mask[0, 0] = True
    explorer.edits.find(last, mask=mask, steps=5)
    (one,) = found(explorer)
    assert not one["reached"]
    assert "Not reached" in one["says"]
    assert "the model says" in one["says"]


def test_examples_give_the_page_a_weight_for_likeness(explorer: Explorer) -> None:
    explorer.edits.find(second(explorer), examples=picture(3, seed=5), likeness=0.1, steps=3)
    explorer.edits.wait()
    assert explorer._edits["examples"] == 3
    assert float(explorer.edits.result.terms["likeness"][0]) > 0


def test_the_page_begins_with_the_numbers_that_python_begins_with(
    explorer: Explorer, page: FakePage
) -> None:
    numbers = dict(explorer._catalog["edits"]["search"])
    page.ask(
        "find", desired=second(explorer), probability=numbers.pop("probability"), weights=numbers,
        count=1, inside=False, shape=[1, 1], fills=[], adjustments={},
    )  # fmt: skip
    found(explorer)
    assert explorer.edits.result.search == PictureSearch()


def test_where_the_change_lies_says_how_large_that_is(explorer: Explorer) -> None:
    explorer.edits.find(second(explorer), steps=3)
    (one,) = found(explorer)
    parts = explorer.edits.result.parts()
    labels = explorer.edits.result.labels
    assert sum(share for _, share, _ in parts) == pytest.approx(1)
    assert sorted(area for *_, area in parts) == pytest.approx(
        sorted((torch.bincount(labels.flatten()) / labels.numel()).tolist())
    )
    name, share, area = parts[0]
    assert one["shares"][0] == {
        "name": f"{name}, {100 * area:.0f} % of the picture",
        "share": share,
    }


def test_the_way_says_where_the_class_was_reached(explorer: Explorer) -> None:
    """The first step whose picture, undisturbed, is of the class; the search then pulls back."""
    explorer.edits.find(second(explorer), probability=None, steps=40, **WIDE)
    (one,) = found(explorer)
    way, curve = one["way"], explorer.edits.result.curve
    terms = ("l1", "l2", "smoothness", "likeness")
    assert way["costs"] == pytest.approx(
        [sum(float(curve[t][i, 0]) for t in terms) for i in range(40)]
    )
    assert way["losses"] == pytest.approx(curve["class"][:, 0].tolist())
    reached = way["reached"]
    assert 1 < reached <= 40
    # Two classes are left to win: who has half of the probability has won.
    assert (curve["probability"][: reached - 1, 0] < 0.5).all()
    assert max(way["costs"]) <= 2 * way["costs"][reached - 1]


def test_what_was_found_stands_in_the_history(explorer: Explorer, page: FakePage) -> None:
    explorer.edits.find(second(explorer), steps=3)
    (one,) = found(explorer)
    explained, item = explorer._history
    assert explained["result"]["id"] == explorer._result["id"]
    assert item["id"] == one["id"]
    assert item["name"] == f"→ {explorer.edits.result.desired}"
    assert page.ask("history", action="pin", item=item["id"])["ok"]
    assert page.ask("history", action="rename", item=item["id"], name="mine")["ok"]
    assert [(i["name"], i["pinned"]) for i in explorer._history][1] == ("mine", True)
    explorer.method = "input_x_gradient"
    explorer.wait()
    assert len(explorer._history) == 3
    assert page.ask("history", action="forget", item=item["id"])["ok"]
    assert found(explorer) == []
    gone = page.ask("found", action="explain", item=one["id"])
    assert "no longer kept" in gone["error"]["title"]


def test_it_is_taken_away_as_a_figure_and_as_numbers(explorer: Explorer, page: FakePage) -> None:
    explorer.edits.find(second(explorer), steps=3)
    (one,) = found(explorer)
    answer = page.ask("found", action="json", item=one["id"])
    assert answer["mime"] == "application/json"
    described = json.loads(bytes(answer["buffers"][0]))
    assert described["provenance"]["model"]
    assert described == json.loads(explorer.edits.result.encode("json"))
    explorer.edits.probe("fgsm", 0.01)
    probe = found(explorer)[-1]
    refused = page.ask("found", action="json", item=probe["id"])
    assert "cannot 'json'" in refused["error"]["title"]
    assert bytes(page.ask("found", action="figure", item=probe["id"])["buffers"][0][:4]) == (
        b"\x89PNG"
    )


def test_the_history_stays_small_with_pictures_in_it(explorer: Explorer) -> None:
    """Noise is what JPEG makes least of: 12 items of such pictures, and the page is below 1 MB."""
    explorer.image = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    explorer.wait()
    for _ in range(14):
        explorer.edits.probe("fgsm", 0.5)
        explorer.edits.wait()
    assert "found" in explorer._history[-1]
    assert len(explorer._encode("html")) < 1_000_000


def test_the_report_is_of_explanations_alone(explorer: Explorer, tmp_path: Path) -> None:
    explorer.edits.find(second(explorer), steps=3)
    explorer.edits.wait()
    assert explorer.report(tmp_path / "report.html").stat().st_size > 0


def test_a_probe_is_the_attack_of_the_library(explorer: Explorer) -> None:
    explorer.edits.probe("pgd", 0.1)
    (one,) = found(explorer)
    direct = pgd(cnn(), picture(), 0.1, steps=30)
    assert torch.equal(explorer.edits.result.changed.pixels, direct.pixels)
    assert one["kind"] == "probe"
    assert "not an explanation" in one["says"]
    assert len(one["maps"]) == 2
    fact = next(f for f in one["facts"] if "attribution" in f["label"])
    shift = float(direct.attribution_shift("gradient")[0])
    assert fact["value"] == f"ρ {shift:.2f}"


def test_the_smallest_epsilon_and_the_curve(explorer: Explorer) -> None:
    explorer.edits.probe("apgd", norm="l2", seeks="smallest")
    direct = smallest_epsilon(cnn(), picture(), norm="l2", attack="apgd", steps=30)
    explorer.edits.wait()
    assert explorer.edits.result.epsilon == pytest.approx(float(direct.epsilon[0]))
    explorer.edits.probe("fgsm", 0.05, seeks="curve")
    fragility = found(explorer)[-1]["fragility"]
    assert fragility["epsilon"] == pytest.approx([0.0, 0.0125, 0.025, 0.05, 0.1, 0.2])
    assert fragility["kept"][0] == 1
    assert fragility["confidence"][0] >= fragility["confidence"][-1]


def test_a_probe_toward_a_class_and_wrong_ones(explorer: Explorer, page: FakePage) -> None:
    explorer.edits.probe("deep_fool", norm="l2", toward=second(explorer))
    assert found(explorer)[-1]["reached"]
    explorer.edits.probe("glitter")  # type: ignore[arg-type]
    with pytest.raises(ExplanationError, match="no attack"):
        explorer.edits.wait()
    assert "no attack" in explorer._edits["error"]["title"]
    request = {"attack": "fgsm", "norm": "l1", "epsilon": 0.1, "toward": None, "seeks": "change"}
    page.ask("probe", **request)
    until(lambda: explorer._edits["job"]["state"] == "error", "it does not fail")
    assert "no norm" in explorer._edits["error"]["title"]


def test_a_found_picture_is_explained_drawn_and_written_as_code(
    explorer: Explorer, page: FakePage
) -> None:
    explorer.edits.find(second(explorer), steps=5)
    (one,) = found(explorer)
    tensor = explorer.edits.result.tensor
    code = page.ask("found", action="code", item=one["id"])["code"]
    assert "picture_counterfactuals(model, image" in code
    figure = page.ask("found", action="figure", item=one["id"])
    assert figure["filename"].endswith(".png")
    assert figure["buffers"][0].startswith(b"\x89PNG")
    assert page.ask("found", action="explain", item=one["id"])["ok"]
    assert torch.equal(explorer._study.setting.inputs.tensor, tensor)
    assert any("changed by a search" in notice for notice in explorer.wait().notices)
    scope: dict[str, Any] = {"model": cnn(), "image": picture()}
    exec(explorer.code(), scope)
    assert torch.equal(scope["attribution"].values, explorer.result.values)


@pytest.mark.parametrize("seeks", ["change", "smallest", "curve"])
def test_the_picture_of_a_probe_is_explained(
    explorer: Explorer, page: FakePage, seeks: str
) -> None:
    explorer.edits.probe("pgd", 0.1, seeks=seeks)  # type: ignore[arg-type]
    one = found(explorer)[-1]
    assert page.ask("found", action="explain", item=one["id"])["ok"]
    explorer.wait()
    scope: dict[str, Any] = {"model": cnn(), "image": picture()}
    exec(explorer.code(), scope)
    assert torch.equal(scope["attribution"].values, explorer.result.values)


def test_the_code_of_a_probe_runs(explorer: Explorer, page: FakePage) -> None:
    explorer.edits.probe("pgd", 0.1)
    (one,) = found(explorer)
    scope: dict[str, Any] = {"model": cnn(), "image": picture()}
    exec(page.ask("found", action="code", item=one["id"])["code"], scope)
    assert torch.equal(scope["probe"].pixels, explorer.edits.result.changed.pixels)


def test_a_saved_page_has_what_was_found(explorer: Explorer) -> None:
    explorer.edits.find(second(explorer), steps=3)
    (one,) = found(explorer)
    kept = saved(explorer)["_history"][-1]["found"]
    assert base64.b64decode(kept["picture"]["data"]) == one["picture"]["data"]
    assert kept["says"] == one["says"]


def test_another_picture_ends_the_search(explorer: Explorer) -> None:
    explorer.edits.find(second(explorer), steps=2000)
    until(lambda: explorer._edits["walk"], "the search is not told")
    explorer.image = picture(seed=3)
    explorer.edits.wait()
    assert explorer._edits is None
    assert explorer.edits.result is None
