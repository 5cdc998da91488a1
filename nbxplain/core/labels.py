"""Names of classes, however a user or a model's metadata lists them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from nbxplain.core.errors import TargetError


def labels_of(given: Any, classes: int) -> list[str]:
    """One label a class: of a list, or of a dict from class index to label, whose gaps are indices.

    Raises TargetError for labels that do not match the classes.
    """
    if isinstance(given, Mapping):
        _check_keys(given, classes)
        return [str(given.get(index, index)) for index in range(classes)]
    if isinstance(given, str | set | frozenset) or not isinstance(given, Collection):
        raise TargetError(
            f"Labels cannot be read from {type(given).__name__}.",
            "Give a list with one label for each class, or a dict from class index to label.",
        )
    if len(given) != classes:
        raise TargetError(
            f"{len(given)} labels were given for {classes} classes.",
            "Give one label for each class, in the order of the model's output.",
        )
    return [str(label) for label in given]


def _check_keys(labels: Mapping[Any, Any], classes: int) -> None:
    wrong = [key for key in labels if not (isinstance(key, int) and 0 <= key < classes)]
    if wrong:
        raise TargetError(
            f"The labels have the key {wrong[0]!r}; the model has classes 0 to {classes - 1}.",
            "Give a dict from class index to label, or a list.",
        )


__all__ = ["labels_of"]
