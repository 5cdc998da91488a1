"""The saved page: opened from the disk, with no network and no kernel, it can be looked through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from torch import nn

from nbxplain import Explorer, demo
from tests.browser.lab import until
from tests.browser.widget import Widget

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three results of the cat in one file."""
    model: nn.Module = demo.network()
    cat: Image.Image = demo.pictures()["cat"]
    explorer = Explorer(model, cat, labels=demo.labels())
    explorer.wait()
    for method, params in (
        ("gradient", {}),
        ("integrated_gradients", {"steps": 8}),
    ):
        explorer.method, explorer.params = method, params
        explorer.wait()
    path = explorer.save(tmp_path_factory.mktemp("saved") / "cat.html")
    explorer.close()
    return path


@pytest.fixture(scope="module")
def asked() -> list[str]:
    """Everything the page asks the network for."""
    return []


@pytest.fixture(scope="module")
def page(browser: Browser, saved: Path, asked: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 900}, accept_downloads=True)
    context.set_offline(True)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(saved.as_uri())
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def widget(page: Page) -> Widget:
    return Widget(page)


def test_it_says_that_it_only_looks(widget: Widget) -> None:
    widget.expect_map()
    expect(widget.root.get_by_role("status").filter(has_text="Saved view")).to_be_visible()
    expect(widget.picker("method")).to_be_disabled()
    expect(widget.picker("for")).to_be_disabled()
    expect(widget.slider("steps")).to_be_disabled()


def test_looking_works(widget: Widget) -> None:
    seen = [widget.map()]

    def changes(what: str) -> None:
        until(lambda: widget.map() != seen[-1], f"{what} does not change the map")
        seen.append(widget.map())

    widget.root.get_by_label("colours", exact=True).select_option("PuOr_r")
    changes("another colour map")
    widget.number("threshold").fill("80")
    widget.number("threshold").press("Enter")
    changes("a threshold")
    widget.button("zoom in").click()
    changes("zooming")
    widget.press("0")
    canvas = widget.stage.locator("canvas.nbx-map")
    before = canvas.evaluate("(canvas) => getComputedStyle(canvas).opacity")
    widget.press("]")
    until(
        lambda: canvas.evaluate("(canvas) => getComputedStyle(canvas).opacity") > before,
        "a key does not change the opacity",
    )
    widget.point_at_the_middle()
    expect(widget.stage.locator(".nbx-readout")).to_contain_text("percentile")


def test_the_history_can_be_gone_through(widget: Widget) -> None:
    history = widget.root.get_by_role("listbox", name="history")
    items = history.get_by_role("option")
    expect(items).to_have_count(3)
    newest = widget.map()
    items.first.click()
    until(lambda: widget.map() != newest, "an earlier result is not shown")
    expect(widget.picture).to_have_attribute("aria-label", re.compile("Grad-CAM"))
    items.last.click()
    until(lambda: widget.map() == newest, "the newest result does not come back")


def test_the_stage_can_be_saved(widget: Widget) -> None:
    widget.press("x")
    dialog = widget.root.get_by_role("dialog", name="Export")
    with widget.page.expect_download() as download:
        dialog.get_by_role("button", name="Save PNG").click()
    with Image.open(download.value.path()) as picture:
        assert min(picture.size) >= 224


def test_nothing_is_asked_of_the_network(asked: list[str], saved: Path) -> None:
    foreign = [url for url in asked if not url.startswith(("file:", "blob:", "data:"))]
    assert foreign == []
    assert [url for url in asked if url.startswith("file:")] == [saved.as_uri()]


def test_it_is_small(saved: Path) -> None:
    assert saved.stat().st_size < 1_000_000
