"""The Explorer's checks: they stream, stop, and belong to the result that they were made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from nbxplain import Explorer
from nbxplain.core.errors import InputError, MethodError
from nbxplain.evaluation import battery, deletion, insertion, sanity_check, stability
from nbxplain.evaluation.checkup import GRADIENT, POINTS, RANDOM, STAGES
from nbxplain.evaluation.curves import Deletion
from nbxplain.widget import protocol, wire
from tests.models import Function, cnn, picture
from tests.snapshot import snapshot
from tests.unit.page import FakePage, until
from tests.unit.test_explorer_saved import saved
from tests.unit.test_protocol import conforms

pytest_plugins = ["tests.unit.page"]

ALL = {"sanity", "stability", "deletion", "insertion"}


@pytest.fixture
def explorer(wire: None) -> Iterator[Explorer]:
    explorer = Explorer(cnn(), picture(), method="grad_cam", target=1)
    explorer.wait()
    yield explorer
    explorer.close()


@pytest.fixture
def checked(explorer: Explorer) -> Explorer:
    explorer.checks.run()
    explorer.checks.wait()
    return explorer


def states(explorer: Explorer) -> dict[str, str]:
    return {one["name"]: one["state"] for one in explorer._checks["underway"]}


def numbers(packed: dict[str, Any]) -> np.ndarray:
    return wire.decode(packed)  # type: ignore[arg-type]


# The battery as a function.


def test_a_battery_is_the_checks_themselves() -> None:
    model, x = cnn(), picture()
    found = battery(model, x, "grad_cam", target=1).checks
    options: dict[str, Any] = {"target": 1}
    alone = {
        "deletion": deletion(model, x, "grad_cam", **options),
        "insertion": insertion(model, x, "grad_cam", **options),
        "stability": stability(model, x, "grad_cam", **options),
        "sanity": sanity_check(model, x, "grad_cam", stages=STAGES, independent=False, **options),
    }
    assert {n: c.score for n, c in found.items()} == pytest.approx(
        {n: c.score for n, c in alone.items()}, abs=1e-6
    )
    assert all(check.complete for check in found.values())


def test_what_ends_soonest_is_made_first() -> None:
    cheap = battery(cnn(), picture(), "grad_cam", checks=["deletion", "sanity"])
    assert cheap.planned == ("sanity", "deletion")
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    row, background = torch.ones(1, 4), torch.randn(20, 4)
    dear = battery(model, row, "smoothgrad", background=background, checks=["deletion", "sanity"])
    assert dear.planned == ("deletion", "sanity")


class Picky(nn.Module):
    """Takes nothing but pictures between 0 and 1, which noise is not."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = cnn()

    def forward(self, x: Tensor) -> Tensor:
        if not bool(((x > -1e-6) & (x < 1 + 1e-6)).all()):
            raise ValueError("this is no picture")
        scores: Tensor = self.inner(x)
        return scores


def test_a_check_that_fails_does_not_stop_the_others(wire: None) -> None:
    found = battery(Picky(), picture(), "gradient", target=0)
    assert set(found.checks) == ALL - {"stability"}
    assert "no picture" in str(found.failures["stability"])
    assert all(check.complete for check in found.checks.values())
    assert found.done == found.total
    explorer = Explorer(Picky(), picture(), method="gradient", target=0)
    explorer.wait()
    explorer.checks.run()
    explorer.checks.wait()
    assert states(explorer) == dict.fromkeys(ALL, "done") | {"stability": "failed"}
    (failed,) = (one for one in explorer._checks["underway"] if one["state"] == "failed")
    assert "no picture" in failed["trouble"]
    conforms(protocol.Checks, explorer._checks)
    explorer.close()


def test_what_cannot_be_made_is_said() -> None:
    free = Function(lambda x: torch.stack([x.mean((1, 2, 3)), -x.mean((1, 2, 3))], 1))
    found = battery(free, picture(), "gradient")
    assert "sanity" not in found.planned
    with pytest.raises(InputError, match="no weights"):
        battery(free, picture(), "gradient", checks=["sanity"])
    with pytest.raises(MethodError, match="deletion"):
        battery(free, picture(), "gradient", checks=["deletoin"])


def test_noise_on_a_table_is_a_share_of_each_columns_range() -> None:
    """Of a linear model x * gradient is x: the map varies as the noise does."""
    model = Function(lambda x: torch.stack([x.sum(1), -x.sum(1)], 1))
    background = [
        {"small": 0.0, "large": 0.0, "kind": "a"},
        {"small": 1.0, "large": 10_000.0, "kind": "b"},
    ]
    row = {"small": 0.5, "large": 4000.0, "kind": "b"}
    found = stability(
        model, row, "input_x_gradient", background=background, target=0, draws=8, qualities=()
    )
    small, large, kind = found.spread[0].tolist()
    assert small == pytest.approx(0.02, rel=0.5)
    assert large == pytest.approx(200, rel=0.5)
    assert kind == 0


