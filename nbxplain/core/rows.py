"""One of several rows, asked for by its number."""

from __future__ import annotations

from operator import index
from typing import SupportsIndex

from nbxplain.core.errors import InputError


def numbered(number: SupportsIndex, count: int, what: str = "row") -> int:
    """`number`, one of 0 to count - 1. Raises InputError for any other, also for a negative one,
    and for what is no integer."""
    hint = "Give 0." if count == 1 else f"Give a number from 0 to {count - 1}."
    try:
        place = index(number)
    except TypeError:
        raise InputError(f"{number!r} is not the number of a {what}.", hint) from None
    if not 0 <= place < count:
        raise InputError(f"There is no {what} {place}: there {_are(count)}.", hint)
    return place


def _are(count: int) -> str:
    return "is one" if count == 1 else f"are {count}"


__all__ = ["numbered"]
