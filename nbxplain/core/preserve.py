"""The user's model is left as it was found, because it is never run.

Every pass runs a replica: new module objects in evaluation mode that share the weights' memory.
Training flags, hooks, `.grad`s, `requires_grad`, buffers and `__dict__`s of the user's modules are
therefore not restored but never touched, and the user may train or call the model in another
thread meanwhile. (Restoring flags cannot be right while another thread uses the model.) The
replica's weights ask for no gradient, so autograd keeps none of what weight gradients would need.
Hooks are run with it, since they may change what passes through (pruning, spectral norm, a user's
mask): one that appends to a list of the user's does so at every pass here too.
"""

from __future__ import annotations

import contextlib
import copy
import copyreg
import random
from collections import OrderedDict
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from nbxplain.core.errors import ModelError
from nbxplain.core.tree import SIMPLE, Tree

WRAPPERS = {"OptimizedModule": "_orig_mod", "DataParallel": "module"}
"""Classes whose copies would recompile or scatter, and where the model is inside them."""


def unwrap(model: nn.Module) -> nn.Module:
    """The module behind `torch.compile` and `DataParallel`."""
    inside = WRAPPERS.get(type(model).__name__)
    return unwrap(getattr(model, inside)) if inside else model


SAYS = ("__new__", "__deepcopy__", "__reduce__", "__reduce_ex__", "__getstate__")
"""By these a class tells how its objects are copied."""

HEAP = 1 << 9
"""The flag of classes that were written in Python."""

LEAVES = SIMPLE | {nn.Parameter, OrderedDict, set}
"""What holds no tensors beside the weights."""

HOLDERS = (Tensor, list, tuple, dict)
"""What is looked into for such."""

COMMON = frozenset(vars(nn.Module()))
"""What every module has: hooks and the like, most of them empty and none of them shared."""

STORES = frozenset(("_parameters", "_buffers"))
"""Where modules keep their weights."""


def replica(tree: Tree) -> Tree:
    """A copy of the module tree in evaluation mode that shares the weights' memory.

    Buffers are cloned, so that a model which counts its calls counts the copy's. Weights born
    under `inference_mode` are cloned too, because autograd cannot save them. Raises ModelError when
    something in the model cannot be copied.
    """
    with torch.inference_mode(False):
        memo: dict[int, Any] = {}
        for module in tree.modules:
            for buffer in module._buffers.values():
                if buffer is not None:
                    memo[id(buffer)] = buffer.detach().clone()
            for weight in module._parameters.values():
                if weight is not None:
                    memo[id(weight)] = nn.Parameter(_shared(weight), requires_grad=False)
            for key, value in vars(module).items():
                if key not in COMMON and type(value) not in SIMPLE:
                    for tensor in _tensors(value):
                        memo[id(tensor)] = tensor.detach().clone()
        try:
            return _evaluating(Tree(_copy(tree.root, memo)))
        except Exception as error:
            raise ModelError(
                f"The model cannot be copied: {type(error).__name__}: {error}",
                "A copy is run so that your model is left alone. Keep what cannot be copied out of "
                "its attributes, or give its class a __deepcopy__.",
            ) from error


def _copy(value: Any, memo: dict[int, Any]) -> Any:
    """copy.deepcopy, with a short way for what modules are made of: a tenth of the time."""
    kind: Any = type(value)
    if kind in SIMPLE or kind is torch.jit.ScriptFunction:
        return value
    if id(value) in memo:
        return memo[id(value)]
    if kind is dict or kind is OrderedDict:
        if SIMPLE.issuperset(map(type, value)) and SIMPLE.issuperset(map(type, value.values())):
            return memo.setdefault(id(value), kind(value))
        copied = memo[id(value)] = kind()
        for key, item in value.items():
            copied[key if type(key) in SIMPLE else _copy(key, memo)] = _copy(item, memo)
        return copied
    if kind is tuple:
        return tuple(_copy(item, memo) for item in value)
    if kind is set:
        return memo.setdefault(id(value), {_copy(item, memo) for item in value})
    if kind is list:
        items = memo[id(value)] = list[Any]()
        items.extend(_copy(item, memo) for item in value)
        return items
    if _bare(kind):
        thing = memo[id(value)] = kind.__new__(kind)
        vars(thing).update(_copy(vars(value), memo))
        return thing
    if isinstance(value, nn.Module) and _ordinary(kind):
        return _module(value, memo)
    return copy.deepcopy(value, memo)