# In the Explorer.


def test_checks_are_offered_before_they_are_made(explorer: Explorer) -> None:
    told = explorer._checks
    conforms(protocol.Checks, told)
    assert {offer["name"] for offer in told["offers"]} == ALL
    assert told["underway"] == []
    assert explorer.checks.results == {}
    assert all(offer["suggested"] and offer["obstacle"] is None for offer in told["offers"])


def test_checks_stream(explorer: Explorer) -> None:
    seen: list[dict[str, Any]] = []
    explorer.observe(lambda change: seen.append(change.new), "_checks")
    explorer.checks.run()
    explorer.checks.wait()
    for told in seen:
        conforms(protocol.Checks, told)
    running = [told["underway"] for told in seen if told["job"]["state"] == "running"]
    begun = [sum(one["checked"] is not None for one in told) for told in running]
    assert begun == sorted(begun)
    assert set(begun) >= {1, 2, 3}
    first = running[0]
    assert [one["state"] for one in first] == ["running", "queued", "queued", "queued"]
    assert set(states(explorer).values()) == {"done"}
    assert explorer._checks["job"]["state"] == "done"


def test_results_are_those_of_the_functions(checked: Explorer) -> None:
    results = checked.checks.results
    assert set(results) == ALL
    assert all(check.complete for check in results.values())
    twin = deletion(cnn(), None, checked.result)
    found = results["deletion"]
    assert isinstance(found, Deletion)
    torch.testing.assert_close(found.curve, twin.curve, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.random, twin.random, atol=1e-5, rtol=0)


def test_the_page_gets_what_it_draws(checked: Explorer) -> None:
    conforms(protocol.Result, checked._result)
    drawn = {one["name"]: one for one in checked._result["checks"]}
    results: dict[str, Any] = checked.checks.results
    removed, check = drawn["deletion"]["removed"], results["deletion"]
    assert removed["score"] == pytest.approx(check.curve[0].tolist(), abs=1e-5)
    assert removed["mean"] == pytest.approx(check.random[0].mean(0).tolist(), abs=1e-5)
    low, high = np.quantile(check.random[0].numpy(), (0.05, 0.95), axis=0)
    assert removed["low"] == pytest.approx(low.tolist(), abs=1e-5)
    assert removed["high"] == pytest.approx(high.tolist(), abs=1e-5)
    assert removed["moved"] == "taken away"
    assert drawn["insertion"]["removed"]["moved"] == "put back"
    cascade = drawn["sanity"]["cascade"]
    for told, stage in zip(cascade["stages"], results["sanity"].cascade, strict=True):
        assert told["similarity"] == pytest.approx(stage.similarity["signed"], abs=1e-5)
        expected = stage.maps[0].numpy()
        atol = np.abs(expected).max() / 127
        np.testing.assert_allclose(numbers(told["map"]), expected, atol=atol)
    spread = drawn["stability"]["spread"]
    kinds = {one["kind"]: one["similarity"] for one in spread["changes"]}
    assert set(kinds) == {"noise", "JPEG"}
    assert kinds["noise"] == pytest.approx(results["stability"].similarity["noise"], abs=1e-5)


def test_findings_travel(checked: Explorer, tmp_path: Path) -> None:
    value = checked.checks.results["sanity"].value
    assert f"Sanity: {value}" in checked.result.summary()
    described = json.loads(checked.save(tmp_path / "x.json").read_text())
    assert set(described["checks"]) == ALL
    assert described["checks"]["sanity"]["value"] == value
    svg = checked.save(tmp_path / "x.svg").read_text()
    assert "Stability ρ" in svg
    item = checked._history[-1]
    conforms(protocol.HistoryItem, item)
    assert {one["name"] for one in item["result"]["checks"]} == ALL
    state = saved(checked)
    assert {one["name"] for one in state["_result"]["checks"]} == ALL
    assert "σ against random" in json.dumps(state, ensure_ascii=False)


def test_checks_are_in_the_report(checked: Explorer, tmp_path: Path) -> None:
    report = checked.report(tmp_path / "why.html").read_text()
    assert "Not checked" not in report
    for check in checked.checks.results.values():
        assert escape(check.reading) in report


