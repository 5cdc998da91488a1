"""Other hosts: a saved notebook as a page, marimo, and JupyterLab with and without subshells."""

from __future__ import annotations

import base64
import io
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from PIL import Image
from playwright.sync_api import Browser, expect

import nbxplain
from tests.browser.conftest import PREPARE
from tests.browser.lab import Lab, free_port, until
from tests.browser.widget import MS, Widget

pytestmark = pytest.mark.browser

SHOW = "explorer = Explorer(model, cat, labels=labels)\nexplorer"
BUSY = "import time, pathlib\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)"


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(nbxplain.__file__).parents[1])}


def executed(folder: Path, store_state: bool, environment: dict[str, str]) -> str:
    """A notebook run from top to bottom, as a page."""
    cells = [PREPARE, "explorer = Explorer(model, cat, labels=labels); _ = explorer.wait()"]
    sources = [*cells, "explorer"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        store_widget_state=store_state,
        resources={"metadata": {"path": str(folder)}},
    ).execute(env=environment)
    page, _ = HTMLExporter().from_notebook_node(notebook)
    return str(page)


def test_a_page_without_widget_state_shows_the_picture(
    tmp_path: Path, browser: Browser, environment: dict[str, str]
) -> None:
    file = tmp_path / "page.html"
    file.write_text(executed(tmp_path, False, environment))
    context = browser.new_context(offline=True)
    try:
        page = context.new_page()
        page.goto(file.as_uri(), wait_until="domcontentloaded")
        picture = page.get_by_role("img", name="Grad-CAM")
        expect(picture).to_be_visible()
        source = picture.get_attribute("src") or ""
        with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as decoded:
            assert decoded.size == (224, 224)
    finally:
        context.close()


def test_a_page_with_widget_state_holds_the_result(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    page = executed(tmp_path, True, environment)
    assert "application/vnd.jupyter.widget-state+json" in page
    assert "Grad-CAM for Egyptian Mau" in page


@pytest.fixture
def marimo(tmp_path: Path, environment: dict[str, str]) -> Iterator[str]:
    """The address of a marimo app that shows an Explorer."""
    body = "".join(f"    {line}\n" for line in (PREPARE + SHOW).strip().splitlines())
    app = tmp_path / "app.py"
    app.write_text(f"import marimo\napp = marimo.App()\n@app.cell\ndef _():\n{body}    return\n")
    port = free_port()
    options = ["run", str(app), "--headless", "--no-token", "--port", str(port)]
    with (tmp_path / "marimo.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "marimo", "-q", *options],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            try:
                return bool(urllib.request.urlopen(url, timeout=5).status == 200)
            except OSError:
                return False

        try:
            until(answers, "marimo does not answer")
            yield url
        finally:
            server.terminate()
            server.wait(20)


def test_marimo(marimo: str, browser: Browser, artefacts: Path) -> None:
    context = browser.new_context(viewport={"width": 1200, "height": 1000})
    try:
        page = context.new_page()
        page.goto(marimo)
        widget = Widget(page)
        widget.expect_map()
        before = widget.map()
        widget.choose("method", "Input")
        widget.expect_state("done in")
        until(lambda: widget.map() != before, "marimo does not bring the new map")
        page.screenshot(path=artefacts / "marimo.png")
    finally:
        context.close()


@pytest.mark.parametrize("subshells", ["disabled", "perCommTarget"])
def test_while_a_cell_runs(browser: Browser, lab: Lab, subshells: str) -> None:
    """With subshells a request is answered beside the cell; without, it says what it waits for."""
    lab.set("kernels-settings", {"commsOverSubshells": subshells})
    notebook = lab.open(browser, f"subshells_{subshells}", [PREPARE, SHOW, BUSY])
    go = notebook.path.parent / "go"
    go.unlink(missing_ok=True)
    try:
        notebook.start_all()
        widget = Widget(notebook.page)
        widget.expect_map()
        until(lambda: notebook.running() == [2], "the last cell does not run")
        widget.choose("method", "Input")
        shown = re.compile("Input × Gradient")
        if subshells == "disabled":
            widget.expect_state("waiting for the kernel")
            go.touch()
        expect(widget.picture).to_have_attribute("aria-label", shown, timeout=MS)
        widget.expect_state("done in")
        assert (notebook.running() == [2]) is (subshells != "disabled")
    finally:
        go.touch()
        notebook.close()
        lab.set("kernels-settings", {})
