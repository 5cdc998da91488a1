"""Figures of attributions, for papers and reports. Through `Figure` objects, never pyplot.

It stands beside results.py and not in widget/, because `explain` draws without a widget.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, Literal

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


def look(
    values: Floats, clip: float = 99.5, sign: Sign = "both", threshold: float = 0.0
) -> tuple[Floats, float, float, Floats]:
    """What is drawn of raw values (h, w): the values, the ends of the scale, and where it is shown.

    `clip` is the percentile of magnitudes at which the scale ends, `threshold` the percentile below
    which nothing is drawn. The scale is symmetric about 0 when both signs occur. The browser
    follows the same rules (js/src/color).
    """
    shown = {
        "both": values,
        "positive": values.clip(min=0),
        "negative": (-values).clip(min=0),
        "absolute": np.abs(values),
    }[sign]
    size = np.abs(shown)
    limit = float(np.percentile(size, clip)) or float(size.max()) or 1.0
    visible = (size >= np.percentile(size, threshold)).astype(np.float64)
    return shown, -limit if bool((shown < 0).any()) else 0.0, limit, visible


def draw(
    attribution: Attribution,
    *,
    row: int = 0,
    width: Literal["single", "double", "slide"] = "double",
    dpi: int = 200,
    colormap: str = "auto",
    opacity: float = 0.55,
    clip: float = 99.5,
    sign: Sign = "both",
    threshold: float = 0.0,
    native: bool = False,
    caption: bool = True,
    transparent: bool = False,
) -> Figure:
    """Input, map and overlay of one row side by side, with the scale and the prediction.

    For table rows a bar chart of the features. The theme is light whatever the notebook's is.
    """
    millimetres = WIDTHS[width]
    with mpl.rc_context(
        {"font.size": 7 if width != "slide" else 10, "svg.fonttype": "none", "pdf.fonttype": 42}
    ):
        if attribution.values.ndim == 2:
            return _bars(attribution, row, millimetres, dpi, caption, transparent)
        shown, low, high, visible = look(
            attribution.heatmap(row).double().numpy(), clip, sign, threshold
        )
        name = colormap if colormap != "auto" else "RdBu_r" if low < 0 else "inferno"
        figure = _figure(millimetres, millimetres * 0.42, dpi, transparent)
        axes = figure.subplots(1, 3)
        picture = np.asarray(
            attribution.inputs.pictures[min(row, len(attribution.inputs.pictures) - 1)]
        )
        extent = (0, picture.shape[1], picture.shape[0], 0)
        # Smoothing is for the eye alone, where a cell covers many pixels.
        smooth = "nearest" if native or shown.shape == picture.shape[:2] else "bicubic"
        style: dict[str, Any] = {
            "cmap": name,
            "vmin": low,
            "vmax": high,
            "extent": extent,
            "interpolation": smooth,
        }
        weight = visible if low < 0 else visible * np.clip(shown / high, 0, 1)
        axes[0].imshow(picture, extent=extent)
        mappable = axes[1].imshow(shown, **style)
        axes[2].imshow(picture, extent=extent)
        axes[2].imshow(shown, alpha=weight * _strength(opacity, low), **style)
        titles = (_says(attribution, row), attribution.method.label, "overlay")
        for axis, title in zip(axes, titles, strict=True):
            _plain(axis, title)
        bar = figure.colorbar(mappable, ax=axes[1:], shrink=0.8, pad=0.02)
        bar.set_label(f"clipped at {clip:g} % of {np.abs(shown).max():.2g}")
        bar.outline.set_linewidth(0.3)
    if caption:
        _caption(figure, attribution, row)
    return figure


def _strength(opacity: float, low: float) -> float:
    # Unsigned maps fade with their value, so the same slider position needs more of it.
    return opacity if low < 0 else min(1.0, opacity * 1.5)


def _figure(width: float, height: float, dpi: int, transparent: bool) -> Figure:
    figure = Figure(figsize=(width / 25.4, height / 25.4), dpi=dpi, layout="constrained")
    figure.patch.set_alpha(0 if transparent else 1)
    return figure


def _bars(
    attribution: Attribution, row: int, width: float, dpi: int, caption: bool, transparent: bool
) -> Figure:
    values = attribution.values[row].double().numpy()
    order = np.argsort(-np.abs(values))[:20][::-1]
    figure = _figure(width, 12 + 5.0 * len(order) + 8 * caption, dpi, transparent)
    axis = figure.subplots()
    axis.barh(
        [f"feature {i}" for i in order],
        values[order],
        color=["#b2182b" if v > 0 else "#2166ac" for v in values[order]],
    )
    axis.axvline(0, color="#888888", linewidth=0.5)
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_title(f"{attribution.method.label} for {attribution.target[row]}", loc="left")
    if caption:
        _caption(figure, attribution, row)
    return figure


def _says(attribution: Attribution, row: int) -> str:
    best = attribution.prediction.top(1, min(row, len(attribution.prediction.scores) - 1))
    if not best:
        return "input"
    share = best[0].probability
    return best[0].label if share is None else f"{best[0].label} {share:.2f}"


def _plain(axis: Axes, title: str) -> None:
    axis.set_title(title, loc="left", wrap=True)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_linewidth(0.3)


def _caption(figure: Figure, attribution: Attribution, row: int) -> None:
    p = attribution.provenance
    parts = [f"{attribution.method!r} for {attribution.target[row]}"]
    if attribution.layer:
        parts.append(f"layer {attribution.layer}")
    parts += [f"{f.label} {f.value}" for f in attribution.findings(row)]
    if not attribution.complete:
        parts.append(f"PARTIAL: {attribution.done} of {attribution.total}")
    parts.append(
        f"{p.get('model')} {p.get('weights')}, nbxplain {p.get('nbxplain')}, "
        f"torch {p.get('torch')}, {p.get('date')}"
    )
    text = " · ".join(part if len(part) < 160 else part[:157] + "..." for part in parts)
    figure.supxlabel(text, fontsize=5, color="#555555", wrap=True)


def encode(figure: Figure, format: str, provenance: dict[str, Any]) -> bytes:
    """The figure as a file with the provenance (JSON) in its metadata."""
    if format not in ("png", "svg", "pdf"):
        raise InputError(f"Cannot draw {format}.", "Choose png, svg or pdf.")
    text = json.dumps(provenance)
    key = {"png": "Description", "svg": "Description", "pdf": "Subject"}[format]
    metadata = {"Title": "nbxplain attribution", key: text}
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "none", "pdf.fonttype": 42}):
        figure.savefig(buffer, format=format, metadata=metadata, dpi=figure.dpi)
    return buffer.getvalue()
