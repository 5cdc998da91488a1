"""Label maps as run lengths: the form in which regions cross to the page, and come back painted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nbxplain.core.errors import InputError
from nbxplain.widget.protocol import Runs

LONGEST = 65535


def encode(labels: NDArray[Any]) -> Runs:
    """A label map (rows, columns) of labels below 65536."""
    flat = labels.ravel()
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    lengths = np.diff(np.append(starts, flat.size))
    pieces = -(-lengths // LONGEST)
    runs = np.repeat(np.stack([flat[starts], np.full_like(lengths, LONGEST)], 1), pieces, axis=0)
    # The last piece of each run has what is left of it.
    runs[np.cumsum(pieces) - 1, 1] = lengths - LONGEST * (pieces - 1)
    return {"shape": list(labels.shape), "data": runs.astype("<u2").tobytes()}


def decode(data: bytes, shape: tuple[int, int]) -> NDArray[np.int64]:
    """The label map of this shape behind run lengths. Raises InputError where they do not fit."""
    size = shape[0] * shape[1]
    whole = len(data) % 4 == 0
    labels, lengths = np.frombuffer(data if whole else b"", "<u2").reshape(-1, 2).T.astype(np.int64)
    if lengths.sum() != size:
        raise InputError(
            f"The regions do not fill the {shape[0]} × {shape[1]} pixels of the picture.",
            "Reload the page and paint them again.",
        )
    return np.repeat(labels, lengths).reshape(shape)
