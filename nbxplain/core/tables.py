"""Table rows become numbers that methods can exchange, and what the model takes again.

A row is encoded as floats: numbers as they are, categories as their place in the list of known
values, what is missing as NaN. An estimator sees it decoded; a torch module is fed the numbers.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nbxplain.core.errors import InputError, near

Categories = Mapping[str, Sequence[Any]]


def is_frame(value: Any) -> bool:
    """True for a DataFrame, of pandas or alike."""
    return hasattr(value, "columns") and hasattr(value, "to_numpy")


def is_series(value: Any) -> bool:
    """True for a row of a DataFrame."""
    return hasattr(value, "index") and hasattr(value, "to_dict") and not is_frame(value)


def looks_like_rows(value: Any) -> bool:
    """Whether this can be nothing but table rows: a picture is no dict, DataFrame or list of
    numbers. An array (H, W) is a picture unless something else says that the model takes tables."""
    if is_frame(value) or is_series(value) or isinstance(value, Mapping):
        return True
    if isinstance(value, np.ndarray):
        return value.ndim == 1
    if isinstance(value, list | tuple) and value:
        kinds = (Mapping, int, float, np.number, list, tuple)
        return all(isinstance(item, kinds) or is_series(item) for item in value)
    return False


def is_background(value: Any) -> bool:
    """Whether a background is one of table rows; pictures and baselines belong to the method."""
    if isinstance(value, Tensor | np.ndarray):
        return value.ndim < 3
    return looks_like_rows(value)


@dataclass(frozen=True, eq=False)
class Table:
    """The columns of a table: their names, in the model's order, and what is known of each.

    `categories` maps the name of a column to its values. `background` holds encoded rows (K, F) in
    float64: what is usual. `framed` says that the model takes DataFrames, and `dtypes` which
    columns of them have a categorical type.
    """

    names: tuple[str, ...]
    categories: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    background: Tensor | None = None
    framed: bool = False
    dtypes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise InputError(f"Two features are called {twice[0]!r}.", "Give different names.")
        unknown = [name for name in self.categories if name not in self.names]
        if unknown:
            raise InputError(
                f"categories names {unknown[0]!r}, which is no feature.",
                near(unknown[0], self.names) or f"The features are {_listed(self.names)}.",
            )

    @classmethod
    def of(
        cls,
        rows: Any,
        names: Sequence[str] | None = None,
        categories: Categories | None = None,
        framed: bool = False,
    ) -> Table:
        """The table that these rows are of; the names are theirs where none are given.

        Columns of a categorical type bring their categories along.
        """
        known = {str(name): tuple(values) for name, values in (categories or {}).items()}
        if not is_frame(rows):
            names = _names(rows) if names is None else [str(name) for name in names]
            return cls(tuple(names), known, framed=framed)
        columns = [str(name) for name in rows.columns]
        types = {str(name): rows[name].dtype for name in rows.columns}
        types = {name: kind for name, kind in types.items() if str(kind) == "category"}
        known = {name: tuple(kind.categories) for name, kind in types.items()} | known
        return cls(tuple(map(str, names or columns)), known, framed=True, dtypes=types)

    def with_background(self, rows: Any) -> Table:
        """The same table with these rows as background: whatever is text in them is a category."""
        what, categories = "The background", dict(self.categories)
        if not isinstance(rows, Tensor):
            for name, values in self._columns(rows, what):
                if name in categories or _numeric(values):
                    continue
                if any(isinstance(value, str) for value in values):
                    known = {value for value in values if not _missing(value)}
                    categories[name] = tuple(sorted(known, key=str))
        table = replace(self, categories=categories)
        return replace(table, background=table.encode(rows, what))

    @property
    def width(self) -> int:
        return len(self.names)

    def encode(self, rows: Any, what: str = "The row") -> Tensor:
        """Rows (N, F) in float64 from a dict, Series, DataFrame, array, or a list of these.

        Tensors are taken to be encoded. Raises InputError where names, width or values do not fit.
        """
        if isinstance(rows, Tensor):
            return self._checked(rows, what)
        columns = [self._coded(name, values) for name, values in self._columns(rows, what)]
        return torch.from_numpy(np.stack(columns, 1))

    def decode(self, rows: Tensor) -> Any:
        """Encoded rows (N, F) as the model takes them: a DataFrame or an array (N, F)."""
        numbers = rows.detach().cpu().double().numpy()
        if not (self.categories or self.framed):
            return numbers
        columns = {
            name: self._values(name, column)
            for name, column in zip(self.names, numbers.T, strict=True)
        }
        if self.framed:
            # Who gave a DataFrame, or fitted the model with one, has pandas.
            import pandas as pd

            frame = pd.DataFrame(columns)
            return frame.astype(dict(self.dtypes)) if self.dtypes else frame
        return np.stack([column.astype(object) for column in columns.values()], 1)

    def row(self, encoded: Tensor) -> dict[str, Any]:
        """One encoded row (F,) as a dict of raw values; None where a value is missing."""
        # As text a float32 is the number that was meant: 0.1, not 0.10000000149.
        numbers = [float(str(number)) for number in encoded.detach().cpu().numpy()]
        pairs = zip(self.names, numbers, strict=True)
        return {name: self._value(name, number) for name, number in pairs}

    def shown(self, encoded: Tensor) -> list[str]:
        """The values of one encoded row (F,) as text."""
        return ["missing" if v is None else _text(v) for v in self.row(encoded).values()]

    @cached_property
    def typical(self) -> Tensor:
        """The background's mean (F,), of categories their most frequent value; else zeros."""
        if self.background is None:
            return torch.zeros(self.width, dtype=torch.float64)
        typical = self.background.nanmean(0)
        for name in self.categories:
            at = self.names.index(name)
            codes = self.background[:, at]
            seen = codes[~codes.isnan()]
            typical[at] = seen.mode().values if len(seen) else math.nan
        return typical

    @property
    def digest(self) -> str | None:
        """The background in short, for the provenance."""
        if self.background is None:
            return None
        found = hashlib.sha256(self.background.contiguous().numpy().tobytes()).hexdigest()
        return f"{len(self.background)} rows, sha256 {found[:16]}"

    @cached_property
    def spans(self) -> dict[str, tuple[float, float, bool]]:
        """Of the background's columns of numbers: smallest, largest, and whether all are whole."""
        found = {}
        columns = () if self.background is None else self.background.T
        for name, column in zip(self.names, columns, strict=False):
            numbers = column[~column.isnan()]
            if name not in self.categories and len(numbers):
                whole = bool((numbers == numbers.round()).all())
                found[name] = float(numbers.min()), float(numbers.max()), whole
        return found

    # Reading

    def _columns(self, rows: Any, what: str) -> Iterator[tuple[str, Sequence[Any]]]:
        """The raw values column by column, in the order of the names."""
        if is_frame(rows):
            columns = {str(name): rows[name].to_numpy() for name in rows.columns}
            matched(list(columns), self.names, what)
            yield from ((name, columns[name]) for name in self.names)
            return
        if _numeric(rows) and rows.ndim == 2 and rows.size and rows.shape[1] == self.width:
            # The same as below, without a Python number for every cell.
            yield from zip(self.names, rows.T, strict=True)
            return
        listed = list(_rows(rows))
        if not listed:
            raise InputError(f"{what} is empty.", "Give at least one row.")
        read = [_cells(row, self.names, what) for row in listed]
        yield from zip(self.names, map(list, zip(*read, strict=True)), strict=True)

    def _coded(self, name: str, values: Sequence[Any]) -> NDArray[np.float64]:
        """One column as numbers. Raises InputError."""
        if name not in self.categories:
            if _numeric(values) and not np.isinf(values).any():
                return np.asarray(values, np.float64)
            return np.array([_number(name, value) for value in values], np.float64)
        known = {value: code for code, value in enumerate(self.categories[name])}
        codes = []
        for value in values:
            try:
                codes.append(math.nan if _missing(value) else float(known[value]))
            except (KeyError, TypeError) as error:
                raise InputError(
                    f"{name!r} cannot be {value!r}: this category was never seen.",
                    near(str(value), map(str, known)) or f"Known are {_listed(known)}.",
                ) from error
        return np.array(codes, np.float64)

    def _checked(self, rows: Tensor, what: str) -> Tensor:
        """A tensor of encoded rows."""
        rows = torch.atleast_2d(rows.detach()).double()
        if rows.ndim != 2 or not len(rows):
            raise InputError(
                f"A tensor of shape {tuple(rows.shape)} holds no table rows.",
                "Expected (F,) or (N, F).",
            )
        if rows.shape[1] != self.width:
            raise _width(what, rows.shape[1], self.names)
        if bool(rows.isinf().any()):
            raise InputError(f"{what} has values that are infinite.", "Replace them first.")
        for name in self.categories:
            self._check_codes(name, rows[:, self.names.index(name)])
        return rows.cpu()

    def _check_codes(self, name: str, codes: Tensor) -> None:
        known = len(self.categories[name])
        whole = codes[~codes.isnan()]
        wrong = whole[(whole != whole.round()) | (whole < 0) | (whole >= known)]
        if len(wrong):
            raise InputError(
                f"{name!r} cannot be {wrong[0].item():g}: the codes of its categories are 0 to "
                f"{known - 1}.",
                "A tensor holds encoded rows; give a dict or a DataFrame for raw values.",
            )

    # Writing

    def _values(self, name: str, numbers: NDArray[np.float64]) -> NDArray[Any]:
        if name not in self.categories:
            return numbers
        known = np.empty(len(self.categories[name]) + 1, object)
        known[:-1], known[-1] = self.categories[name], math.nan
        places = np.where(np.isnan(numbers), len(known) - 1, np.rint(np.nan_to_num(numbers)))
        values: NDArray[Any] = known[places.astype(int).clip(0, len(known) - 1)]
        return values

    def _value(self, name: str, number: float) -> Any:
        if math.isnan(number):
            return None
        if name in self.categories:
            return self.categories[name][round(number)]
        whole = name in self.spans and self.spans[name][2] and number.is_integer()
        return int(number) if whole else number


