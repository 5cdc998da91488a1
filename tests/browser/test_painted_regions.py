"""Regions: outlined, a grid, painted on the stage; what is painted is what the model is without."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Open
from tests.browser.lab import Notebook, until
from tests.browser.widget import Widget

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def notebook(opened: Open) -> Notebook:
    notebook = opened(
        "explorer = Explorer(model, cat, labels=labels, method='feature_ablation')\n"
        "explorer.params = {'segments': 12}; explorer"
    )
    notebook.run_all()
    Widget(notebook.page).expect_map()
    return notebook


@pytest.fixture
def section(widget: Widget) -> Locator:
    return widget.root.get_by_role("region", name="regions")


def drag(widget: Widget, *points: tuple[float, float]) -> None:
    """Draws through points of the picture, given in shares of its sides."""
    widget.picture.scroll_into_view_if_needed()
    box = widget.picture.bounding_box()
    assert box is not None, "the picture is not on the page"
    for number, (x, y) in enumerate(points):
        widget.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if number == 0:
            widget.page.mouse.down()
    widget.page.mouse.up()


def names(section: Locator) -> list[str]:
    fields = section.get_by_role("textbox", name="name of region")
    return [fields.nth(number).input_value() for number in range(fields.count())]


def test_a_grid_divides_the_picture(widget: Widget, notebook: Notebook, section: Locator) -> None:
    section.get_by_role("radio", name="grid").check(force=True)
    until(lambda: notebook.value("explorer.regions")["kind"] == "grid", "the regions stayed")
    rows = section.get_by_role("textbox", name="rows, number")
    rows.fill("2")
    rows.press("Enter")
    columns = section.get_by_role("textbox", name="columns, number")
    columns.fill("3")
    columns.press("Enter")
    until(
        lambda: notebook.value("explorer.regions") == {"kind": "grid", "rows": 2, "columns": 3},
        "the grid is another",
    )
    notebook.python("_ = explorer.wait()")
    assert notebook.value("len(explorer.result.heatmap().unique())") == 6


def test_regions_are_painted_named_and_used(
    widget: Widget, notebook: Notebook, section: Locator, artefacts: Path
) -> None:
    section.get_by_role("radio", name="painted").check(force=True)
    drag(widget, (0.1, 0.3), (0.3, 0.25), (0.45, 0.4), (0.3, 0.55), (0.12, 0.5))
    until(lambda: names(section) == ["region 1"], "the lasso made no region")
    section.get_by_role("radio", name="rectangle").check(force=True)
    drag(widget, (0.5, 0.6), (0.75, 0.9))
    until(lambda: len(names(section)) == 2, "the rectangle made no region")
    section.get_by_label("name of region 1").fill("left eye")
    section.get_by_label("name of region 2").fill("nose")
    section.get_by_label("name of region 2").press("Enter")
    section.get_by_role("button", name="Undo").click()
    until(lambda: names(section)[1] != "nose", "the name was not undone")
    section.get_by_role("button", name="Redo").click()
    until(lambda: names(section) == ["left eye", "nose"], "the name was not done again")
    for scheme in ("dark", "light"):
        notebook.theme(f"JupyterLab {scheme.title()}")
        expect(widget.root).to_have_attribute("data-scheme", scheme)
        widget.root.screenshot(path=artefacts / f"painted-{scheme}.png")
    section.get_by_role("button", name="Use these").click()
    until(
        lambda: notebook.value("explorer.regions").get("names") == ["rest", "left eye", "nose"],
        "the regions did not arrive",
    )
    notebook.python("_ = explorer.wait()")
    expect(section.get_by_role("button", name="Use these")).to_be_disabled()
    notebook.python(
        "labels_used = explorer._full_regions.labels_for("
        "explorer._study.setting.inputs, torch.device('cpu'))[0]\n"
        "heatmap = explorer.result.heatmap()"
    )
    assert notebook.value("[len(heatmap[labels_used == i].unique()) for i in range(3)]") == [1] * 3
    share = notebook.value("[float((labels_used == i).float().mean()) for i in range(3)]")
    assert share[2] == pytest.approx(0.25 * 0.3, abs=0.01), "the rectangle is another"
    assert 0.03 < share[1] < 0.12, "the lasso is another"


def test_a_superpixel_is_added_by_a_click_and_by_the_keyboard(
    widget: Widget, section: Locator
) -> None:
    section.get_by_role("radio", name="superpixel", exact=True).check(force=True)
    count = len(names(section))
    add = section.get_by_role("button", name="add the superpixel at the crosshair")
    widget.stage.get_by_role("group", name="stage").focus()
    widget.page.mouse.move(0, 0)
    widget.page.keyboard.press("Shift+ArrowDown")
    expect(add).to_be_enabled()
    add.focus()
    widget.page.keyboard.press("Enter")
    until(lambda: len(names(section)) == count + 1, "the superpixel was not added")
    drag(widget, (0.92, 0.08))
    until(lambda: len(names(section)) == count + 2, "a click added no superpixel")
    widget.press("Escape")
    expect(widget.stage.locator(".nbx-painter")).to_have_count(0)


def test_a_map_from_python_can_be_painted_on_after_a_reload(
    notebook: Notebook, section: Locator, widget: Widget
) -> None:
    notebook.save()
    notebook.load()
    notebook.run_all()
    widget.expect_map()
    notebook.python(
        "from nbxplain import Regions\n"
        "below = (torch.arange(224) > 80).long().view(-1, 1).expand(224, 224)\n"
        "explorer.regions = Regions.map(below, ['rest', 'below'])\n"
        "_ = explorer.wait()"
    )
    until(lambda: names(section) == ["below"], "the map from Python cannot be painted on")
