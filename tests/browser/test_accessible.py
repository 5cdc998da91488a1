"""axe finds nothing serious, in light and dark, live and saved; and screenshots to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.lab import Notebook, until
from tests.browser.widget import Widget

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "js/node_modules/axe-core/axe.min.js"
HOST = ".jp-OutputArea-output [data-lm-suppress-shortcuts]"
WIDTHS = {"wide": 1100, "narrow": 560}
Scheme = Literal["light", "dark"]


def violations(page: Page, host: str) -> list[str]:
    """What axe finds in the widget alone: the host's page is not ours."""
    if not page.evaluate("'axe' in window"):
        assert AXE.is_file(), "axe-core is missing: run `npm ci` in js/"
        # As a value, not as a script element: a page's policy may forbid those.
        page.evaluate(f"() => {{ const module = undefined; {AXE.read_text()} }}")
    answer: dict[str, Any] = page.evaluate(
        """async (host) => {
            const { passes, violations } = await axe.run(document.querySelector(host));
            const inside = passes.flatMap(({ nodes }) => nodes)
                .filter(({ target }) => target.some(Array.isArray)).length;
            const found = violations
                .filter(({ impact }) => ["serious", "critical"].includes(impact))
                .map(({ id, help, nodes }) => ({ id, help, at: nodes.map((node) =>
                    node.target.flat().join(" ") + ": "
                    + node.any.map(({ message }) => message).join("; ")) }));
            return { inside, found };
        }""",
        host,
    )
    assert answer["inside"] > 100, "axe did not look into the shadow root"
    found: list[dict[str, Any]] = answer["found"]
    return [f"{each['id']}: {each['help']} {each['at'][:6]}" for each in found]


@pytest.fixture(scope="module")
def explained(notebook: Notebook) -> Iterator[Notebook]:
    """A result with everything beside it: baseline, path, evidence, history."""
    notebook.python("explorer.method = 'integrated_gradients'; explorer.params = {'steps': 24}")
    notebook.python("explorer.baseline = Baseline.blur(9); _ = explorer.wait()")
    widget = Widget(notebook.page)
    expect(widget.root.get_by_role("region", name="path")).to_be_visible()
    widget.expect_state("done in")
    yield notebook
    notebook.theme("JupyterLab Light")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_lab(explained: Notebook, artefacts: Path, scheme: Scheme) -> None:
    page, widget = explained.page, Widget(explained.page)
    explained.theme(f"JupyterLab {scheme.title()}")
    expect(widget.root).to_have_attribute("data-scheme", scheme)
    assert violations(page, HOST) == []
    for name, width in WIDTHS.items():
        page.set_viewport_size({"width": width + 170, "height": 1100})
        until(lambda w=width: abs(_width(widget) - w) < 120, f"the widget is not {width} wide")
        widget.root.screenshot(path=_file(artefacts, "lab", scheme, name))
    page.set_viewport_size({"width": 1400, "height": 1000})


def test_open_parts(explained: Notebook, artefacts: Path) -> None:
    widget = Widget(explained.page)
    for key, name in {"m": "method", "t": "for", "x": "Export", "?": "Keyboard"}.items():
        widget.press(key)
        dialog = widget.root.get_by_role("dialog", name=name)
        expect(dialog).to_be_visible()
        assert violations(explained.page, HOST) == [], f"with {name} open"
        explained.page.screenshot(path=artefacts / f"open-{name.lower()}.png")
        explained.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_saved_page(
    explained: Notebook, browser: Browser, artefacts: Path, tmp_path: Path, scheme: Scheme
) -> None:
    file = tmp_path / "saved.html"
    explained.python(f"explorer.save({str(file)!r})")
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1132, "height": 1000})
    try:
        page = context.new_page()
        page.goto(file.as_uri())
        widget = Widget(page)
        widget.expect_map()
        expect(widget.root).to_have_attribute("data-scheme", scheme)
        assert violations(page, "#explorer") == []
        for name, width in WIDTHS.items():
            page.set_viewport_size({"width": width + 32, "height": 1000})
            until(lambda w=width: abs(_width(widget) - w) < 40, f"the page is not {width} wide")
            page.screenshot(path=_file(artefacts, "saved", scheme, name), full_page=True)
    finally:
        context.close()


def _width(widget: Widget) -> float:
    box = widget.root.bounding_box()
    return box["width"] if box else 0


def _file(artefacts: Path, where: str, scheme: str, width: str) -> Path:
    return artefacts / f"{where}-{scheme}-{width}.png"
