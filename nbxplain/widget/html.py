"""What an Explorer leaves behind: a page that opens without a kernel, and a static picture."""

from __future__ import annotations

import base64
import io
import json
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from PIL import Image

from nbxplain.core.errors import ExplanationError
from nbxplain.core.inputs import Inputs
from nbxplain.figure import look
from nbxplain.results import Attribution

BUNDLE = Path(__file__).parents[1] / "static" / "widget.js"

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>body {{ margin: 24px auto; max-width: 1120px; padding: 0 16px; }}</style>
</head>
<body>
<div id="explorer"><noscript>{noscript}</noscript></div>
<script type="application/json" id="state">{state}</script>
<script type="application/json" id="bundle">{bundle}</script>
<script type="module">
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const source = new Blob([read("bundle")], {{ type: "text/javascript" }});
const {{ savedView }} = await import(URL.createObjectURL(source));
savedView(document.getElementById("explorer"), read("state"));
</script>
</body>
</html>
"""


def bundle() -> Path:
    """The built front end. Raises ExplanationError when the package was not built."""
    if not BUNDLE.is_file():
        raise ExplanationError(
            "The front end of nbxplain was not built.",
            "Install it with pip (`pip install .` in a checkout), which builds it.",
        )
    return BUNDLE


def page(state: dict[str, Any], title: str) -> bytes:
    """A self-contained page from the traits of an Explorer; looking works, computing does not."""
    return PAGE.format(
        title=escape(title),
        noscript="This saved view needs JavaScript to be looked at.",
        state=_json(state),
        bundle=_json(bundle().read_text()),
    ).encode()


def _json(value: Any) -> str:
    # "<" could end the script element; in JSON strings it may be written as an escape.
    return json.dumps(value, default=_base64).replace("<", "\\u003c")


def _base64(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} cannot be saved in a page")


def still(attribution: Attribution, opacity: float, clip: float, colormap: str) -> bytes:
    """The overlay alone, or the bars of a table row, as PNG bytes: what hosts show where the widget
    cannot run."""
    if attribution.inputs.is_table:
        return attribution.encode("png", width="single", dpi=110, caption=False)
    return encoded(overlay(attribution, opacity, clip, colormap))


def overlay(attribution: Attribution, opacity: float, clip: float, colormap: str) -> Image.Image:
    """The map over the picture."""
    picture = attribution.inputs.pictures[0]
    seen = look(attribution.heatmap().double().numpy(), clip)
    place = ((seen.values - seen.low) / (seen.high - seen.low)).clip(0, 1)
    colours = mpl.colormaps[seen.colormap(colormap)](place, bytes=True)
    colours[..., 3] = (255 * opacity * seen.alpha).astype(np.uint8)
    layer = Image.fromarray(colours).resize(picture.size, Image.Resampling.BICUBIC)
    return Image.alpha_composite(picture.convert("RGBA"), layer)


def unexplained(inputs: Inputs) -> bytes:
    """The picture before there is a result; nothing of a table row, but of the same kind."""
    return encoded(inputs.pictures[0] if inputs.pictures else Image.new("RGB", (8, 8), "white"))


def encoded(picture: Image.Image) -> bytes:
    """A picture as JPEG-sized PNG bytes: 256 colours are enough for a fallback."""
    small = picture.convert("RGB")
    small.thumbnail((320, 320))
    buffer = io.BytesIO()
    small.quantize(128).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def fallback(png: bytes, caption: str) -> str:
    """The static picture as HTML with a caption."""
    data = base64.b64encode(png).decode()
    return (
        f'<figure style="margin:0"><img alt="{escape(caption)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )
