"""Figures of attributions, for papers and reports. Through `Figure` objects, never pyplot.

It stands beside results.py and not in widget/, because `explain` draws without a widget.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nbxplain.core.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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

    def figure(self, aspect: float, more: float = 0.0) -> Drawing:
        """An empty figure; its height is `aspect` widths and `more` millimetres."""
        width = WIDTHS[self.width]
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


def grid(attributions: Sequence[Attribution], *, columns: int = 3, **options: Any) -> Drawing:
    """Overlays side by side, with the first line of evidence under each; options as in Style.

    Each map is relative to its own clip percentile, for methods have different units. Raises
    InputError when there is none.
    """
    if not attributions:
        raise InputError("There is nothing to compare.", "Every method failed; see .failures.")
    style = Style(**options)
    columns = min(columns, len(attributions))
    rows = -(-len(attributions) // columns)
    figure = style.figure(rows / columns * 1.18, 6 * style.caption)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes[len(attributions) :]:
        axis.set_axis_off()
    same = len({a.method.label for a in attributions}) == 1
    for axis, a in zip(axes, attributions, strict=False):
        _overlay(axis, np.asarray(a.inputs.pictures[0]), style.look(a), style)
        _plain(axis, a.target[0] if same else a.method.label, style.text)
        findings = a.findings()
        axis.set_xlabel(f"{findings[0].label}: {findings[0].value}", fontsize=style.text - 2)
    if style.caption:
        first = attributions[0]
        what = first.method.label if same else first.target[0]
        scale = f"each map relative to its own percentile {style.clip:g}"
        text = f"{what} · {scale} · {_origin(first)}"
        figure.supxlabel(text, fontsize=5, color="#555555")
    return figure


def _overlay(axis: Axes, pixels: Any, seen: Look, style: Style) -> None:
    image = style.image(seen, pixels)
    axis.imshow(pixels, extent=image["extent"])
    axis.imshow(seen.values, alpha=style.opacity * seen.alpha, **image)


def draw(attribution: Attribution, *, row: int | None = None, **options: Any) -> Drawing:
    """Input, map and overlay of one row side by side; options as in Style.

    Several rows (pictures, or classes of one picture) are drawn as small multiples unless `row`
    picks one. For table rows a bar chart of the features. The theme is always light.
    """
    style = Style(**options)
    if attribution.inputs.is_table:
        return _bars(attribution, row or 0, style)
    if row is None and len(attribution.values) > 1:
        return grid([attribution.row(i) for i in range(len(attribution.values))], **options)
    row = row or 0
    seen = style.look(attribution, row)
    figure = style.figure(0.42)
    axes = figure.subplots(1, 3)
    pictures = attribution.inputs.pictures
    pixels = np.asarray(pictures[min(row, len(pictures) - 1)])
    image = style.image(seen, pixels)
    axes[0].imshow(pixels, extent=image["extent"])
    mappable = axes[1].imshow(seen.values, **image)
    _overlay(axes[2], pixels, seen, style)
    titles = (_says(attribution, row), attribution.method.label, "overlay")
    for axis, title in zip(axes, titles, strict=True):
        _plain(axis, title, style.text)
    bar = figure.colorbar(mappable, ax=axes[1:], shrink=0.8, pad=0.02)
    label = f"ends at percentile {style.clip:g}, largest {np.abs(seen.values).max():.2g}"
    bar.set_label(label, fontsize=style.text)
    bar.ax.tick_params(labelsize=style.text - 1)
    bar.outline.set_linewidth(0.3)
    if style.caption:
        _caption(figure, attribution, row)
    return figure


def _bars(attribution: Attribution, row: int, style: Style) -> Drawing:
    values = attribution.values[row].double().numpy()
    order = np.argsort(-np.abs(values))[:20][::-1]
    players = attribution.players
    names = [f"feature {i}" for i in range(len(values))] if players is None else players.names[row]
    figure = style.figure(0, 12 + 5.0 * len(order) + 8 * style.caption)
    axis = figure.subplots()
    axis.barh(
        [names[i] for i in order],
        values[order],
        color=["#b2182b" if v > 0 else "#2166ac" for v in values[order]],
    )
    axis.axvline(0, color="#888888", linewidth=0.5)
    axis.spines[["top", "right"]].set_visible(False)
    title = f"{attribution.method.label} for {attribution.target[row]}"
    axis.set_title(title, loc="left", fontsize=7)
    axis.tick_params(labelsize=6)
    if style.caption:
        _caption(figure, attribution, row)
    return figure


def _says(attribution: Attribution, row: int) -> str:
    best = attribution.prediction.top(1, min(row, len(attribution.prediction.scores) - 1))
    if not best:
        return "input"
    share = best[0].probability
    return best[0].label if share is None else f"{best[0].label} {share:.2f}"


def _plain(axis: Axes, title: str, size: int) -> None:
    axis.set_title(title, loc="left", wrap=True, fontsize=size)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_linewidth(0.3)


def _caption(figure: Figure, attribution: Attribution, row: int) -> None:
    parts = [f"{attribution.method!r} for {attribution.target[row]}"]
    if attribution.layer:
        parts.append(f"layer {attribution.layer}")
    parts += [f"{f.label} {f.value}" for f in attribution.findings(row)]
    if not attribution.complete:
        parts.append(f"PARTIAL: {attribution.done} of {attribution.total}")
    parts.append(_origin(attribution))
    text = " · ".join(part if len(part) < 160 else part[:157] + "..." for part in parts)
    figure.supxlabel(text, fontsize=5, color="#555555", wrap=True)


def _origin(attribution: Attribution) -> str:
    """Model, versions and date."""
    p = attribution.provenance
    return (
        f"{p.get('model')} {p.get('weights')}, nbxplain {p.get('nbxplain')}, "
        f"torch {p.get('torch')}, {p.get('date')}"
    )


def encode(figure: Figure, format: str, provenance: dict[str, Any]) -> bytes:
    """The figure as a file with the provenance (JSON) in its metadata."""
    if format not in ("png", "svg", "pdf"):
        raise InputError(f"Cannot draw {format}.", "Choose png, svg or pdf.")
    text = json.dumps(provenance)
    key = {"png": "Description", "svg": "Description", "pdf": "Subject"}[format]
    metadata = {"Title": "nbxplain attribution", key: text}
    buffer = io.BytesIO()
    with _text_as_text():
        figure.savefig(buffer, format=format, metadata=metadata, dpi=figure.dpi)
    return buffer.getvalue()


@contextlib.contextmanager
def _text_as_text() -> Iterator[None]:
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
