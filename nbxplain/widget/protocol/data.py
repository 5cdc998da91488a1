"""Encoded pictures, quantised maps and label maps: what carries the bytes."""

from __future__ import annotations

from typing import Literal, TypedDict


class Picture(TypedDict):
    """An encoded picture: `data` holds the bytes of a file of type `mime`."""

    mime: str
    data: bytes
    width: int
    height: int


class Grid(TypedDict):
    """Quantised maps: value = integer * scale. `shape` is (rows, columns) or (maps, rows, columns).

    `data` holds little-endian signed integers of `bits` (8 or 16) bits, at native resolution.
    """

    shape: list[int]
    bits: Literal[8, 16]
    scale: float
    data: bytes


class Runs(TypedDict):
    """A label map as run lengths: pairs (label, length) of little-endian unsigned 16-bit integers,
    row by row; a longer run is several pairs. `shape` is (rows, columns)."""

    shape: list[int]
    data: bytes
