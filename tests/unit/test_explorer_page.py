"""The Explorer and its page: requests and answers, drafts and frames, history, bad input."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nbxplain import Explorer
from nbxplain.widget import frames, protocol
from tests.models import cnn, picture
from tests.unit.page import FakePage, until

pytest_plugins = ["tests.unit.page"]


@pytest.fixture
def explorer(wire: None) -> Iterator[Explorer]:
    explorer = Explorer(cnn(), picture(), method="integrated_gradients")
    explorer.wait()
    yield explorer
    explorer.close()


@pytest.fixture
def page(explorer: Explorer) -> FakePage:
    page = FakePage(explorer)
    page.ask("hello")
    return page


def spec_of(explorer: Explorer, **changes: Any) -> dict[str, Any]:
    return {**explorer._result["spec"], **changes}


def values(message: dict[str, Any]) -> np.ndarray:
    """The map of a frame, from the message's buffer."""
    grid = message["result"]["map"]
    kind = "<i2" if grid["bits"] == 16 else "i1"
    return np.frombuffer(message["buffers"][0], kind).reshape(grid["shape"]) * grid["scale"]


def test_hello_says_the_version(explorer: Explorer) -> None:
    assert FakePage(explorer).ask("hello")["protocol"] == protocol.VERSION


def test_controls_that_are_moved_are_computed(explorer: Explorer, page: FakePage) -> None:
    page.set(baseline={"kind": "blur", "sigma": 2.0}, params={"steps": 4})
    result = explorer.wait()
    assert result.method.baseline.sigma == 2
    assert result.method.steps == 4


def test_a_method_comes_with_its_parameters(explorer: Explorer, page: FakePage) -> None:
    page.set(method="grad_cam", params={})
    assert explorer.wait().method.name == "grad_cam"
    assert explorer.params == {"relu": True}


def test_a_draft_is_answered_and_does_not_become_the_result(
    explorer: Explorer, page: FakePage
) -> None:
    before = explorer.result
    asked = spec_of(explorer, baseline={"kind": "white"})
    assert page.ask("draft", spec=asked)["ok"]
    frame = page.messages("frame")[-1]
    assert frame["result"]["phase"] == "draft"
    assert frame["result"]["spec"]["baseline"] == {"kind": "white"}
    assert frame["result"]["total"] < before.total
    assert np.abs(values(frame)).max() > 0
    assert explorer.result is before
    assert explorer.baseline == {"kind": "black"}
    assert len(explorer._history) == 1


def test_a_draft_that_fails_is_answered(explorer: Explorer, page: FakePage) -> None:
    asked = spec_of(explorer, method="grad_cam", baseline={}, params={}, layer="no.such.layer")
    answer = page.ask("draft", spec=asked)
    assert not answer["ok"]
    assert "no.such.layer" in answer["error"]["title"]


def test_every_draft_is_answered_however_many(explorer: Explorer, page: FakePage) -> None:
    for number in range(60):
        baseline = {"kind": "blur", "sigma": 1 + number / 10}
        page.tell(
            {"id": f"d{number}", "kind": "draft", "spec": spec_of(explorer, baseline=baseline)}
        )
    until(
        lambda: {f"d{n}" for n in range(60)} <= {m["id"] for m in page.messages("answer")},
        "a draft is not answered",
    )
    sigma = page.messages("frame")[-1]["result"]["spec"]["baseline"]["sigma"]
    assert sigma == pytest.approx(6.9), "the last draft is not shown"


def test_frames_wait_for_the_page(
    explorer: Explorer, page: FakePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "INTERVAL", 0)
    monkeypatch.setattr(frames, "PATIENCE", 60)
    explorer.params = {"steps": 512}
    explorer.wait()
    sent = page.messages("frame")
    assert len(sent) == frames.IN_FLIGHT, "frames pile up before a page that draws none"
    for frame in sent:
        page.tell({"kind": "ack", "seq": frame["seq"]})
    explorer.params = {"steps": 511}
    explorer.wait()
    assert len(page.messages("frame")) == 2 * frames.IN_FLIGHT


def test_without_a_view_no_frame_is_sent(explorer: Explorer) -> None:
    explorer.params = {"steps": 256}
    explorer.wait()
    assert FakePage(explorer).messages("frame") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "grad_cram"},
        {"params": {"step": 4}},
        {"target": 99},
        {"opacity": 7},
        {"baseline": {"kind": "image"}},
    ],
    ids=str,
)
def test_what_the_page_may_not_set_is_a_card(
    explorer: Explorer, page: FakePage, wrong: dict[str, Any]
) -> None:
    before = {name: getattr(explorer, name) for name in wrong}
    page.set(**wrong)
    assert explorer._error is not None
    assert {name: getattr(explorer, name) for name in wrong} == before
    explorer.run()
    assert explorer.wait().complete
    assert explorer._error is None


