"""Errors that a user can act on: what was wrong, and the next step."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher


class ExplanationError(ValueError):
    """Base of every error nbxplain raises on purpose.

    `title` says in plain words what was wrong, `hint` what to do next; the Explorer shows them as
    a card, `explain` raises them.
    """

    def __init__(self, title: str, hint: str = "") -> None:
        super().__init__(f"{title} {hint}".strip())
        self.title = title
        self.hint = hint


class InputError(ExplanationError):
    """The picture, tensor or table row cannot be explained as it is."""


class TargetError(ExplanationError):
    """The class or score to explain does not exist."""


class LayerError(ExplanationError):
    """The layer does not exist, is not reached, or has no gradient."""


class ModelError(ExplanationError):
    """The model failed, or what it returned cannot be explained."""


class MethodError(ExplanationError):
    """The method or one of its parameters does not exist or is out of range."""


class MemoryExhausted(ExplanationError):
    """A single input does not fit in the memory of the device."""


class Cancelled(Exception):
    """The computation was stopped. Not an error: the partial result is kept."""


def near(word: str, known: Iterable[str]) -> str:
    """A sentence with the known names nearest to `word`, or an empty string.

    A name is as near as its nearest word, so "taby" finds "tabby cat".
    """
    word = word.lower()

    def likeness(name: str) -> float:
        parts = [name.lower(), *re.split(r"[\s_.,-]+", name.lower())]
        return max(SequenceMatcher(None, word, part).ratio() for part in parts) + (word in parts[0])

    ranked = sorted(known, key=likeness, reverse=True)[:3]
    found = [name for name in ranked if likeness(name) >= 0.6]
    return f"Did you mean {' or '.join(repr(name) for name in found)}?" if found else ""
