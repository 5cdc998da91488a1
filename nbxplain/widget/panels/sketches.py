"""Edits as the page paints them, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import InputError
from nbxplain.counterfactuals.editing import Colour, Edit, Edited, Fill
from nbxplain.widget import protocol, runs, wire
from nbxplain.widget.held import plain_baseline

Kept = dict[str, Baseline]
"""Other pictures by their digest: the page only names them."""


def edit_of(content: dict[str, Any], data: bytes, size: tuple[int, int], kept: Kept) -> Edit:
    """The edit of a request, for a picture of this size (rows, columns). Raises InputError."""
    labels = labels_of(content, data, size)
    try:
        fills = [kept.get(str(fill.get("digest")), fill) for fill in content["fills"]]
        return Edit.painted(labels, fills, **content["adjustments"])
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"This cannot be painted: {first['msg']}.", "Change it.") from error


def labels_of(content: dict[str, Any], data: bytes, size: tuple[int, int]) -> NDArray[np.int64]:
    """The labels of a request on a picture of this size. Raises InputError."""
    shape = content["shape"]
    if len(shape) != 2 or not all(isinstance(s, int) and 0 < s <= 65535 for s in shape):
        raise InputError(f"A mask cannot be of shape {shape}.", "Reload the page.")
    return resized(runs.decode(data, (shape[0], shape[1])), size)


def resized(labels: NDArray[np.int64], size: tuple[int, int]) -> NDArray[np.int64]:
    """The same labels on a grid of another size."""
    rows, columns = (np.arange(n) * s // n for n, s in zip(size, labels.shape, strict=True))
    return labels[np.ix_(rows, columns)]


def sketch(
    edit: Edit, size: tuple[int, int], made: Any, serial: int, kept: Kept
) -> protocol.Sketch:
    """An edit as the page has it; pictures in it are kept."""
    labels = edit.labels(*size).numpy()
    return {
        "made": made,
        "serial": serial,
        "fills": [_plain(layer.fill, kept) for layer in edit.layers],
        "adjustments": edit.adjustments.model_dump(),
        "labels": runs.encode(labels),
    }


def _plain(fill: Fill, kept: Kept) -> dict[str, Any]:
    if isinstance(fill, Baseline):
        named = plain_baseline(fill)
        if "digest" in named:
            kept[named["digest"]] = fill
        return named
    if isinstance(fill, Colour):
        return {"kind": fill.kind, "value": "#" + bytes(round(255 * v) for v in fill.value).hex()}
    return fill.model_dump()


def painted(edited: Edited, exactly: bool) -> tuple[protocol.Painted, list[bytes]]:
    """What the page is told of an edit, and the bytes of the picture."""
    seen = (wire.exact_picture if exactly else wire.picture)(edited.picture)
    before, after = edited.scores
    return {
        "target": edited.target,
        "before": before,
        "after": after,
        "choices": [
            {"index": index, "label": label, "before": a, "after": b}
            for index, label, a, b in edited.moved()
        ],
        "picture": {**seen, "data": b""},
    }, [seen["data"]]
