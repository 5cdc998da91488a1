"""What survives: a reload, a second view, a restarted kernel, a bad picture."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.lab import Notebook, until
from tests.browser.widget import MS, Widget

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def notebook(opened: Open) -> Notebook:
    """Two views of one Explorer, and one Explorer of a picture that is not there."""
    notebook = opened(
        "explorer = Explorer(model, cat, labels=labels)\nexplorer",
        "explorer",
        "bad = Explorer(model, 'no-such-picture.png', labels=labels)\nbad",
    )
    notebook.run_all()
    Widget(notebook.page).expect_map()
    return notebook


def test_a_bad_picture_is_a_card_and_the_widget_goes_on(notebook: Notebook) -> None:
    widget = Widget(notebook.page, 2)
    card = widget.root.get_by_role("alert").filter(has_text="no-such-picture.png")
    expect(card).to_be_visible()
    expect(card).not_to_contain_text("This was not expected")
    notebook.python("bad.image = cat; _ = bad.wait()")
    expect(card).to_have_count(0)
    widget.expect_map()


def test_two_views_agree(notebook: Notebook) -> None:
    one, two = (Widget(notebook.page, number) for number in range(2))
    expect(two.root).to_be_visible()
    one.number("opacity").fill("0.8")
    one.number("opacity").press("Enter")
    expect(two.slider("opacity")).to_have_value("0.8")
    two.choose("method", "Input")
    expect(one.picker("method")).to_contain_text("Input")
    for widget in (one, two):
        widget.expect_state("done in")
    until(lambda: one.map() == two.map() != "", "the two views draw different maps")


def test_a_reload_brings_the_widget_back(notebook: Notebook) -> None:
    notebook.python("explorer.method = 'integrated_gradients'; explorer.params = {'steps': 1024}")
    until(lambda: notebook.value("explorer._job['done']") > 0, "nothing runs")
    notebook.python("explorer.opacity = 0.7")
    notebook.save()
    notebook.load()
    widget = Widget(notebook.page)
    widget.expect_map()
    expect(widget.picker("method")).to_contain_text("Integrated Gradients")
    expect(widget.slider("opacity")).to_have_value("0.7")
    expect(widget.number("steps")).to_have_value("1024")
    expect(widget.root.get_by_role("progressbar")).to_be_visible()
    widget.press("Escape")
    widget.expect_state("stopped at")
    expect(widget.stage.get_by_text(re.compile("partial"))).to_be_visible()
    widget.choose("method", "Grad-CAM")
    widget.expect_state("done in")
    assert notebook.value("explorer.result.method.name") == "grad_cam"


def test_without_its_kernel_it_says_so_and_can_be_looked_at(notebook: Notebook) -> None:
    widget = Widget(notebook.page)
    widget.expect_map()
    notebook.restart_kernel()
    banner = widget.root.get_by_role("status").filter(has_text="Run the cell again")
    expect(banner).to_be_visible(timeout=MS)
    expect(widget.picker("method")).to_be_disabled()
    before = widget.map()
    widget.root.get_by_label("colours", exact=True).select_option("viridis")
    until(lambda: widget.map() != before, "a map cannot be recoloured without a kernel")
    widget.button("zoom in").click()
    widget.point_at_the_middle()
    expect(widget.stage.locator(".nbx-readout")).to_contain_text("percentile")
