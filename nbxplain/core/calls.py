"""Calls of tensor operations in one form, however they were written: in place, reversed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import Tensor

from nbxplain.core.operations import ALIASES, PAIRS, PICKS, REVERSED, SECOND, THIRD


@dataclass
class Operation:
    """One call in a forward pass, in its plain form: not in place, not reversed.

    `arguments` are the positional ones; `reference` are those of the reference pass, or None.
    """

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)
    reference: tuple[Any, ...] | None = None
    sinks: Mapping[str, Tensor] = field(default_factory=dict)

    def __call__(self, *arguments: Any) -> Any:
        """The operation on other arguments; trailing ones default to its own."""
        return self.function(*arguments, *self.arguments[len(arguments) :], **self.options)

    @property
    def data(self) -> list[int]:
        """Positions of the arguments through which relevance flows."""
        return [i for i, a in enumerate(self.arguments) if any(t.requires_grad for t in tensors(a))]

    def constant(self, position: int) -> bool:
        """Whether an argument is the same thing in both passes: a weight, a number."""
        if self.reference is None or position in self.data:
            return False
        here, there = self.arguments[position], self.reference[position]
        return here is there or not isinstance(here, Tensor) or bool(torch.equal(here, there))

    def value(self) -> Any:
        """The true output, without a graph."""
        with torch.no_grad():
            return self(*self.arguments)


def picks(operation: Operation) -> tuple[Tensor, ...]:
    """The masks and index tensors by which an operation picks from floating-point values."""
    first, *rest = operation.arguments
    if operation.name not in PICKS or (operation.name != "embedding" and not continuous(first)):
        return ()
    index = operation.arguments[:1] if operation.name == "embedding" else rest[:1]
    if index and isinstance(index[0], tuple | list):
        index = index[0]
    return tuple(i for i in index if isinstance(i, Tensor))


def plain(
    func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Operation, Tensor | None]:
    """A call in its plain form, and the tensor it would have overwritten, if any."""
    name = getattr(func, "__name__", str(func))
    function, target = func, None
    if name in REVERSED:
        name = REVERSED[name]
        return Operation(name, getattr(torch, name), (args[1], args[0])), None
    if name.startswith("__i") and name.endswith("__") and hasattr(torch, name[3:-2]):
        name, target = name[3:-2], args[0]
        function = getattr(torch, name)
    elif name.endswith("_") and not name.endswith("__") and _outside(func, name[:-1]) is not None:
        name, target = name[:-1], args[0]
        function = _outside(func, name)
    elif name.startswith("__") and name.endswith("__") and name.strip("_") in DUNDERS:
        name = name.strip("_")
        function = getattr(torch, DUNDERS[name])
        name = DUNDERS[name]
    elif "inplace" in (names := _parameters(func)):
        position = names.index("inplace")
        wanted = args[position] if position < len(args) else kwargs.get("inplace", False)
        if wanted:
            target = args[0] if args else kwargs.get("input")
        if position < len(args):
            args = (*args[:position], False, *args[position + 1 :])
        else:
            kwargs = {**kwargs, "inplace": False}
    if name in ("softmax", "log_softmax") and kwargs.get("dtype") is not None:
        # Casting down inside would make the reference and the input round differently.
        kwargs = {key: value for key, value in kwargs.items() if key != "dtype"}
    if not args and "input" in kwargs:
        kwargs = dict(kwargs)
        args = (kwargs.pop("input"),)
    if name == "einsum" and len(args) == 2 and isinstance(args[1], tuple | list):
        args = (args[0], *args[1])
    name = ALIASES.get(name, name).removeprefix("special_")
    if name in PAIRS:
        args, kwargs = _positional(args, kwargs)
    return Operation(name, function, tuple(args), kwargs), target


def _positional(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The second and third argument in their places, should they have been given by keyword."""
    for position, names in ((1, SECOND), (2, THIRD)):
        for key in names:
            if key in kwargs and len(args) == position:
                args = (*args, kwargs[key])
                kwargs = {k: v for k, v in kwargs.items() if k != key}
    return args, kwargs


DUNDERS = {
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "truediv": "div",
    "matmul": "matmul",
    "pow": "pow",
    "neg": "neg",
    "abs": "abs",
}
"""Operators whose plain function has another name, or the same."""


def _outside(func: Any, name: str) -> Any:
    """The out-of-place form of an in-place function."""
    for space in (torch, torch.nn.functional, Tensor):
        if hasattr(space, name):
            return getattr(space, name)
    return None


@cache
def _parameters(func: Any) -> list[str]:
    """The parameter names of a Python function; builtins have none to look at."""
    try:
        return list(inspect.signature(func).parameters)
    except (TypeError, ValueError):
        return []


def tensors(argument: Any) -> list[Tensor]:
    """An argument that is a tensor, or the tensors in one that is a list."""
    parts = argument if isinstance(argument, tuple | list) else (argument,)
    return [part for part in parts if isinstance(part, Tensor)]


def continuous(tensor: Tensor) -> bool:
    """Whether a tensor holds numbers that relevance can flow through."""
    return tensor.is_floating_point() or tensor.is_complex()
