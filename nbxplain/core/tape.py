"""The arguments of a reference pass, operation by operation, for the pass compared with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nbxplain.core.calls import Operation, observes, picks, plain, written
from nbxplain.core.errors import ModelError
from nbxplain.core.fusion import settled
from nbxplain.core.kept import Keeper, Kept

Decomposition = Callable[..., Any]


class Tape:
    """Names and arguments of operations in order, each of which is read once."""

    def __init__(self) -> None:
        self._keeper = Keeper()
        self._entries: deque[tuple[str, tuple[Any, ...]]] = deque()

    def add(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Puts down what the arguments are now."""
        self._entries.append((name, self._kept(arguments)))

    def rescue(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """To be told of each call before it runs, for it may overwrite what was put down."""
        rescue(self._keeper, func, args, kwargs)

    def read(self, operation: Operation) -> tuple[Any, ...]:
        """The arguments of the next operation. Raises ModelError where that was another one."""
        name, arguments = self._entries.popleft() if self._entries else ("", ())
        if name != operation.name:
            raise ModelError(
                f"The model ran {operation.name!r} on the input where it ran {name or 'nothing'!r} "
                "on the baseline.",
                "Its control flow depends on the input, so the two cannot be compared.",
            )
        known: tuple[Any, ...] = _known(arguments)
        return known

    def _kept(self, argument: Any) -> Any:
        if isinstance(argument, Tensor) and not isinstance(argument, nn.Parameter):
            return self._keeper.keep(argument)
        if type(argument) in (tuple, list):
            return type(argument)(self._kept(part) for part in argument)
        return argument


def _known(argument: Any) -> Any:
    """An argument as it was when it was put down."""
    if isinstance(argument, Kept):
        return argument.value
    if type(argument) in (tuple, list):
        return type(argument)(_known(part) for part in argument)
    return argument


def rescue(keeper: Keeper, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Copies what is kept in the memory that a call is about to overwrite."""
    if not keeper:
        return
    with torch._C.DisableTorchFunction():
        for target in written(func, args, kwargs):
            keeper.rescue(settled(target))


class Recorder(TorchFunctionMode):
    """Puts down the arguments of operations that are `on_tape`, for the rules of another pass."""

    def __init__(
        self, decompositions: Mapping[str, Decomposition], on_tape: Callable[[Operation], bool]
    ) -> None:
        super().__init__()
        self._decompositions = decompositions
        self._on_tape = on_tape
        self.tape = Tape()

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if observes(func):
            return func(*args, **kwargs)
        operation, target = plain(func, args, kwargs)
        decomposition = self._decompositions.get(operation.name)
        if decomposition is not None:
            with self:
                result = decomposition(*operation.arguments, **operation.options)
            if target is None:
                return result
            self.tape.rescue(func, args, kwargs)
            return target.copy_(result)
        if self._on_tape(operation):
            with torch._C.DisableTorchFunction():
                self.tape.add(operation.name, settled(operation.arguments))
        elif found := picks(operation):
            self.tape.add(operation.name, found)
        self.tape.rescue(func, args, kwargs)
        return func(*args, **kwargs)


__all__ = ["Decomposition", "Recorder", "Tape", "rescue"]
