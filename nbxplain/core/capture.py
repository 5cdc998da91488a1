"""Activations at layers, and a place to take gradients from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from torch import Tensor, nn

from nbxplain.core.below import Below


def first_tensor(output: Any) -> Tensor | None:
    """The tensor of a module's output: itself, or the first of a tuple or a model output."""
    if isinstance(output, Tensor):
        return output
    if isinstance(output, tuple | list) and output and isinstance(output[0], Tensor):
        return output[0]
    return None


class Capture:
    """Records the outputs of the named modules while it is entered.

    `model` must be a replica: its hooks are nobody else's. With `keep_graph` the recorded tensor is
    what later modules are computed from, so gradients can be taken at it. They get a clone,
    because an in-place ReLU after the layer would change what was recorded. With `cut` the graph
    starts at the layer: nothing below it is differentiated. A module that runs several times is
    recorded at its last call.
    """

    def __init__(
        self, model: nn.Module, names: Sequence[str], *, keep_graph: bool = True, cut: bool = False
    ) -> None:
        self.outputs: dict[str, Tensor] = {}
        self.calls: dict[str, int] = {}
        self.order: list[str] = []
        self._model, self._names = model, names
        self._keep_graph, self._cut = keep_graph, cut
        self._handles: list[Any] = []

    def __enter__(self) -> Self:
        modules = dict(self._model.named_modules())
        for name in self._names:
            module = modules[name]
            self._handles.append(module.register_forward_hook(self._hook(name)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for handle in self._handles:
            handle.remove()

    def _hook(self, name: str) -> Any:
        def record(module: nn.Module, inputs: Any, output: Any) -> Any:
            tensor = first_tensor(output)
            if tensor is None:
                return None
            if name in self.outputs:
                self.order.remove(name)
            self.order.append(name)
            self.calls[name] = self.calls.get(name, 0) + 1
            if not self._keep_graph:
                self.outputs[name] = tensor.detach()
                return None
            if self._cut:
                tensor = tensor.detach().requires_grad_()
            self.outputs[name] = tensor
            return _with_first(output, tensor.clone())

        return record


@dataclass(frozen=True)
class Edit:
    """A change of what a layer gives: `function` of its output at its last of `calls` calls.

    With `below` all rows are of one input, and what runs before the layer runs once for them.
    """

    layer: str
    calls: int
    function: Callable[[Tensor], Tensor]
    below: Below | None = None


class Edited:
    """Makes an Edit while it is entered. `model` must be a replica."""

    def __init__(self, model: nn.Module, edit: Edit) -> None:
        self._module = dict(model.named_modules())[edit.layer]
        self._edit, self._left = edit, edit.calls

    def __enter__(self) -> Self:
        self._handle = self._module.register_forward_hook(self._hook)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._handle.remove()

    def _hook(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        self._left -= 1
        tensor = first_tensor(output)
        if self._left or tensor is None:
            return None
        return _with_first(output, self._edit.function(tensor))


def _with_first(output: Any, tensor: Tensor) -> Any:
    """The module's output with its first tensor exchanged, or None where that cannot be done."""
    if isinstance(output, Tensor):
        return tensor
    return type(output)((tensor, *output[1:])) if type(output) in (tuple, list) else None
