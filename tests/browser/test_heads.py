"""Attention heads of a vision transformer: a grid, one enlarged, where a patch attends; saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Open
from tests.browser.lab import Notebook, until
from tests.browser.widget import MS, Widget

pytestmark = pytest.mark.browser

LAYERS, HEADS = 3, 4

VIT = f"""
from transformers import ViTConfig, ViTForImageClassification
_ = torch.manual_seed(0)
vit = ViTForImageClassification(ViTConfig(
    image_size=224, patch_size=32, hidden_size=48, num_hidden_layers={LAYERS},
    num_attention_heads={HEADS}, intermediate_size=96, num_labels=10, initializer_range=0.15,
)).eval()
explorer = Explorer(vit, cat, method="attention_raw")
explorer
"""


@pytest.fixture(scope="module")
def notebook(opened: Open) -> Notebook:
    notebook = opened(VIT)
    notebook.run_all()
    Widget(notebook.page).expect_map()
    return notebook


@pytest.fixture
def grid(widget: Widget) -> Locator:
    return widget.root.get_by_role("grid", name="attention heads")


def whole(widget: Widget) -> None:
    """Back to the result itself."""
    button = widget.root.get_by_role("button", name="whole result")
    if button.is_enabled():
        button.click()


def test_every_head_has_a_stamp(widget: Widget, grid: Locator, artefacts: Path) -> None:
    expect(grid).to_be_visible(timeout=MS)
    stamps = grid.get_by_role("button")
    expect(stamps).to_have_count(LAYERS * (HEADS + 1))
    drawn = grid.locator("canvas").evaluate_all("(all) => all.map((c) => c.toDataURL())")
    assert len(set(drawn)) == LAYERS * (HEADS + 1), "two heads look alike"
    widget.root.screenshot(path=artefacts / "heads.png")


def test_a_click_enlarges_a_head(widget: Widget, grid: Locator) -> None:
    before = widget.map()
    stamp = grid.get_by_role("button", name="layer 1, head 2")
    stamp.click()
    expect(stamp).to_have_attribute("aria-pressed", "true")
    expect(widget.picture).to_have_attribute("aria-label", "attention in layer 1, head 2")
    until(lambda: widget.map() != before, "the stage does not show the head")
    whole(widget)
    until(lambda: widget.map() == before, "the result does not come back")


def test_a_patch_shows_where_it_attends(widget: Widget, grid: Locator, notebook: Notebook) -> None:
    grid.get_by_role("button", name="layer 2, head 0").click()
    expect(widget.picture).to_have_attribute("aria-label", "attention in layer 2, head 0")
    own = widget.map()
    widget.point_at_the_middle()
    until(lambda: widget.map() != own, "pointing at a patch changes nothing")
    place = widget.stage.locator(".nbx-readout")
    expect(place).to_contain_text("x 112 y 112")
    shown = float(place.locator("b").inner_text().replace("−", "-"))
    patch = 3 * 7 + 3
    attended = notebook.value(
        f"float(explorer.result.attention.weights[2, 0, 1 + {patch}, 1 + {patch}])"
    )
    assert shown == pytest.approx(attended, rel=0.005, abs=2e-5), (
        "the value is not that of the patch"
    )
    widget.page.mouse.move(0, 0)
    until(lambda: widget.map() == own, "the head itself does not come back")
    whole(widget)


def test_a_saved_page_shows_the_heads(widget: Widget, notebook: Notebook, tmp_path: Path) -> None:
    file = tmp_path / "heads.html"
    notebook.python(f"_ = explorer.save({str(file)!r})")
    assert file.stat().st_size < 1_000_000
    page = notebook.context.new_page()
    try:
        page.goto(file.as_uri())
        saved = Widget(page)
        grid = saved.root.get_by_role("grid", name="attention heads")
        expect(grid.get_by_role("button")).to_have_count(LAYERS * (HEADS + 1))
        before = saved.map()
        grid.get_by_role("button", name="layer 1, head 2").click()
        until(lambda: saved.map() != before, "the stage does not show the head")
    finally:
        page.close()
