"""One browser and one JupyterLab for all browser tests; a notebook and a kernel per file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.lab import Lab, Notebook
from tests.browser.widget import Widget
from tests.chromium import executable

ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update "
    "--disable-sync --no-first-run"
).split()

PREPARE = """
import logging, torch
from nbxplain import Baseline, Explorer, demo
model, labels, cat = demo.network(), demo.labels(), demo.pictures()["cat"]
"""

Open = Callable[..., Notebook]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def opened(lab: Lab, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens notebooks that begin with a model and a picture, and closes them after the file."""
    notebooks: list[Notebook] = []

    def open(*cells: str) -> Notebook:
        name = f"{request.module.__name__.rsplit('.')[-1]}_{len(notebooks)}"
        notebook = lab.open(browser, name, [PREPARE, *cells])
        notebooks.append(notebook)
        return notebook

    yield open
    for notebook in notebooks:
        notebook.close()
        assert notebook.errors == [], "the page raised"


@pytest.fixture(scope="module")
def notebook(opened: Open) -> Notebook:
    """A notebook that shows one Explorer, `explorer`."""
    notebook = opened("explorer = Explorer(model, cat, labels=labels)\nexplorer")
    notebook.run_all()
    Widget(notebook.page).expect_map()
    return notebook


@pytest.fixture
def widget(notebook: Notebook) -> Widget:
    return Widget(notebook.page)


@pytest.fixture
def page(notebook: Notebook) -> Page:
    return notebook.page


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots go: kept for people to look at, never committed."""
    folder = Path(__file__).parents[1] / "artefacts"
    folder.mkdir(exist_ok=True)
    return folder
