"""What is taken away from the widget: a figure with its provenance, and code."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.lab import Notebook
from tests.browser.widget import MS, Widget

pytestmark = pytest.mark.browser


def exported(widget: Widget, format: str) -> tuple[str, bytes]:
    """Saves the result through the dialog; the name and the bytes that arrive."""
    widget.button("export").click()
    dialog = widget.root.get_by_role("dialog", name="Export")
    dialog.get_by_role("radio", name=format.upper()).check()
    with widget.page.expect_download(timeout=MS) as download:
        dialog.get_by_role("button", name=f"Save {format.upper()}").click()
    expect(dialog).to_have_count(0)
    file = download.value
    return file.suggested_filename, Path(file.path()).read_bytes()


def test_a_png_says_where_it_comes_from(widget: Widget) -> None:
    name, data = exported(widget, "png")
    assert name.endswith("grad_cam.png")
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        assert picture.format == "PNG"
        assert picture.width > 600
        said = " ".join(map(str, picture.info.values()))
    for word in ("grad_cam", "EfficientNet", "Egyptian Mau", "torch"):
        assert word in said, f"{word} is not in the metadata"


def test_an_svg_keeps_text_as_text(widget: Widget) -> None:
    name, data = exported(widget, "svg")
    assert name.endswith(".svg")
    assert b"Egyptian Mau" in data


def test_the_code_computes_the_same_bits(widget: Widget, notebook: Notebook) -> None:
    notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook.python("explorer.method = 'integrated_gradients'; explorer.params = {'steps': 8}")
    widget.expect_state("done in")
    notebook.python("_ = explorer.wait()")
    widget.button("code").click()
    dialog = widget.root.get_by_role("dialog", name="The code of this result")
    expect(dialog.locator("pre")).to_contain_text("explain(")
    dialog.get_by_role("button", name="copy").click()
    expect(dialog.get_by_role("button", name="copied")).to_be_visible()
    code = notebook.page.evaluate("navigator.clipboard.readText()")
    dialog.get_by_role("button", name="close").click()
    notebook.python(f"image = cat; exec({json.dumps(code)})")
    assert notebook.value("torch.equal(attribution.values, explorer.result.values)")