@pytest.mark.parametrize(
    "nonsense",
    [
        {"kind": "nonsense"},
        {"kind": "draft"},
        {"kind": "draft", "spec": {"method": "nobody"}},
        {"kind": "export", "format": "exe"},
        {"kind": "export", "format": "png"},
        {"kind": "history", "action": "restore", "item": "nobody"},
        {"kind": "history", "action": "paint", "item": "nobody"},
        {"kind": "path", "result": "nobody"},
        {"kind": "baseline_image", "name": "empty.png"},
    ],
    ids=str,
)
def test_nonsense_is_answered_and_does_no_harm(
    explorer: Explorer, page: FakePage, nonsense: dict[str, Any]
) -> None:
    answer = page.ask(**nonsense)
    assert not answer["ok"]
    assert answer["error"]["title"]
    page.tell("not even a message")  # type: ignore[arg-type]
    assert page.ask("hello")["ok"]
    explorer.run()
    assert explorer.wait().complete


def test_the_path_ends_in_the_whole_map(explorer: Explorer, page: FakePage) -> None:
    answer = page.ask("path", result=explorer._result["id"])
    grid = answer["maps"]
    maps = np.frombuffer(answer["buffers"][0], "<i2").reshape(grid["shape"]) * grid["scale"]
    assert len(maps) == len(answer["alpha"])
    assert answer["alpha"] == sorted(answer["alpha"])
    whole = explorer.result.heatmap().numpy()
    assert np.abs(maps[-1] - whole).max() <= grid["scale"]


def test_history_goes_back_without_computing(explorer: Explorer, page: FakePage) -> None:
    first = explorer.result
    explorer.method = "gradient"
    explorer.wait()
    explorer.target = 4
    explorer.wait()
    jobs = explorer._jobs
    names = [item["name"] for item in explorer._history]
    assert names == ["IG black", "Gradient", "Gradient"]
    assert page.ask("history", action="restore", item=explorer._history[0]["id"])["ok"]
    assert explorer.result is first
    assert explorer.method == "integrated_gradients"
    assert explorer.wait() is first
    assert explorer._jobs == jobs


def test_history_is_renamed_pinned_and_forgotten(explorer: Explorer, page: FakePage) -> None:
    id = explorer._history[0]["id"]
    page.ask("history", action="rename", item=id, name="mine")
    page.ask("history", action="pin", item=id)
    assert (explorer._history[0]["name"], explorer._history[0]["pinned"]) == ("mine", True)
    explorer.method = "gradient"
    for against in range(1, 15):
        explorer.target = {"index": against % 5, "against": (against + 1 + against // 5) % 5}
        explorer.wait()
    assert explorer._history[0]["id"] == id, "a pinned result was dropped"
    page.ask("history", action="forget", item=id)
    assert id not in [item["id"] for item in explorer._history]


def test_a_picture_becomes_the_baseline(explorer: Explorer, page: FakePage) -> None:
    file = io.BytesIO()
    Image.new("RGB", (40, 20), (10, 200, 30)).save(file, "PNG")
    assert page.ask("baseline_image", [file.getvalue()], name="green.png")["ok"]
    assert explorer.wait().method.baseline.kind == "image"
    assert explorer.baseline["kind"] == "image"
    assert next(t for t in explorer._baselines if t["kind"] == "image")["thumbnail"]
    explorer.baseline = "black"
    explorer.wait()
    refused = page.ask("baseline_image", [b"no picture"], name="notes.txt")
    assert "notes.txt" in refused["error"]["title"]


@pytest.mark.parametrize(
    "format", ["png", "svg", "pdf", "html", "npz", "report.html", "report.pdf"]
)
def test_exports_come_as_a_buffer(explorer: Explorer, page: FakePage, format: str) -> None:
    answer = page.ask(
        "export", format=format, width="single", dpi=72, caption=True, transparent=False
    )
    assert answer["filename"].endswith(f".{format}")
    assert len(answer["buffers"][0]) > 100


def test_stop_does_not_wait_behind_the_desk(explorer: Explorer, page: FakePage) -> None:
    explorer.params = {"steps": 1024}
    until(lambda: explorer._job["id"] == explorer._jobs and explorer._job["done"], "nothing runs")
    page.tell(
        {"id": "slow", "kind": "export", "format": "pdf", "width": "slide", "dpi": 600}
        | {"caption": True, "transparent": False}
    )
    assert page.ask("stop")["ok"]
    explorer.wait()
    assert explorer.status == "cancelled"
    partial = explorer.result.values
    assert page.ask("resume")["ok"]
    assert explorer.wait().complete
    assert not torch.equal(explorer.result.values, partial)
