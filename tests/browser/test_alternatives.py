"""What would have to be different in a row: asked in the Edit tab, applied, explained, stopped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import Open
from tests.browser.lab import Notebook, until
from tests.browser.test_accessible import HOST, violations
from tests.browser.widget import MS, Widget

pytestmark = pytest.mark.browser

CELL = """
import time
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
data = load_breast_cancer()
rows, names = data.data[:, :10], [str(name) for name in data.feature_names[:10]]
fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, data.target)
def classify(some):
    time.sleep(0.02)
    return fitted.predict_proba(some)
explorer = Explorer(classify, rows[0], background=rows, feature_names=names,
    labels=[str(name) for name in data.target_names], method="feature_ablation")
explorer
"""
FIND = "Find what would change its mind"
HELD = "mean texture"


@pytest.fixture(scope="module")
def asked(opened: Open) -> Notebook:
    """A malignant row of which it was asked what would make it benign, at the same texture."""
    notebook = opened(CELL)
    notebook.run_all()
    widget = Widget(notebook.page)
    expect(widget.root.get_by_role("list", name="predictions")).to_be_visible(timeout=MS)
    widget.root.get_by_role("tab", name="Edit").click()
    widget.root.get_by_role("combobox", name=f"{HELD} may change").select_option("fixed")
    widget.button(FIND).click()
    expect(widget.root.get_by_text("reached", exact=True)).to_be_visible(timeout=MS)
    return notebook


def found(widget: Widget) -> Locator:
    return widget.root.get_by_role("list", name="alternatives").get_by_role("listitem")


def test_four_rows_are_found_that_keep_what_must_not_change(
    asked: Notebook, artefacts: Path
) -> None:
    widget = Widget(asked.page)
    expect(found(widget)).to_have_count(5)
    expect(widget.root.get_by_text("4 of 4")).to_be_visible()
    assert asked.value("explorer.alternatives.result.validity") == 1
    assert asked.value("[float(v) for v in explorer.alternatives.result.rows[0, :, 1]]") == (
        asked.value("[float(rows[0, 1])] * 4")
    )
    said = found(widget).nth(1).inner_text()
    for name, (before, after) in asked.value("explorer.alternatives.result.changes()[0]").items():
        assert name in said
        assert f"{before:.4g}".lstrip("0") in said
        assert f"{after:.4g}".lstrip("0") in said
    assert violations(asked.page, HOST) == []
    widget.root.screenshot(path=artefacts / "alternatives.png")


def test_an_alternative_is_applied_and_the_prediction_moves(asked: Notebook) -> None:
    widget = Widget(asked.page)
    predictions = widget.root.get_by_role("list", name="predictions")
    before = predictions.inner_text()
    found(widget).nth(1).get_by_role("button", name="Apply").click()
    until(lambda: predictions.inner_text() != before, "the predictions do not move")
    what_if = widget.root.get_by_role("region", name="what if", exact=True)
    expect(what_if).to_contain_text("→", timeout=MS)
    after = float(re.findall(r"→ (\d*\.\d+)", what_if.inner_text())[0])
    assert after == pytest.approx(0.5, abs=0.05)
    widget.button("Put back").click()


def test_an_alternative_is_explained_and_the_others_stay(asked: Notebook) -> None:
    widget = Widget(asked.page)
    found(widget).nth(2).get_by_role("button", name="Explain").click()
    expect(found(widget).nth(2)).to_contain_text("explained", timeout=MS)
    best = widget.root.get_by_role("list", name="predictions").get_by_role("listitem").first
    expect(best).to_contain_text("benign", timeout=MS)
    assert asked.value("explorer._prediction['top'][0]['label']") == "benign"
    found(widget).first.get_by_role("button", name="Explain").click()
    expect(found(widget).first).to_contain_text("explained", timeout=MS)
    expect(found(widget)).to_have_count(5)


def test_what_cannot_be_is_said(asked: Notebook) -> None:
    widget = Widget(asked.page)
    low = widget.root.get_by_role("textbox", name="mean radius from")
    low.fill("30")
    low.press("Enter")
    widget.button(FIND).click()
    card = widget.root.get_by_role("alert").filter(has_text="The range of 'mean radius'")
    expect(card).to_contain_text("is empty", timeout=MS)
    low.fill("")
    low.press("Enter")


def test_a_search_is_stopped_and_keeps_the_best_so_far(asked: Notebook) -> None:
    widget = Widget(asked.page)
    widget.button(FIND).click()
    expect(found(widget).nth(4)).to_be_visible(timeout=MS)
    widget.button("Stop").last.click()
    expect(widget.root.get_by_text(re.compile(r"^stopped at \d+ of \d+$"))).to_be_visible(
        timeout=MS
    )
    expect(widget.button(FIND)).to_be_visible()
    expect(found(widget)).to_have_count(5)
    done, total = asked.value(
        "[explorer.alternatives.result.done, explorer.alternatives.result.total]"
    )
    assert done < total


def test_the_saved_page_has_them(asked: Notebook, browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "row.html"
    asked.python(f"explorer.save({str(path)!r})")
    context = browser.new_context(viewport={"width": 560, "height": 900})
    context.set_offline(True)
    page = context.new_page()
    page.goto(path.as_uri())
    widget = Widget(page)
    widget.root.get_by_role("tab", name="Edit").click()
    expect(found(widget)).to_have_count(5)
    expect(widget.button(FIND)).to_be_disabled()
    context.close()
