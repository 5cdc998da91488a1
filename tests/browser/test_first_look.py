"""What is seen after running one cell, and what is only looking: no message leaves the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Notebook, until
from tests.browser.widget import Widget

pytestmark = pytest.mark.browser


def test_one_cell_shows_picture_predictions_and_map(widget: Widget, artefacts: Path) -> None:
    widget.expect_map()
    expect(widget.picker("method")).to_contain_text("Grad-CAM")
    expect(widget.picker("for")).to_contain_text("Egyptian Mau")
    expect(widget.stage.get_by_text("tabby")).to_be_visible()
    widget.expect_state("done in")
    expect(widget.picture).to_have_attribute("aria-label", re.compile("Grad-CAM for Egyptian"))
    widget.root.screenshot(path=artefacts / "lab.png")


def test_the_readout_tells_place_value_rank_and_colour(widget: Widget) -> None:
    widget.point_at_the_middle()
    readout = widget.stage.locator(".nbx-readout")
    expect(readout).to_contain_text(re.compile(r"x 11\d y 11\d"))
    expect(readout).to_contain_text(re.compile(r"value [+−-]?\d"))
    expect(readout).to_contain_text("percentile")
    expect(readout).to_contain_text(re.compile(r"rgb \d+ \d+ \d+"))


def test_looking_computes_nothing_and_says_it_once(widget: Widget, notebook: Notebook) -> None:
    jobs = notebook.value("explorer._jobs")
    before, drawn = len(notebook.sent), widget.map()
    widget.button("zoom in").click()
    until(lambda: widget.map() != drawn, "zooming does not redraw the map")
    widget.press("0")
    widget.point_at_the_middle()
    assert len(notebook.sent) == before, "zooming or hovering sent a message"
    with widget.held(widget.slider("opacity")) as (left, right, y):
        for step in range(60):
            widget.page.mouse.move(left + step / 59 * (right - left), y)
    widget.root.get_by_label("colours", exact=True).select_option("viridis")
    until(lambda: notebook.value("explorer.colormap") == "viridis", "Python was not told")
    told = notebook.sent[before:]
    assert len(told) <= 4, f"{len(told)} messages for one drag and one choice"
    assert not any('"custom"' in message for message in told), "looking asked for something"
    assert notebook.value("explorer.opacity") == 1
    assert notebook.value("explorer._jobs") == jobs


def test_recolouring_is_faster_than_a_frame(widget: Widget) -> None:
    """Measured and printed only: a shared machine is no stopwatch."""
    colours = widget.root.get_by_label("colours", exact=True)
    took = colours.evaluate(
        """async (select) => {
            const times = [];
            for (const name of ["inferno", "magma", "cividis", "viridis", "auto"]) {
                const start = performance.now();
                select.value = name;
                select.dispatchEvent(new Event("change", { bubbles: true }));
                await new Promise((done) => setTimeout(done));
                times.push(performance.now() - start);
            }
            return times;
        }"""
    )
    print("recolouring, ms:", [round(ms, 1) for ms in took])
    assert len(took) == 5


@pytest.mark.parametrize(
    ("key", "trait", "values"),
    [
        ("v", "view", ["side", "swipe", "map", "overlay"]),
        ("s", "sign", ["positive", "negative", "absolute", "both"]),
        ("]", "opacity", [0.6, 0.65]),
        ("[", "opacity", [0.6, 0.55]),
    ],
)
def test_a_letter_changes_the_look(
    widget: Widget, notebook: Notebook, key: str, trait: str, values: list[object]
) -> None:
    if trait == "opacity":
        notebook.python(f"explorer.opacity = {0.55 if key == ']' else 0.65}")
        shown = "0.55" if key == "]" else "0.65"
        expect(widget.slider("opacity")).to_have_value(shown)
    for value in values:
        widget.press(key)
        until(lambda v=value: notebook.value(f"explorer.{trait}") == v, f"{trait} is not {value}")


def test_letters_open_pickers_and_dialogs(widget: Widget) -> None:
    for key, name in {"m": "method", "t": "for", "?": "Keyboard", "x": "Export"}.items():
        widget.press(key)
        dialog = widget.root.get_by_role("dialog", name=name)
        expect(dialog).to_be_visible()
        widget.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)


def test_letters_typed_in_the_widget_are_not_notebook_commands(
    widget: Widget, notebook: Notebook
) -> None:
    cells = notebook.cells()
    widget.picker("method").click()
    expect(widget.root.get_by_role("combobox", name="method")).to_be_focused()
    widget.page.keyboard.type("dd")
    expect(widget.root.get_by_role("combobox", name="method")).to_have_value("dd")
    widget.page.keyboard.press("Escape")
    number = widget.number("opacity")
    number.click()
    widget.page.keyboard.type("dd")
    widget.page.keyboard.press("Enter")
    widget.press("d")
    widget.press("d")
    assert notebook.cells() == cells, "typing in the widget deleted a cell"
    assert notebook.value("explorer.opacity") == pytest.approx(0.55)
    expect(widget.root).to_be_visible()
