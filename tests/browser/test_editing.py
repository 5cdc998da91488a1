"""The Edit tab in JupyterLab: painted with the mouse, undone by keys, another class found."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Open
from tests.browser.lab import Notebook, until
from tests.browser.widget import Widget

SMALL = """
class Brightness(torch.nn.Module):
    # The brighter the upper left quarter, the more of a lamp it is.
    def forward(self, x):
        corner = x[:, :, :32, :32].mean((1, 2, 3))
        return torch.stack([4 - 8 * corner, 8 * corner - 4, 0 * corner], 1)

torch.manual_seed(0)
picture = 0.2 + 0.1 * torch.rand(1, 3, 64, 64)
explorer = Explorer(Brightness(), picture, labels=["night", "lamp", "nothing"], method="gradient")
explorer
"""


@pytest.fixture(scope="module")
def notebook(opened: Open) -> Notebook:
    notebook = opened(SMALL)
    notebook.run_all()
    Widget(notebook.page).expect_map()
    return notebook


@pytest.fixture
def panel(widget: Widget) -> Locator:
    widget.root.get_by_role("tab", name="Edit").click()
    return widget.root.get_by_role("tabpanel")


def drag(widget: Widget, *points: tuple[float, float]) -> None:
    """Drags over the picture through points given as shares of its sides."""
    pane = widget.stage.locator(".nbx-painter")
    pane.scroll_into_view_if_needed()
    box = pane.bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    mouse = widget.page.mouse
    mouse.move(*places[0])
    mouse.down()
    for place in places[1:]:
        mouse.move(*place, steps=8)
    mouse.up()


def probability(widget: Widget, label: str) -> float:
    row = widget.root.get_by_role("list", name="predictions").get_by_role("button", name=label)
    return float(row.locator(".nbx-figure").inner_text())


def test_painting_moves_the_bars_and_keys_undo_it(
    widget: Widget, notebook: Notebook, panel: Locator, artefacts: Path
) -> None:
    panel.get_by_label("fill", exact=True).select_option("colour")
    panel.locator("input[type=color]").fill("#ffffff")
    before = probability(widget, "night")
    size = panel.get_by_role("textbox", name="size, number")
    size.fill("24")
    size.press("Enter")
    drag(widget, (0.1, 0.1), (0.4, 0.1), (0.4, 0.3), (0.1, 0.3), (0.1, 0.42), (0.42, 0.42))
    until(lambda: probability(widget, "lamp") > 0.5, "the bars do not move")
    ghost = widget.root.get_by_role("button", name="night").locator("i")
    expect(ghost).to_have_count(1)
    until(lambda: not notebook.value("explorer.edits.edit.empty"), "Python was not told")
    until(
        lambda: (
            abs(
                notebook.value("float(explorer.edits.prediction.probabilities[0, 1])")
                - probability(widget, "lamp")
            )
            < 0.006
        ),
        "the page shows another prediction than Python's",
    )
    widget.root.screenshot(path=artefacts / "editing.png")
    widget.stage.get_by_role("group", name="stage").focus()
    widget.page.keyboard.press("Control+z")
    until(lambda: probability(widget, "night") == before, "the stroke was not undone")
    until(
        lambda: not notebook.value("len(explorer.edits.edit.layers)"), "Python still has the stroke"
    )
    widget.page.keyboard.press("Control+Shift+Z")
    until(lambda: probability(widget, "lamp") > 0.5, "the stroke was not done again")
    assert notebook.cells() == 2, "a key reached the notebook"


def test_a_click_and_a_flick_paint_without_gaps(
    widget: Widget, panel: Locator, notebook: Notebook
) -> None:
    panel.get_by_role("button", name="Clear").click()
    mask = "(explorer.edits.edit.labels(64, 64) > 0)"
    drag(widget, (0.75, 0.75))
    until(lambda: notebook.value(f"int({mask}.sum())") > 300, "a click painted nothing")
    pane = widget.stage.locator(".nbx-painter")
    pane.evaluate(
        """(pane) => {
          const box = pane.getBoundingClientRect();
          const at = (x) => ({ clientX: box.left + x * box.width, pointerId: 1, bubbles: true,
            clientY: box.top + 0.2 * box.height, button: 0 });
          pane.setPointerCapture = () => {};
          pane.dispatchEvent(new PointerEvent("pointerdown", at(0.1)));
          for (const x of [0.3, 0.6, 0.9])
            pane.dispatchEvent(new PointerEvent("pointermove", at(x)));
          pane.dispatchEvent(new PointerEvent("pointerup", at(0.9)));
        }"""
    )
    until(lambda: notebook.value(f"int({mask}[12, 6:58].sum())") == 52, "the stroke has gaps")


def test_without_a_mouse_a_rectangle_is_added_and_enter_dabs(
    widget: Widget, panel: Locator, notebook: Notebook
) -> None:
    panel.get_by_role("button", name="Clear").click()
    panel.get_by_role("radio", name="rectangle").check(force=True)
    for side, value in (("x", 0), ("y", 0), ("width", 32), ("height", 32)):
        field = panel.get_by_role("textbox", name=f"{side} of the rectangle")
        field.fill(str(value))
        field.press("Enter")
    panel.get_by_role("button", name="Add").first.click()
    until(lambda: probability(widget, "lamp") > 0.95, "the rectangle was not painted")
    mask = "explorer.edits.edit.labels(64, 64)"
    until(
        lambda: notebook.value(f"[int({mask}.sum()), int({mask}[:32, :32].sum())]") == [1024, 1024],
        "the rectangle is another",
    )
    widget.stage.get_by_role("group", name="stage").focus()
    widget.page.mouse.move(0, 0)
    widget.page.keyboard.press("b")
    for key in ("Shift+ArrowDown", "Shift+ArrowRight", "Enter"):
        widget.page.keyboard.press(key)
    until(lambda: notebook.value(f"int(({mask} > 0).sum())") > 1024, "Enter painted nothing")


def test_python_and_page_share_the_edit(widget: Widget, panel: Locator, notebook: Notebook) -> None:
    notebook.python("explorer.edits.undo(); explorer.edits.undo()")
    until(lambda: probability(widget, "night") > 0.5, "the page did not follow Python")


def test_a_counterfactual_is_found_and_explained(
    widget: Widget, panel: Locator, notebook: Notebook, artefacts: Path
) -> None:
    panel.get_by_role("button", name="find a counterfactual").click()
    panel.get_by_role("button", name="to be: choose a class").click()
    widget.root.get_by_role("option", name="lamp").click()
    panel.get_by_role("button", name="Find what would change its mind").click()
    says = panel.get_by_text("The model says lamp")
    expect(says).to_be_visible(timeout=30_000)
    expect(widget.stage.get_by_text("lamp").first).to_be_visible()
    until(lambda: probability(widget, "lamp") > 0.5, "the bars do not show the found picture")
    assert notebook.value("bool(explorer.edits.result.valid[0])")
    widget.root.screenshot(path=artefacts / "found.png")
    page = notebook.python("print(len(explorer._encode('html')))")
    assert int(page) < 1_000_000
    panel.get_by_role("button", name="Explain this picture").last.click()
    until(lambda: notebook.value("explorer.target") is not None, "nothing is explained")
    until(lambda: probability(widget, "lamp") > 0.5, "the found picture is not explained")


def test_a_probe_is_named_as_one(widget: Widget, panel: Locator) -> None:
    panel.get_by_role("button", name="probes of fragility").click()
    panel.get_by_role("button", name="Probe", exact=True).click()
    says = panel.locator(".nbx-says")
    expect(says).to_contain_text("A probe of fragility, not an explanation.")
    expect(panel.get_by_text("attribution, before and after")).to_be_visible()
