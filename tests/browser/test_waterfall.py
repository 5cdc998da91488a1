"""Shares of the score and the model's own answer: point at a part, take it away, put it back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.lab import Notebook, until
from tests.browser.test_accessible import HOST, Scheme, violations
from tests.browser.widget import MS, Widget

pytestmark = pytest.mark.browser

WITHOUT = """
result, device = explorer.result, torch.device("cpu")
place = result.players.labels == result.players.names[0].index({name!r})
x, absent = result.inputs.tensor, result.method.baseline.tensor_for(result.inputs, device)
with torch.no_grad():
    print(float(model(torch.where(place, absent, x))[0, labels.index("Egyptian Mau")]))
"""
"""The user's own model on the picture with the baseline in one region."""
SEGMENTS = 8
"""Asked for: superpixels may be fewer."""


@pytest.fixture(scope="module")
def shared(notebook: Notebook) -> Widget:
    """Shapley values of a few superpixels, asked for in the empty tab."""
    widget = Widget(notebook.page)
    widget.press("3")
    widget.button("Explain with Shapley values").click()
    until(lambda: notebook.value("explorer.method") == "shapley", "the button does nothing")
    notebook.python(f"explorer.params = {{'segments': {SEGMENTS}}}; explorer.baseline = 'blur'")
    notebook.python("_ = explorer.wait()")
    expect(rows(widget)).to_have_count(parts(notebook), timeout=MS)
    widget.expect_state("done in")
    return widget


def parts(notebook: Notebook) -> int:
    return int(notebook.value("int(explorer.result.players.counts[0])"))


def rows(widget: Widget) -> Locator:
    drawing = widget.root.get_by_role("group", name=re.compile(r"from E\[f\]"))
    return drawing.get_by_role("button")


def outlined(widget: Widget) -> int:
    """How many canvases lie on the stage: one more where regions are outlined."""
    return widget.stage.locator("canvas").count()


def removed(widget: Widget) -> Locator:
    return widget.root.get_by_role("region", name=re.compile("removed$"))


def moved(text: str) -> tuple[float, float]:
    """Before and after, as they are written."""
    before, after = re.findall(r"(−?\d*\.?\d+) → (−?\d*\.?\d+)", text)[0]
    return float(before.replace("−", "-")), float(after.replace("−", "-"))


def test_rows_are_the_shares_of_the_score(shared: Widget, notebook: Notebook) -> None:
    shown = [name or "" for name in (row.get_attribute("aria-label") for row in rows(shared).all())]
    values = [float(name.rsplit(": ", 1)[1].replace("−", "-")) for name in shown]
    assert [abs(v) for v in values] == sorted((abs(v) for v in values), reverse=True)
    sums = notebook.value(
        "[float(explorer.result.values.sum()), float(explorer.result.base_value[0])]"
    )
    assert sum(values) == pytest.approx(sums[0], abs=0.01 * SEGMENTS)
    section = shared.root.get_by_role("region", name="Egyptian Mau, score")
    expect(section).to_contain_text(f"exact · {2 ** parts(notebook)} evaluations")


def test_a_row_and_its_region_point_at_each_other(shared: Widget) -> None:
    bare = outlined(shared)
    rows(shared).first.focus()
    until(lambda: outlined(shared) == bare + 1, "the region of the row is not outlined")
    shared.page.keyboard.press("ArrowDown")
    expect(rows(shared).nth(1)).to_be_focused()
    shared.focus()
    until(lambda: outlined(shared) == bare, "the outline stays when nothing is pointed at")
    shared.point_at_the_middle()
    until(lambda: outlined(shared) == bare + 1, "the region under the pointer is not outlined")
    shared.page.mouse.move(0, 0)
    until(lambda: outlined(shared) == bare, "the outline stays when the pointer has left")


def test_a_click_takes_a_region_away_and_the_model_answers(
    shared: Widget, notebook: Notebook, artefacts: Path
) -> None:
    whole, predicted = shared.map(), shared.root.get_by_role("list", name="predictions")
    said = predicted.inner_text()
    rows(shared).first.click()
    expect(removed(shared)).to_contain_text("→", timeout=MS)
    before, after = moved(removed(shared).inner_text())
    assert before == pytest.approx(
        notebook.value("float(explorer.result.prediction.scores.max())"), 0.01
    )
    name = (rows(shared).first.get_attribute("aria-label") or "").rsplit(": ", 1)[0]
    assert after == pytest.approx(float(notebook.python(WITHOUT.format(name=name))), 0.01)
    until(lambda: predicted.inner_text() != said, "the predictions do not move")
    assert shared.map() == "", "the map lies over what was taken away"
    expect(shared.stage.get_by_text(re.compile("^without "))).to_be_visible()
    first = removed(shared).inner_text()
    rows(shared).nth(1).click()
    expect(removed(shared)).to_contain_text("interaction", timeout=MS)
    assert moved(removed(shared).inner_text()) != moved(first)
    shared.page.set_viewport_size({"width": 1400, "height": 1300})
    for scheme in ("light", "dark"):
        picture(shared, notebook, scheme, artefacts)
    rows(shared).nth(1).click()
    expect(removed(shared)).not_to_contain_text("interaction", timeout=MS)
    removed(shared).get_by_label("fill").select_option("black")
    until(lambda: moved(removed(shared).inner_text())[1] != after, "the fill changes nothing")
    shared.button("Put back").click()
    expect(removed(shared)).to_have_count(0)
    until(lambda: predicted.inner_text() == said, "the predictions are not those of before")
    until(lambda: shared.map() == whole, "the map is not back")


def picture(widget: Widget, notebook: Notebook, scheme: Scheme, artefacts: Path) -> None:
    notebook.theme(f"JupyterLab {scheme.title()}")
    expect(widget.root).to_have_attribute("data-scheme", scheme)
    assert violations(notebook.page, HOST) == []
    widget.root.screenshot(path=artefacts / f"waterfall-{scheme}.png")


def test_the_unit_is_computed_and_the_look_is_not(shared: Widget, notebook: Notebook) -> None:
    jobs = notebook.value("explorer._jobs")
    for name in ("force", "bars", "waterfall", "position", "size"):
        shared.root.get_by_role("radio", name=name).check()
    assert notebook.value("explorer._jobs") == jobs
    shared.root.get_by_role("radio", name="probability").check()
    expect(shared.root.get_by_role("region", name="Egyptian Mau, probability")).to_be_visible(
        timeout=MS
    )
    expect(shared.root.get_by_text("do not add")).to_be_visible()
    assert notebook.value("explorer.params['unit']") == "probability"


def test_without_a_kernel_shares_are_looked_at(
    shared: Widget, notebook: Notebook, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "shares.html"
    notebook.python(f"explorer.save({str(file)!r})")
    page = browser.new_page()
    page.goto(file.as_uri())
    saved = Widget(page)
    saved.press("3")
    expect(rows(saved)).to_have_count(parts(notebook))
    expect(rows(saved).first).to_have_attribute("aria-disabled", "true")
    bare = outlined(saved)
    saved.point_at_the_middle()
    until(lambda: outlined(saved) == bare + 1, "the region under the pointer is not outlined")
    rows(saved).first.click(force=True)
    expect(removed(saved)).to_have_count(0)
    saved.root.get_by_role("radio", name="bars").check()
    expect(saved.root.get_by_text("E[f]")).to_have_count(0)
    page.close()