def _module(value: nn.Module, memo: dict[int, Any]) -> nn.Module:
    kind = type(value)
    module = memo[id(value)] = kind.__new__(kind)
    state = dict(vars(value))
    for key, item in state.items():
        if type(item) in SIMPLE:
            continue
        if key in COMMON and not item:
            state[key] = type(item)()
        elif key in STORES:
            # All of them stand in the memo.
            state[key] = type(item)((k, w if w is None else memo[id(w)]) for k, w in item.items())
        else:
            state[key] = _copy(item, memo)
    module.__setstate__(state)
    return module


def _evaluating(tree: Tree) -> Tree:
    """The tree in evaluation mode, without a call where no class has one of its own."""
    if not tree.training:
        return tree
    kinds: set[Any] = {type(module) for module in tree.modules}
    for kind in kinds:
        own = kind.train is not nn.Module.train or kind.eval is not nn.Module.eval
        if own or not _ordinary(kind):
            tree.root.eval()
            return tree
    for module in tree.modules:
        vars(module)["training"] = False
    return tree


@cache
def _ordinary(kind: type[nn.Module]) -> bool:
    """Whether the class leaves it to `__dict__` what a copy of its modules is."""
    ordinary = all(getattr(kind, name, None) is getattr(nn.Module, name, None) for name in SAYS)
    return ordinary and not any("__slots__" in vars(base) for base in kind.__mro__)


@cache
def _bare(kind: type) -> bool:
    """Whether objects of the class are their `__dict__` and nothing else: a configuration."""
    more = ("__setstate__", "__getnewargs__", "__getnewargs_ex__")
    own = any(getattr(kind, name, None) is not getattr(object, name, None) for name in SAYS + more)
    listed = kind in copyreg.dispatch_table or not kind.__dictoffset__
    written = all(
        base.__flags__ & HEAP and "__slots__" not in vars(base) for base in kind.__mro__[:-1]
    )
    return written and not own and not listed and not issubclass(kind, type)


def _tensors(value: Any) -> Iterator[Tensor]:
    """Tensors a module keeps beside its weights, also in lists and dicts: features, maps."""
    if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
        yield value
    elif type(value) in (list, tuple, dict):
        for item in value.values() if isinstance(value, dict) else value:
            if type(item) not in LEAVES and isinstance(item, HOLDERS):
                yield from _tensors(item)


def _shared(weight: Tensor) -> Tensor:
    return weight.clone() if weight.is_inference() else weight.detach()


def moved(tree: Tree, device: torch.device, dtype: torch.dtype) -> Tree:
    """The replica on a device, its numbers in a precision; as it is where it is so already."""
    there = all(
        weight.device == device and (weight.dtype == dtype or not weight.is_floating_point())
        for weight in tree.weights()
    )
    return tree if there else Tree(tree.root.to(device, dtype))


def refresh(copied: Tree, original: Tree) -> None:
    """Brings the replica's cloned buffers up to date with training that went on since."""
    with torch.inference_mode(False), torch.no_grad():
        for ours, theirs in zip(copied.buffers(), original.buffers(), strict=True):
            # What is the same stays untouched: weights that were made of it are still right.
            if not torch.equal(ours, theirs.to(ours)):
                ours.copy_(theirs)


class RandomStates(NamedTuple):
    """The global states of torch, numpy, random and CUDA's generators at one moment."""

    torch: Tensor
    numpy: Any
    python: object
    cuda: list[Tensor]

    @classmethod
    def now(cls) -> RandomStates:
        """The present states."""
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
        return cls(torch.get_rng_state(), np.random.get_state(), random.getstate(), cuda)

    def put_back(self) -> None:
        """Makes these the present states again."""
        torch.set_rng_state(self.torch)
        np.random.set_state(self.numpy)
        random.setstate(cast(tuple[Any, ...], self.python))
        if self.cuda:
            torch.cuda.set_rng_state_all(self.cuda)

    def key(self) -> tuple[object, ...]:
        """Equal for equal states: a pass that draws nothing leaves it as it is."""
        name, keys, *rest = self.numpy
        tensors = (state.numpy().tobytes() for state in (self.torch, *self.cuda))
        return (name, np.asarray(keys).tobytes(), *rest, self.python, *tensors)


@contextlib.contextmanager
def random_states(seed: int) -> Iterator[None]:
    """Seeds the global torch, numpy and random states; puts them back on leaving."""
    before = RandomStates.now()
    try:
        torch.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        yield
    finally:
        before.put_back()
