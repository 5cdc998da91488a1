"""What runs before an edited layer: once for an input, whatever the edits are.

Modules that end before the layer runs give the same for every edit, however the network is wired.
What they gave is given again in their stead, as often as there are rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn


class Below:
    """Outputs (1, ...) of the modules beside the path to a layer, until its last of `calls` calls.

    The path are the modules that the layer is in: they run, as functions between modules do.
    """

    def __init__(self, layer: str, calls: int) -> None:
        self._layer = layer
        self._calls = calls
        self._outputs: dict[str, list[Any]] | None = None

    def learn(self, model: nn.Module, run: Callable[[], object]) -> None:
        """Keeps what the modules give while `run` runs the model, a replica, on one input."""
        if self._outputs is not None:
            return
        self._outputs, left = {}, self._calls

        def keeping(name: str, forward: Callable[..., Any]) -> Callable[..., Any]:
            def kept(*args: Any, **kwargs: Any) -> Any:
                nonlocal left
                output = forward(*args, **kwargs)
                if name == self._layer:
                    left -= 1
                elif left > 0:
                    # A copy, for an operation in place may follow.
                    given = output.clone() if type(output) is Tensor else None
                    self._outputs.setdefault(name, []).append(given)  # type: ignore[union-attr]
                return output

            return kept

        with _instead(model, [*_beside(model, self._layer), self._layer], keeping):
            run()

    @contextmanager
    def given(self, model: nn.Module, rows: int) -> Iterator[None]:
        """Gives it again, for a batch of so many rows, while entered."""
        assert self._outputs is not None
        outputs = self._outputs

        def again(name: str, forward: Callable[..., Any]) -> Callable[..., Any]:
            known = iter(outputs[name])

            def replayed(*args: Any, **kwargs: Any) -> Any:
                output = next(known, None)
                if output is None or len(output) != 1:
                    return forward(*args, **kwargs)
                return output.expand(rows, *output.shape[1:])

            return replayed

        with _instead(model, outputs, again):
            yield


def _beside(model: nn.Module, layer: str) -> Iterator[str]:
    """The modules beside the path to the layer; of mere lists, what is in them."""
    parts = layer.split(".")
    path = {".".join(parts[:depth]) for depth in range(len(parts) + 1)}
    lists = (nn.ModuleList, nn.ModuleDict)
    open_ = [(name, model.get_submodule(name)) for name in sorted(path)]
    while open_:
        prefix, module = open_.pop()
        if prefix == layer:
            continue
        for key, child in module.named_children():
            name = f"{prefix}.{key}" if prefix else key
            if name not in path:
                if isinstance(child, lists):
                    open_.append((name, child))
                else:
                    yield name


@contextmanager
def _instead(
    model: nn.Module,
    names: Any,
    change: Callable[[str, Callable[..., Any]], Callable[..., Any]],
) -> Iterator[None]:
    """Other forwards for the named modules of a replica while entered."""
    modules = [(name, model.get_submodule(name)) for name in names]
    own = [(module, vars(module).get("forward")) for _, module in modules]
    try:
        for name, module in modules:
            vars(module)["forward"] = change(name, module.forward)
        yield
    finally:
        for module, forward in own:
            vars(module).pop("forward", None)
            if forward is not None:
                vars(module)["forward"] = forward


__all__ = ["Below"]
