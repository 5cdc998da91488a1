"""Calls of tensor operations in one form, however they were written: in place, reversed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nbxplain.core.kept import Keeper
from nbxplain.core.operations import ALIASES, OBSERVERS, PAIRS, PICKS, REVERSED, SECOND, THIRD


@dataclass
class Operation:
    """One call in a forward pass, in its plain form: not in place, not reversed.

    `arguments` are the positional ones; `reference` are those of the reference pass, or None. What
    a rule needs of them later it asks the `keeper` for.
    """

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)
    reference: tuple[Any, ...] | None = None
    sinks: Mapping[str, Tensor] = field(default_factory=dict)
    keeper: Keeper = field(default_factory=Keeper)

    def __call__(self, *arguments: Any) -> Any:
        """The operation on other arguments; trailing ones default to its own."""
        return self.function(*arguments, *self.arguments[len(arguments) :], **self.options)

    @property
    def data(self) -> list[int]:
        """Positions of the arguments through which relevance flows."""
        return [i for i, argument in enumerate(self.arguments) if _depends(argument)]

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
    form = _form(func)
    name, target = form.name, None
    if form.reversed:
        return Operation(name, form.function, (args[1], args[0])), None
    if form.in_place or form.flagged(args, kwargs):
        target = args[0] if args else kwargs.get("input")
    if form.flag is not None:
        if form.flag < len(args):
            args = (*args[: form.flag], False, *args[form.flag + 1 :])
        else:
            kwargs = {**kwargs, "inplace": False}
    if kwargs and name in ("softmax", "log_softmax") and kwargs.get("dtype") is not None:
        # Casting down inside would make the reference and the input round differently.
        kwargs = {key: value for key, value in kwargs.items() if key != "dtype"}
    if not args and "input" in kwargs:
        kwargs = dict(kwargs)
        args = (kwargs.pop("input"),)
    if name == "einsum" and len(args) == 2 and isinstance(args[1], tuple | list):
        args = (args[0], *args[1])
    if kwargs and name in PAIRS:
        args, kwargs = _positional(args, kwargs)
    return Operation(name, form.function, tuple(args), kwargs), target


def written(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
    """The tensors that a call overwrites."""
    form = _form(func)
    found = tensors(kwargs["out"]) if "out" in kwargs else []
    if form.writes or form.flagged(args, kwargs):
        found += tensors(args[0] if args else kwargs.get("input"))
    return found


def observes(func: Any) -> bool:
    """Whether a function only looks, or makes what does not depend on what it looks at."""
    return _form(func).name in OBSERVERS


class _Form(NamedTuple):
    """What a function tells of its calls: the plain function behind it, and what it overwrites.

    It `writes` to its first argument; with `in_place` there is a plain function that does not.
    `flag` is the position of an argument that says whether the first one is overwritten.
    """

    name: str
    function: Callable[..., Any]
    reversed: bool = False
    in_place: bool = False
    writes: bool = False
    flag: int | None = None

    def flagged(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether an argument says that the first one is overwritten."""
        if self.flag is None:
            return False
        return bool(args[self.flag] if self.flag < len(args) else kwargs.get("inplace", False))


@cache
def _form(func: Any) -> _Form:
    name = getattr(func, "__name__", str(func))
    bare = name.strip("_")
    if name in REVERSED:
        return _Form(REVERSED[name], getattr(torch, REVERSED[name]), reversed=True)
    form = _Form(name, func)
    if name.startswith("__i") and name.endswith("__") and hasattr(torch, name[3:-2]):
        form = _Form(name[3:-2], getattr(torch, name[3:-2]), in_place=True, writes=True)
    elif name.endswith("_") and not name.endswith("__"):
        outside = _outside(name[:-1])
        form = _Form(name[:-1], outside, in_place=True) if outside else form
        form = form._replace(writes=True)
    elif name == "__setitem__":
        form = _Form(name, with_items, in_place=True, writes=True)
    elif name.startswith("__") and name.endswith("__") and bare in DUNDERS:
        form = _Form(DUNDERS[bare], getattr(torch, DUNDERS[bare]))
    elif "inplace" in (names := _parameters(func)):
        form = _Form(name, func, flag=names.index("inplace"))
    return form._replace(name=ALIASES.get(form.name, form.name).removeprefix("special_"))


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


def with_items(tensor: Tensor, index: Any, value: Any) -> Tensor:
    """A copy of the tensor in which `value` stands at `index`."""
    tensor = tensor.clone()
    tensor[index] = value
    return tensor


def _outside(name: str) -> Any:
    """The function of that name, which overwrites nothing."""
    for space in (torch, torch.nn.functional, Tensor):
        if hasattr(space, name):
            return getattr(space, name)
    return None


def _parameters(func: Any) -> list[str]:
    """The parameter names of a Python function; builtins have none to look at."""
    try:
        return list(inspect.signature(func).parameters)
    except (TypeError, ValueError):
        return []


def _depends(argument: Any) -> bool:
    if isinstance(argument, Tensor):
        return argument.requires_grad
    return isinstance(argument, tuple | list) and any(t.requires_grad for t in tensors(argument))


def tensors(argument: Any) -> list[Tensor]:
    """An argument that is a tensor, or the tensors in one that is a list."""
    parts = argument if isinstance(argument, tuple | list) else (argument,)
    return [part for part in parts if isinstance(part, Tensor)]


def continuous(tensor: Tensor) -> bool:
    """Whether a tensor holds numbers that relevance can flow through."""
    return tensor.is_floating_point() or tensor.is_complex()