def test_checks_stay_small(wire: None) -> None:
    explorer = Explorer(cnn(), picture(side=64), method="gradient", target=1)
    explorer.wait()
    explorer.checks.run()
    explorer.checks.wait()
    large = len(json.dumps(explorer._result["checks"], default=lambda b: "x" * (4 * len(b) // 3)))
    small = explorer._history[-1]["result"]["checks"]
    assert large < 50_000
    assert len(json.dumps(small, default=lambda b: "x" * (4 * len(b) // 3))) < 20_000
    explorer.close()


def test_checks_belong_to_their_result(checked: Explorer) -> None:
    first = checked._result["id"]
    checked.method = "gradient"
    checked.wait()
    assert checked.checks.results == {}
    assert checked._result["checks"] == []
    answer = FakePage(checked).ask("history", action="restore", item=first)
    assert answer["ok"]
    assert set(checked.checks.results) == ALL
    assert {one["name"] for one in checked._result["checks"]} == ALL


def test_a_check_ends_although_another_result_is_shown(explorer: Explorer) -> None:
    first = explorer._result["id"]
    explorer.checks.run()
    explorer.method = "gradient"
    explorer.wait()
    explorer.checks.wait()
    items = {item["id"]: item for item in explorer._history}
    assert {one["name"] for one in items[first]["result"]["checks"]} == ALL
    assert explorer._result["checks"] == []
    assert explorer.checks.results == {}


def test_another_picture_drops_the_checks(checked: Explorer) -> None:
    checked.checks.run()
    checked.image = picture(seed=3)
    checked.wait()
    checked.checks.wait()
    assert checked.checks.results == {}
    assert checked._result["checks"] == []
    assert checked._checks["underway"] == []


def test_a_compared_map_that_was_checked_says_so(checked: Explorer) -> None:
    checked.compare(["grad_cam", "gradient"])
    checked.wait()
    same, other = checked._comparison["results"]
    assert {one["name"] for one in same["checks"]} == ALL
    assert other["checks"] == []
    conforms(protocol.Comparison, checked._comparison)


# Stopping, and what is refused.


class Slow(nn.Module):
    """A pass takes long enough to be stopped before the next."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = cnn()

    def forward(self, x: Tensor) -> Tensor:
        torch.rand(1000, 1000).sort()
        scores: Tensor = self.inner(x)
        return scores


@pytest.fixture
def slow(wire: None) -> Iterator[Explorer]:
    explorer = Explorer(Slow(), picture(), method="gradient", target=1)
    explorer.wait()
    yield explorer
    explorer.close()


def test_stop_keeps_what_there_is(slow: Explorer) -> None:
    slow.checks.run(["sanity", "deletion", "insertion"])
    until(lambda: states(slow).get("deletion") == "running", "deletion does not begin")
    until(lambda: "deletion" in slow.checks.results, "deletion gives nothing")
    slow.checks.stop()
    slow.checks.wait()
    assert slow._checks["job"]["state"] == "cancelled"
    assert states(slow) == {"sanity": "done", "deletion": "stopped", "insertion": "stopped"}
    found = slow.checks.results
    assert found["sanity"].complete
    assert not found["deletion"].complete
    assert "insertion" not in found
    assert "Deletion" not in slow.result.summary(), "half a check is no finding"
    kept = {one["name"]: one for one in slow._result["checks"]}
    assert kept["deletion"]["done"] < kept["deletion"]["total"]
    conforms(protocol.Result, slow._result)


def test_half_a_check_does_not_replace_a_whole_one(slow: Explorer) -> None:
    slow.checks.run(["sanity"])
    slow.checks.wait()
    slow.checks.run(["sanity"])
    until(lambda: slow._checks["underway"][0]["checked"], "the check does not begin")
    slow.checks.stop()
    slow.checks.wait()
    assert slow.checks.results["sanity"].complete


def test_the_explanation_is_not_stopped_with_the_checks(slow: Explorer) -> None:
    page = FakePage(slow)
    page.ask("check", result=slow._result["id"], checks=["deletion"])
    slow.method = "smoothgrad"
    page.ask("stop", panel="checks")
    slow.checks.wait()
    assert slow.wait().complete
    assert slow.result.method.name == "smoothgrad"


def test_the_model_is_left_as_it_was() -> None:
    model = cnn()
    before = snapshot(model)
    explorer = Explorer(model, picture(), method="grad_cam")
    explorer.wait()
    explorer.checks.run()
    explorer.checks.wait()
    assert snapshot(model) == before
    explorer.close()


def test_the_page_asks_for_checks(explorer: Explorer) -> None:
    page = FakePage(explorer)
    assert page.ask("check", result=explorer._result["id"], checks=["sanity"])["ok"]
    explorer.checks.wait()
    assert set(explorer.checks.results) == {"sanity"}
    for wrong, says in (
        ({"result": "gone", "checks": ["sanity"]}, "no longer shown"),
        ({"result": explorer._result["id"], "checks": ["vibes"]}, "no check 'vibes'"),
    ):
        answer = page.ask("check", **wrong)
        assert not answer["ok"]
        assert says in answer["error"]["title"]


def test_what_takes_long_is_made_only_by_name(explorer: Explorer) -> None:
    took = {"seconds": [1.0], "evaluations": [1]}
    explorer.result.evidence.update(took)
    explorer._study.pace = 1.0  # type: ignore[union-attr]
    explorer.checks.run()
    explorer.checks.wait()
    assert set(explorer.checks.results) == {"sanity", "stability"}
    explorer.result.evidence["seconds"] = [1000.0]
    explorer._study.pace = 1000.0  # type: ignore[union-attr]
    with pytest.raises(InputError, match="Name some of sanity"):
        explorer.checks.run()
    explorer.checks.run(["deletion"])
    explorer.checks.wait()
    assert "deletion" in explorer.checks.results


def seconds(explorer: Explorer) -> dict[str, float]:
    return {offer["name"]: offer["seconds"] for offer in explorer._checks["offers"]}


def test_what_a_check_will_take_is_what_was_measured(explorer: Explorer) -> None:
    """A map is made again in the time it took; a curve's passes at the pace of a curve's."""
    explorer.result.evidence.update({"seconds": [6.0], "evaluations": [2]})
    explorer._study.pace = 5.0  # type: ignore[union-attr]
    explorer.checks._show()
    told, passes = seconds(explorer), 2 + (POINTS - 2) * (1 + RANDOM)
    assert told["sanity"] == 6 * STAGES
    assert told["deletion"] == told["insertion"] == 6 / (GRADIENT * 2) * passes
    explorer.checks.run(["deletion"])
    explorer.checks.wait()
    # Hundreds of passes of a toy are over in a moment: seconds each were never measured.
    assert seconds(explorer)["insertion"] < passes
    assert seconds(explorer)["sanity"] == 6 * STAGES


def test_changed_weights_are_not_checked() -> None:
    model = cnn()
    explorer = Explorer(model, picture(), method="grad_cam")
    explorer.wait()
    with torch.no_grad():
        model.head.weight.mul_(2)  # type: ignore[union-attr,operator]
    with pytest.raises(InputError, match="have changed"):
        explorer.checks.run()
    explorer.close()


def first_score(output: Tensor) -> Tensor:
    return output[:, 0]


def other_score(output: Tensor) -> Tensor:
    return -3 * output[:, 1]


def test_the_function_is_checked_that_was_explained(wire: None) -> None:
    explorer = Explorer(cnn(), picture(), method="gradient", target=first_score)
    explorer.wait()
    first = explorer._result["id"]
    explorer.target = other_score
    explorer.wait()
    assert FakePage(explorer).ask("history", action="restore", item=first)["ok"]
    explorer.checks.run(["deletion"])
    explorer.checks.wait()
    curve = explorer.checks.results["deletion"]
    assert isinstance(curve, Deletion)
    with torch.no_grad():
        whole = float(cnn()(picture())[0, 0])
    assert float(curve.curve[0, 0]) == pytest.approx(whole, abs=1e-5)
    explorer.close()


def test_rows_of_tables_are_checked(wire: None) -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(60, 4)) * [1, 10, 100, 1000]
    model = LogisticRegression().fit(rows / [1, 10, 100, 1000], rows[:, 0] > 0)
    explorer = Explorer(
        model, rows[0], background=rows, feature_names=list("abcd"), method="shapley"
    )
    explorer.wait()
    offers = {offer["name"]: offer for offer in explorer._checks["offers"]}
    assert "no weights" in offers["sanity"]["obstacle"]
    explorer.checks.run()
    explorer.checks.wait()
    assert set(explorer.checks.results) == ALL - {"sanity"}
    conforms(protocol.Result, explorer._result)
    spread = next(o for o in explorer._result["checks"] if o["name"] == "stability")["spread"]
    assert spread["spread"]["shape"] == [1, 4]
    explorer.close()


def test_a_constant_map_cannot_be_judged(wire: None) -> None:
    flat = Function(lambda x: torch.stack([x.sum((1, 2, 3)), -x.sum((1, 2, 3))], 1))
    explorer = Explorer(flat, picture(), method="gradient", target=0)
    explorer.wait()
    explorer.checks.run()
    explorer.checks.wait()
    for one in explorer._result["checks"]:
        assert one["value"] == "cannot tell"
        assert one["verdict"] == "plain"
        assert "cannot tell" in one["help"]
    conforms(protocol.Result, explorer._result)
    explorer.close()


def test_nothing_to_check_is_said(wire: None) -> None:
    explorer = Explorer(cnn(), "no-such-picture.png")
    with pytest.raises(InputError, match="no result"):
        explorer.checks.run()
    explorer.close()
