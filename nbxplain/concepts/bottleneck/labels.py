"""What the user says of concepts and classes, as tensors. Whatever does not fit raises InputError.

Concepts are shares in [0, 1]: 0 is absent, 1 is present.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nbxplain.core.errors import InputError, near
from nbxplain.core.tables import is_frame

Corrections = Mapping[str, Any]
"""Names of concepts to values in [0, 1]: one for all inputs, or one for each (N,)."""


def concept_names(given: Sequence[str]) -> tuple[str, ...]:
    """The names of the concepts: at least one, none twice."""
    return _names(given, "concept", 1)


def class_names(given: Sequence[str] | int) -> tuple[str, ...]:
    """The names of the classes: at least two, none twice; a number of classes names them 0, 1..."""
    return _names(range(given) if isinstance(given, int) else given, "class", 2)


def _names(given: Iterable[Any], what: str, least: int) -> tuple[str, ...]:
    names = () if isinstance(given, str) else tuple(str(name) for name in given)
    if len(names) < least or not all(name.strip() for name in names):
        raise InputError(
            f"A bottleneck needs {least} or more {what} names.", "Give a list of names."
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"The {what} {twice!r} comes twice.", "Give each its own name.")
    return names


def concept_labels(given: Any, names: Sequence[str], count: int) -> Tensor:
    """Labels (N, C) of `count` inputs.

    given: a tensor or array (N, C) in the order of `names`; a DataFrame or a dict with a column
    for each name.
    """
    if given is None:
        raise InputError("There are no concept labels.", f"Give an array ({count}, {len(names)}).")
    if is_frame(given):
        given = {str(column): given[column].to_numpy() for column in given.columns}
    if isinstance(given, Mapping):
        missing = [name for name in names if name not in given]
        if missing:
            hint = near(missing[0], map(str, given)) or f"There are {list(given)}."
            raise InputError(f"The concept {missing[0]!r} has no labels.", hint)
        columns = [_numbers(given[name], f"The labels of {name!r}") for name in names]
        ragged = [n for n, column in zip(names, columns, strict=True) if column.shape != (count,)]
        if ragged:
            raise InputError(
                f"The labels of {ragged[0]!r} are not one for each of the {count} inputs.",
                "Give a column of the same length for each concept.",
            )
        values = torch.stack(columns, 1)
    else:
        values = _numbers(given, "The concept labels")
    if values.shape != (count, len(names)):
        raise InputError(
            f"Concept labels of shape {tuple(values.shape)} do not fit {count} inputs and "
            f"{len(names)} concepts.",
            f"Expected ({count}, {len(names)}).",
        )
    for column, name in enumerate(names):
        _check_shares(values[:, column], f"the labels of {name!r}")
    return values


def class_labels(given: Any, names: Sequence[str], count: int) -> Tensor:
    """Places (N,) of the classes of `count` inputs; given as places or names."""
    if given is None:
        raise InputError("There are no class labels.", f"Give one for each of the {count} inputs.")
    items = (given if isinstance(given, Tensor) else np.asarray(given)).tolist()
    if len(items) != count:
        raise InputError(f"{count} inputs have {len(items)} class labels.", "Give one an input.")
    if all(isinstance(item, str) for item in items):
        unknown = next((item for item in items if item not in names), None)
        if unknown is not None:
            hint = near(unknown, names) or f"There are {list(names)}."
            raise InputError(f"There is no class {unknown!r}.", hint)
        return torch.tensor([names.index(item) for item in items])
    if not all(isinstance(item, int | float) and item == item // 1 for item in items):
        raise InputError(
            "The class labels are neither whole numbers nor names.",
            "Give places from 0 on, or the classes' names.",
        )
    values = torch.tensor(items).long()
    outside = values[(values < 0) | (values >= len(names))]
    if len(outside):
        raise InputError(
            f"The class label {int(outside[0])} is none of the {len(names)} classes.",
            f"Expected 0 to {len(names) - 1}.",
        )
    return values


def known(corrections: Corrections | None, names: Sequence[str], count: int) -> Tensor:
    """What corrections say of `count` inputs (N, C): nan where the model's word stands."""
    values = torch.full((count, len(names)), float("nan"))
    for name, value in (corrections or {}).items():
        if name not in names:
            hint = near(str(name), names) or f"There are {list(names)}."
            raise InputError(f"There is no concept {name!r}.", hint)
        column = _numbers(value, f"The correction of {name!r}")
        if column.shape not in ((), (count,)):
            raise InputError(
                f"The correction of {name!r} has shape {tuple(column.shape)} for {count} inputs.",
                "Give one value, or one an input.",
            )
        _check_shares(column.expand(count), f"the correction of {name!r}")
        values[:, names.index(name)] = column
    return values


def _numbers(given: Any, what: str) -> Tensor:
    try:
        array = given if isinstance(given, Tensor) else torch.from_numpy(np.array(given, float))
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} cannot be read as numbers: {error}", "Give 0 or 1.") from error
    return array.detach().cpu().float()


def _check_shares(column: Tensor, what: str) -> None:
    wrong = (~((column >= 0) & (column <= 1))).nonzero().flatten()
    if len(wrong):
        row = int(wrong[0])
        raise InputError(
            f"{len(wrong)} of {what} are not in [0, 1]: row {row} has {float(column[row]):g}.",
            "0 is absent, 1 is present; leave out inputs that nobody has labelled.",
        )
