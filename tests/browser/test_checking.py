"""Can this be trusted? One press, verdicts as they come, and from each number to its curve."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.lab import Notebook, until
from tests.browser.test_accessible import HOST, violations
from tests.browser.widget import MS, Widget

pytestmark = pytest.mark.browser


def card(widget: Widget, name: str) -> Locator:
    return widget.root.get_by_role("region", name=name, exact=True)


def line(widget: Widget) -> Locator:
    return widget.stage.get_by_role("list", name="evidence")


def tick(widget: Widget, *names: str) -> None:
    """These checks and no others are to be made."""
    for name in ("Sanity", "Stability", "Deletion", "Insertion"):
        box = widget.root.get_by_role("checkbox", name=name, exact=True)
        box.set_checked(name in names)


@pytest.fixture(scope="module")
def checked(notebook: Notebook) -> Widget:
    """Two checks, asked for in the tab; the second is over last."""
    widget = Widget(notebook.page)
    expect(line(widget)).to_contain_text("not checked yet")
    widget.press("6")
    tick(widget, "Sanity", "Deletion")
    widget.button("Check it").first.scroll_into_view_if_needed()
    widget.root.get_by_role("region", name="can this be trusted?").get_by_role(
        "button", name="Check it"
    ).click()
    expect(card(widget, "Sanity")).to_contain_text("rank correlation", timeout=MS)
    expect(card(widget, "Deletion")).to_contain_text("sigma", timeout=2 * MS)
    return widget


def test_verdicts_are_those_of_python(checked: Widget, notebook: Notebook) -> None:
    for name in ("sanity", "deletion"):
        told = notebook.value(
            f"[explorer.checks.results[{name!r}].value, explorer.checks.results[{name!r}].reading,"
            f" explorer.checks.results[{name!r}].verdict]"
        )
        for text in told:
            expect(card(checked, name.title())).to_contain_text(text)
    expect(card(checked, "Sanity").get_by_role("listitem")).to_have_count(5)
    expect(card(checked, "Insertion")).to_contain_text("put back first")


def test_a_number_under_the_map_opens_its_curve(checked: Widget, notebook: Notebook) -> None:
    expect(line(checked)).not_to_contain_text("not checked yet")
    checked.press("1")
    expect(card(checked, "Deletion")).to_have_count(0)
    line(checked).get_by_role("button", name=re.compile("^deletion")).click()
    expect(card(checked, "Deletion")).to_be_focused()
    expect(card(checked, "Deletion")).to_be_in_viewport()
    expect(card(checked, "Deletion").get_by_role("img")).to_have_accessible_name(
        re.compile("10 random orders")
    )


def test_it_is_stopped_within_a_check(checked: Widget, notebook: Notebook) -> None:
    checked.press("6")
    tick(checked, "Insertion")
    checked.button("Check the rest").click()
    expect(card(checked, "Insertion")).to_contain_text(re.compile(r"\d+ of 343"), timeout=MS)
    checked.root.get_by_role("button", name="Stop", exact=True).click()
    expect(card(checked, "Insertion")).to_contain_text("stopped at", timeout=MS)
    expect(card(checked, "Deletion")).to_contain_text("sigma")
    assert notebook.value("explorer.checks.results['insertion'].complete") is False


def test_looks(checked: Widget, notebook: Notebook, artefacts: Path) -> None:
    checked.press("6")
    try:
        for scheme in ("light", "dark"):
            notebook.theme(f"JupyterLab {scheme.title()}")
            expect(checked.root).to_have_attribute("data-scheme", scheme)
            assert violations(notebook.page, HOST) == []
            for name, width in {"wide": 1300, "narrow": 640}.items():
                notebook.page.set_viewport_size({"width": width, "height": 1600})
                checked.root.screenshot(path=artefacts / f"check-{scheme}-{name}.png")
            notebook.page.set_viewport_size({"width": 1400, "height": 1000})
    finally:
        notebook.theme("JupyterLab Light")


def test_checks_come_back_with_their_result(checked: Widget, notebook: Notebook) -> None:
    notebook.python("explorer.method = 'gradient'; _ = explorer.wait()")
    checked.press("6")
    expect(line(checked)).to_contain_text("not checked yet", timeout=MS)
    expect(card(checked, "Deletion")).not_to_contain_text("sigma")
    checked.root.get_by_role("option", name=re.compile("^Grad-CAM")).click()
    expect(card(checked, "Deletion")).to_contain_text("sigma")
    checked.button("Show it again").click()
    until(lambda: notebook.value("explorer.method") == "grad_cam", "nothing is restored")
    expect(card(checked, "Deletion")).to_contain_text("sigma", timeout=MS)
    assert "deletion" in notebook.value("list(explorer.checks.results)")


def test_without_a_kernel_what_was_found_is_looked_at(
    checked: Widget, notebook: Notebook, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "checked.html"
    notebook.python(f"explorer.save({str(file)!r})")
    assert file.stat().st_size < 1_000_000
    page = browser.new_page()
    page.goto(file.as_uri())
    saved = Widget(page)
    line(saved).get_by_role("button", name=re.compile("^sanity")).click()
    expect(card(saved, "Sanity")).to_be_focused()
    expect(card(saved, "Deletion")).to_contain_text("sigma")
    start = card(saved, "can this be trusted?")
    expect(start.get_by_role("button")).to_be_disabled()
    expect(start).to_contain_text("computing needs a kernel")
    page.close()
