"""A model and every module in it, looked over once: what changes are told by."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property

from torch import Tensor, nn

SIMPLE = frozenset((int, float, complex, bool, str, bytes, type(None)))
"""Kinds of values that are what they say."""


class Tree:
    """The modules below `root` and itself, each once.

    `signature` changes when modules, tensors, hooks or attributes are replaced, not with in-place
    updates of tensors and of objects kept in attributes.
    """

    def __init__(self, root: nn.Module) -> None:
        self.root = root
        found = {id(root): root}
        left = [root]
        # root.modules() takes ten times as long.
        while left:
            for module in left.pop()._modules.values():
                if module is not None and id(module) not in found:
                    found[id(module)] = module
                    left.append(module)
        self.modules = list(found.values())

    @cached_property
    def signature(self) -> tuple[object, ...]:
        """Equal for equal states: that of the model when it is first asked for."""
        found: list[object] = []
        for module in self.modules:
            found.append(id(module))
            for value in vars(module).values():
                kind = type(value)
                if kind in SIMPLE:
                    found.append(value)
                elif kind is not dict and kind is not OrderedDict:
                    found.append(id(value))
                elif value:
                    found += map(id, value.values())
        return tuple(found)

    @property
    def training(self) -> bool:
        """Whether one of the modules is in training mode."""
        return any(module.training for module in self.modules)

    def parameters(self) -> list[nn.Parameter]:
        """Every parameter; one that has two places comes twice."""
        stores = [module._parameters for module in self.modules]
        return [weight for store in stores for weight in store.values() if weight is not None]

    def buffers(self) -> list[Tensor]:
        """Every buffer; one that has two places comes twice."""
        stores = [module._buffers for module in self.modules]
        return [buffer for store in stores for buffer in store.values() if buffer is not None]

    def weights(self) -> list[Tensor]:
        """Every parameter and buffer."""
        return [*self.parameters(), *self.buffers()]

    def version(self) -> int:
        """Rises with every in-place change of a weight or buffer: a step, `load_state_dict`."""
        return sum(weight._version for weight in self.weights() if not weight.is_inference())


__all__ = ["SIMPLE", "Tree"]