def _names(rows: Any) -> list[str]:
    """The names that rows bring along, or numbers in words."""
    if is_frame(rows):
        return [str(name) for name in rows.columns]
    if isinstance(rows, Tensor | np.ndarray) and rows.ndim in (1, 2) and rows.shape[-1]:
        return default_names(rows.shape[-1])
    first = next(iter(_rows(rows)), None)
    if isinstance(first, Mapping):
        return [str(name) for name in first]
    if first is not None and is_series(first):
        return [str(name) for name in first.index]
    if isinstance(first, Sequence | np.ndarray) and not isinstance(first, str):
        return default_names(len(first))
    raise InputError(
        f"{type(rows).__name__} is no table row.",
        "Give a dict, a Series, a DataFrame, an array (F,) or (N, F), or a list of these.",
    )


def default_names(width: int) -> list[str]:
    """Names for features of which nobody says how they are called."""
    return [f"feature {place}" for place in range(width)]


def _rows(rows: Any) -> Iterator[Any]:
    """One row after the other of whatever holds them."""
    if isinstance(rows, np.ndarray):
        if rows.ndim not in (1, 2):
            raise InputError(
                f"An array of shape {rows.shape} holds no table rows.", "Expected (F,) or (N, F)."
            )
        yield from np.atleast_2d(rows)
    elif isinstance(rows, list | tuple):
        nested = [isinstance(v, Mapping | list | tuple | np.ndarray) or is_series(v) for v in rows]
        if rows and all(nested):
            yield from rows
        elif rows:
            yield rows
    elif type(rows).__name__ == "Bunch":
        raise InputError(
            "A scikit-learn Bunch is a whole data set with its targets and description.",
            "Give its rows: dataset.data.",
        )
    else:
        yield rows


