"""Label maps as run lengths, there and back."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nbxplain.core.errors import InputError
from nbxplain.widget import runs


def test_runs_are_pairs_of_label_and_length_row_by_row() -> None:
    packed = runs.encode(np.array([[0, 0, 1], [1, 1, 300]]))
    assert packed["shape"] == [2, 3]
    assert struct.unpack("<6H", packed["data"]) == (0, 2, 1, 3, 300, 1)


@pytest.mark.parametrize("pixels", [65534, 65535, 65536, 131070, 131071, 200000])
def test_a_long_run_is_several_pairs(pixels: int) -> None:
    labels = np.full((1, pixels), 7)
    labels[0, 0] = 3
    data = runs.encode(labels)["data"]
    assert (runs.decode(data, (1, pixels)) == labels).all()
    lengths = np.frombuffer(data, "<u2")[1::2]
    assert lengths.sum(dtype=int) == pixels
    assert (lengths > 0).all()


@given(arrays.arrays(np.int64, (5, 7), elements=st.sampled_from([0, 1, 2, 65535])))
def test_any_label_map_comes_back(labels: np.ndarray) -> None:
    assert (runs.decode(runs.encode(labels)["data"], (5, 7)) == labels).all()


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 12, 400])
def test_what_does_not_fill_the_picture_is_refused(size: int) -> None:
    data = struct.pack("<2H", 1, 5) * 100
    with pytest.raises(InputError, match="do not fill"):
        runs.decode(data[:size], (2, 5))
