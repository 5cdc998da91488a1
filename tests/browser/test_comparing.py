"""The Compare tab: several methods side by side, how far they agree, as one figure."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.lab import Notebook, until
from tests.browser.widget import MS, Widget

pytestmark = pytest.mark.browser

COMPARED = ("Gradient", "Integrated Gradients", "Grad-CAM")


@pytest.fixture
def multiples(widget: Widget) -> Locator:
    return widget.stage.get_by_role("list", name="compared maps").get_by_role("listitem")


def test_chosen_methods_stand_side_by_side(
    widget: Widget, notebook: Notebook, multiples: Locator, artefacts: Path
) -> None:
    widget.root.get_by_role("tab", name="Compare").click()
    for label in COMPARED[:2]:
        widget.root.get_by_role("checkbox", name=label, exact=False).first.check()
    assert widget.root.get_by_role("checkbox", name="Grad-CAM", exact=False).first.is_checked()
    widget.root.get_by_role("button", name="Compare", exact=True).click()
    expect(multiples).to_have_count(3, timeout=MS)
    for number, label in enumerate(COMPARED):
        expect(multiples.nth(number)).to_contain_text(label)
    drawn = {
        multiples.nth(number).locator("canvas.nbx-map").evaluate("(canvas) => canvas.toDataURL()")
        for number in range(3)
    }
    assert len(drawn) == 3, "two methods show the same map"
    widget.root.screenshot(path=artefacts / "compare.png")


def test_the_matrix_says_how_far_they_agree(widget: Widget, notebook: Notebook) -> None:
    table = widget.root.get_by_role("table", name="rank correlation")
    expect(table.get_by_role("row")).to_have_count(4)
    rank = notebook.value("explorer.comparison.rank")
    for row in range(3):
        cells = table.get_by_role("row").nth(row + 1).get_by_role("cell").all_text_contents()
        shown = [float(cell.replace("−", "-")) for cell in cells]
        assert shown == pytest.approx(rank[row], abs=0.0051)


def test_it_is_saved_as_one_figure(widget: Widget) -> None:
    widget.button("export").click()
    dialog = widget.root.get_by_role("dialog", name="Export")
    expect(dialog.get_by_role("radio", name="comparison")).to_be_checked()
    with widget.page.expect_download(timeout=MS) as download:
        dialog.get_by_role("button", name="Save PNG").click()
    with Image.open(io.BytesIO(Path(download.value.path()).read_bytes())) as figure:
        assert figure.width > figure.height, "three maps do not stand side by side"
        said = " ".join(map(str, figure.info.values()))
    for method in ("gradient", "integrated_gradients", "grad_cam"):
        assert method in said, f"{method} is not in the metadata"


def test_a_saved_page_keeps_the_comparison_and_exports_it(
    widget: Widget, notebook: Notebook, tmp_path: Path
) -> None:
    file = tmp_path / "compared.html"
    notebook.python(f"_ = explorer.save({str(file)!r})")
    page = notebook.context.new_page()
    page.context.set_offline(True)
    try:
        page.goto(file.as_uri())
        saved = Widget(page)
        saved.root.get_by_role("tab", name="Compare").click()
        expect(saved.stage.get_by_role("list", name="compared maps")).to_be_visible()
        saved.button("export").click()
        dialog = saved.root.get_by_role("dialog", name="Export")
        with page.expect_download(timeout=MS) as download:
            dialog.get_by_role("button", name="Save PNG").click()
        with Image.open(download.value.path()) as figure:
            assert figure.width > 3 * 224
            assert figure.height < figure.width
            colours = figure.convert("RGB").getcolors(figure.width * figure.height)
            assert colours is not None
            assert len(colours) > 1000, "the figure shows no pictures"
    finally:
        page.context.set_offline(False)
        page.close()


def test_it_is_stale_once_the_weights_have_changed(
    widget: Widget, notebook: Notebook, multiples: Locator
) -> None:
    expect(multiples.get_by_text("stale")).to_have_count(0)
    change = "with torch.no_grad(): next(model.parameters()).mul_({0})"
    notebook.python(change.format("1.5"))
    notebook.python("explorer._check_weights()")
    expect(multiples.get_by_text("stale")).to_have_count(3)
    notebook.python(change.format("1 / 1.5"))


def test_a_name_makes_its_method_the_current_one(widget: Widget, notebook: Notebook) -> None:
    widget.stage.get_by_role("button", name="Integrated Gradients").click()
    until(
        lambda: notebook.value("explorer.method") == "integrated_gradients",
        "the method of the picture did not become the current one",
    )