def _cells(row: Any, names: Sequence[str], what: str) -> list[Any]:
    """The raw values of one row, in the order of the names."""
    if is_series(row):
        row = row.to_dict()
    if isinstance(row, Mapping):
        by_name = {str(name): value for name, value in row.items()}
        matched(list(by_name), names, what)
        return [by_name[name] for name in names]
    if not isinstance(row, Sequence | np.ndarray) or isinstance(row, str):
        raise InputError(
            f"{type(row).__name__} is no table row.",
            "Give a dict, a Series, a DataFrame, an array (F,) or (N, F), or a list of these.",
        )
    if len(row) != len(names):
        raise _width(what, len(row), names)
    return list(row)


def matched(given: Sequence[str], names: Sequence[str], what: str) -> None:
    """Raises InputError when these are not the names, and says which."""
    lacks = [name for name in names if name not in given]
    more = [name for name in given if name not in names]
    if not lacks and not more:
        return
    parts = [f"lacks {_listed(lacks)}"] if lacks else []
    parts += [f"has {_listed(more)}, unknown to the model"] if more else []
    hint = near(more[0], lacks) if lacks and more else ""
    raise InputError(
        f"{what} {' and '.join(parts)}.", hint or f"The features are {_listed(names)}."
    )


def _width(what: str, width: int, names: Sequence[str]) -> InputError:
    return InputError(
        f"{what} has {width} features, the model takes {len(names)}.",
        f"They are {_listed(names)}.",
    )


def _number(name: str, value: Any) -> float:
    if _missing(value):
        return math.nan
    try:
        number = math.inf if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError):
        number = math.inf
    if math.isinf(number):
        raise InputError(
            f"{name!r} is {value!r}, which is not a number.",
            f"Name its values with categories={{{name!r}: [...]}}, or give a DataFrame as "
            "background.",
        )
    return number


def _numeric(values: Any) -> bool:
    """An array of plain numbers: none of them is text, None or a category."""
    return isinstance(values, np.ndarray) and values.dtype.kind in "fiu"


def _missing(value: Any) -> bool:
    """None, NaN and pandas' NA and NaT: what is not equal to itself."""
    return value is None or type(value).__name__ == "NAType" or bool(np.any(value != value))


def _listed(names: Any) -> str:
    shown = [repr(name) for name in names]
    return ", ".join(shown[:6]) + (f" and {len(shown) - 6} more" if len(shown) > 6 else "")


def _text(value: Any) -> str:
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.6g}"
    return f"{value:.0f}" if isinstance(value, float) and abs(value) < 1e9 else str(value)


__all__ = ["Categories", "Table", "default_names", "is_background", "looks_like_rows", "matched"]
