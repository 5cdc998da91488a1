"""A row of a table: its features in the place of the picture, edited while the prediction moves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Open
from tests.browser.lab import Notebook, until
from tests.browser.test_accessible import HOST, violations
from tests.browser.widget import MS, Widget

pytestmark = pytest.mark.browser

CELL = """
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
data = load_breast_cancer()
forest = RandomForestClassifier(20, random_state=0).fit(data.data, data.target)
explorer = Explorer(forest, data.data[0], background=data.data[:60],
    feature_names=list(data.feature_names), labels=list(map(str, data.target_names)))
explorer
"""


@pytest.fixture(scope="module")
def table(opened: Open) -> Notebook:
    notebook = opened(CELL)
    notebook.run_all()
    expect(rows(Widget(notebook.page)).first).to_be_visible(timeout=MS)
    return notebook


def rows(widget: Widget) -> Locator:
    drawing = widget.root.get_by_role("group", name=re.compile(r"from E\[f\]"))
    return drawing.get_by_role("button")


def test_a_row_stands_in_the_place_of_the_picture(table: Notebook, artefacts: Path) -> None:
    widget = Widget(table.page)
    widget.expect_state("done in")
    expect(widget.stage).to_have_count(0)
    expect(rows(widget).last).to_have_accessible_name(re.compile(r"^\d+ others"))
    assert violations(table.page, HOST) == []
    widget.root.screenshot(path=artefacts / "table.png")


def test_a_feature_is_edited_and_the_edited_row_explained(table: Notebook) -> None:
    widget = Widget(table.page)
    name = "worst concave points"
    rows(widget).filter(has_text=name).click()
    said = widget.root.get_by_role("list", name="predictions").inner_text()
    widget.number(name).fill("0.05")
    widget.page.keyboard.press("Enter")
    what_if = widget.root.get_by_role("region", name="what if")
    expect(what_if).to_contain_text("→", timeout=MS)
    predictions = widget.root.get_by_role("list", name="predictions")
    until(lambda: predictions.inner_text() != said, "the predictions do not move")
    after = float(re.findall(r"→ (\d*\.\d+)", what_if.inner_text())[0])
    expected = table.value(
        "float(forest.predict_proba([[0.05 if n == 'worst concave points' else v"
        " for n, v in zip(data.feature_names, data.data[0])]])[0, 0])"
    )
    assert after == pytest.approx(expected, abs=0.01)
    widget.button("Explain this row").click()
    expect(rows(widget).filter(has_text=f"{name} = 0.05")).to_have_count(1, timeout=MS)
    expect(widget.button("Explain this row")).to_have_count(0)
    score = table.value("float(explorer._prediction['top'][0]['score'])")
    assert score == pytest.approx(max(expected, 1 - expected), abs=0.01)
