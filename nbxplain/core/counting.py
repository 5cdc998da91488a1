"""Whole numbers that a user gives: which of several rows, and how many of something."""

from __future__ import annotations

from operator import index
from typing import Any

from nbxplain.core.errors import InputError, MethodError


def numbered(number: Any, count: int, what: str = "row") -> int:
    """`number`, one of 0 to count - 1. Raises InputError for any other, also for a negative one,
    and for what is no integer."""
    hint = "Give 0." if count == 1 else f"Give a number from 0 to {count - 1}."
    place = _whole(number)
    if place is None:
        raise InputError(f"{number!r} is not the number of a {what}.", hint)
    if not 0 <= place < count:
        there = "is one" if count == 1 else f"are {count}"
        raise InputError(f"There is no {what} {place}: there {there}.", hint)
    return place


def counted(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """The value of a parameter that is an integer from `least` to `most`. Raises MethodError."""
    number = _whole(value)
    if number is None or number < least or (most is not None and number > most):
        bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise MethodError(f"{name} = {value!r} is not allowed.", f"Give a whole number {bounds}.")
    return number


def _whole(value: Any) -> int | None:
    """An integer of whatever library, or None; True and False are none."""
    try:
        return None if isinstance(value, bool) else index(value)
    except TypeError:
        return None


__all__ = ["counted", "numbered"]
