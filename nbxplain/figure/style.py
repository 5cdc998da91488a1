"""What every figure has in common: its size, its scale of colours, its caption, its file."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nbxplain.core.errors import InputError

if TYPE_CHECKING:
    from nbxplain.methods.base import Method
    from nbxplain.results import Attribution

WIDTHS = {"single": 85.0, "double": 180.0, "slide": 254.0}
"""Figure widths in millimetres: one or two columns of a journal, or a slide."""

Sign = Literal["both", "positive", "negative", "absolute"]
Floats = NDArray[np.float64]


FULL = 0.65
"""Share of the scale's end from which a colour is as opaque as it gets."""


class Look(NamedTuple):
    """What is drawn of a map: values (h, w), the ends of the scale, and opacities in [0, 1]."""

    values: Floats
    low: float
    high: float
    alpha: Floats

    def colormap(self, name: str) -> str:
        """The named colour map, or for "auto" the one that suits the signs."""
        return name if name != "auto" else "RdBu_r" if self.low < 0 else "inferno"


def look(values: Floats, clip: float = 99.5, sign: Sign = "both", threshold: float = 0.0) -> Look:
    """What is drawn of raw values (h, w).

    `clip` is the percentile of magnitudes at which the scale ends, `threshold` the percentile below
    which nothing is drawn. The scale is symmetric about 0 when both signs occur. Weak values are
    more transparent than strong ones. The browser follows the same rules (js/src/color).
    """
    shown = {
        "both": values,
        "positive": values.clip(min=0),
        "negative": (-values).clip(min=0),
        "absolute": np.abs(values),
    }[sign]
    size = np.abs(shown)
    high = float(np.percentile(size, clip)) or float(size.max()) or 1.0
    low = -high if bool((shown < 0).any()) else 0.0
    strength = np.clip(size / high, 0, 1) / FULL
    alpha = np.minimum(1, 0.25 + 0.75 * strength if low < 0 else strength)
    return Look(shown, low, high, alpha * (size >= np.percentile(size, threshold)))


@dataclass(frozen=True)
class Style:
    """How a figure looks.

    width: one or two columns of a journal, or a slide. clip, sign, threshold: see look.
    native: cells as computed instead of smoothed. caption: method, evidence and provenance.
    """

    width: Literal["single", "double", "slide"] = "double"
    dpi: int = 200
    colormap: str = "auto"
    opacity: float = 0.55
    clip: float = 99.5
    sign: Sign = "both"
    threshold: float = 0.0
    native: bool = False
    caption: bool = True
    transparent: bool = False

    @property
    def text(self) -> int:
        """The size of text, in points."""
        return 10 if self.width == "slide" else 7

    @property
    def millimetres(self) -> float:
        """The width of the figure."""
        return WIDTHS[self.width]

    def figure(self, aspect: float, more: float = 0.0) -> Drawing:
        """An empty figure; its height is `aspect` widths and `more` millimetres."""
        width = self.millimetres
        size = (width / 25.4, (width * aspect + more) / 25.4)
        figure = Drawing(figsize=size, dpi=self.dpi, layout="constrained")
        figure.patch.set_alpha(0 if self.transparent else 1)
        return figure

    def look(self, attribution: Attribution, row: int = 0) -> Look:
        """What is drawn of a map."""
        values = attribution.heatmap(row).double().numpy()
        return look(values, self.clip, self.sign, self.threshold)

    def image(self, seen: Look, pixels: Any) -> dict[str, Any]:
        """Arguments of imshow for a map over a picture (H, W, 3)."""
        # Smoothing is for the eye alone, where a cell covers many pixels.
        smooth = "nearest" if self.native or seen.values.shape == pixels.shape[:2] else "bicubic"
        return {
            "cmap": seen.colormap(self.colormap),
            "vmin": seen.low,
            "vmax": seen.high,
            "extent": (0, pixels.shape[1], pixels.shape[0], 0),
            "interpolation": smooth,
        }


class Drawing(Figure):
    """A figure that shows itself in a notebook although pyplot does not know it."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()


def caption(attribution: Attribution, row: int) -> str:
    """What was computed, how good it is, and where it comes from."""
    parts = [f"{brief(attribution.method)} for {attribution.target[row]}"]
    if attribution.layer:
        parts.append(f"layer {attribution.layer}")
    parts += [f"{f.label} {f.value}" for f in attribution.findings(row)]
    if not attribution.complete:
        parts.append(f"PARTIAL: {attribution.done} of {attribution.total}")
    parts.append(origin(attribution.provenance))
    return " · ".join(part if len(part) < 160 else part[:157] + "..." for part in parts)


def brief(method: Method) -> str:
    """A method as code, without the data of pictures and tables."""
    return re.sub(r"'[^']{80,}'", "'…'", repr(method))


def origin(provenance: dict[str, Any]) -> str:
    """Model, versions and date."""
    p = provenance
    # An estimator has settings instead of weights that could be hashed.
    model = p.get("settings") or f"{p.get('model')} {p.get('weights')}"
    return f"{model}, nbxplain {p.get('nbxplain')}, torch {p.get('torch')}, {p.get('date')}"


def encode(figure: Figure, format: str, provenance: dict[str, Any]) -> bytes:
    """The figure as a file with the provenance (JSON) in its metadata."""
    if format not in ("png", "svg", "pdf"):
        raise InputError(f"Cannot draw {format}.", "Choose png, svg or pdf.")
    text = json.dumps(provenance)
    key = {"png": "Description", "svg": "Description", "pdf": "Subject"}[format]
    metadata = {"Title": "nbxplain attribution", key: text}
    buffer = io.BytesIO()
    with text_as_text():
        figure.savefig(buffer, format=format, metadata=metadata, dpi=figure.dpi)
    return buffer.getvalue()


@contextlib.contextmanager
def text_as_text() -> Iterator[None]:
    """Text stays text in SVG and PDF.

    Only these two settings are changed and put back: rc_context would put back all, and with them
    whatever a cell sets while a figure is written on another thread.
    """
    settings = cast(dict[str, Any], mpl.rcParams)
    wanted = {"svg.fonttype": "none", "pdf.fonttype": 42}
    before = {key: settings[key] for key in wanted}
    settings.update(wanted)
    try:
        yield
    finally:
        settings.update(before)
