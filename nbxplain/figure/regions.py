"""A picture on which the players of a game can be found: outlined, tinted and numbered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgba_array
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POSITIVE, NEGATIVE = "#b2182b", "#2166ac"
STRONGEST = 0.5
"""Opacity of the tint of the region with the largest value."""


def numbered(
    axis: Axes,
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int64],
    values: NDArray[np.float64],
    order: list[int],
    size: float,
) -> None:
    """Draws pixels (H, W, 3) with each region of labels (H, W) tinted by the sign of its value,
    and those of `order` outlined and numbered from 1; `size` of the numbers in points."""
    height, width = pixels.shape[:2]
    extent = (0, width, height, 0)
    axis.imshow(pixels, extent=extent)
    axis.imshow(_tint(labels, values), extent=extent, interpolation="nearest")
    rows, columns = labels.shape
    x = (np.arange(columns + 2) - 0.5) * width / columns
    y = (np.arange(rows + 2) - 0.5) * height / rows
    for number, part in reversed(list(enumerate(order, 1))):
        # A border around the picture closes the outlines that meet its edge.
        inside = np.pad((labels == part).astype(float), 1)
        line = 1.4 if number == 1 else 0.8
        axis.contour(x, y, inside, [0.5], colors="#ffffff", linewidths=line)
        row, column = _middle(inside)
        colour = POSITIVE if values[part] >= 0 else NEGATIVE
        disc = badge(colour, size)
        axis.text(x[column], y[row], str(number), va="center_baseline", **disc)
    axis.set_xlim(0, width)
    axis.set_ylim(height, 0)
    axis.set_axis_off()


def badge(colour: str, size: float) -> dict[str, Any]:
    """The look of a number in a disc; `size` in points."""
    disc = {"boxstyle": "circle,pad=0.18", "facecolor": colour, "edgecolor": "#ffffff"}
    return {
        "size": size,
        "color": "#ffffff",
        "ha": "center",
        "bbox": {**disc, "linewidth": 0.5},
    }


def _tint(labels: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[Any]:
    colours = to_rgba_array([POSITIVE if value >= 0 else NEGATIVE for value in values])
    colours[:, 3] = STRONGEST * np.abs(values) / (np.abs(values).max() or 1)
    return colours[labels]


def _middle(inside: NDArray[np.float64]) -> tuple[int, int]:
    """The place farthest from the region's border."""
    # scipy comes with scikit-learn, and only this needs it.
    from scipy.ndimage import distance_transform_edt

    depth = distance_transform_edt(inside)
    row, column = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return int(row), int(column)
