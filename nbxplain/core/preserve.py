"""The user's model is left as it was found, because it is never run.

Every pass runs a replica: new module objects in evaluation mode that share the weights' memory.
Training flags, hooks, `.grad`s, `requires_grad`, buffers and `__dict__`s of the user's modules are
therefore not restored but never touched, and the user may train or call the model in another
thread meanwhile. (Restoring flags cannot be right while another thread uses the model.) The
replica's weights ask for no gradient, so autograd keeps none of what weight gradients would need.
"""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

WRAPPERS = {"OptimizedModule": "_orig_mod", "DataParallel": "module"}
"""Classes whose copies would recompile or scatter, and where the model is inside them."""


def unwrap(model: nn.Module) -> nn.Module:
    """The module behind `torch.compile` and `DataParallel`."""
    inner = model._modules.get(WRAPPERS.get(type(model).__name__, ""))
    return model if inner is None else unwrap(inner)


def signature(model: nn.Module) -> tuple[int, ...]:
    """Changes when modules or tensors are replaced; in-place updates leave it as it is."""
    tensors = (*model.parameters(), *model.buffers())
    return (*(id(module) for module in model.modules()), *(id(tensor) for tensor in tensors))


def version(model: nn.Module) -> int:
    """Rises with every in-place change of a weight: an optimiser's step, `load_state_dict`."""
    return sum(p._version for p in model.parameters() if not p.is_inference())


def replica(model: nn.Module) -> nn.Module:
    """A copy of the module tree in evaluation mode that shares the weights' memory.

    Buffers are cloned, so that a model which counts its calls counts the copy's. Weights born
    under `inference_mode` are cloned too, because autograd cannot save them.
    """
    with torch.inference_mode(False):
        memo: dict[int, Any] = {}
        for module in model.modules():
            for value in vars(module).values():
                if isinstance(value, Tensor):
                    memo[id(value)] = value.detach().clone()
            for buffer in module._buffers.values():
                if buffer is not None:
                    memo[id(buffer)] = buffer.detach().clone()
            for weight in module._parameters.values():
                if weight is not None and not isinstance(weight, nn.UninitializedParameter):
                    memo[id(weight)] = nn.Parameter(_shared(weight), requires_grad=False)
        return copy.deepcopy(model, memo).eval()


def _shared(weight: Tensor) -> Tensor:
    return weight.clone() if weight.is_inference() else weight.detach()


def refresh(copied: nn.Module, original: nn.Module) -> None:
    """Brings the replica's cloned buffers up to date with training that went on since."""
    with torch.inference_mode(False), torch.no_grad():
        for ours, theirs in zip(copied.buffers(), original.buffers(), strict=True):
            ours.copy_(theirs)


class RandomDraws(TorchDispatchMode):
    """Notices whether a forward pass draws random numbers.

    A dispatch mode is local to its thread, so draws that the user makes meanwhile do not count.
    """

    def __init__(self) -> None:
        super().__init__()
        self.drawn = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.drawn |= torch.Tag.nondeterministic_seeded in func.tags
        return func(*args, **(kwargs or {}))


@contextlib.contextmanager
def random_states(seed: int) -> Iterator[None]:
    """Seeds the global torch, numpy and random states; puts them back on leaving."""
    torch_state, numpy_state, python_state = (
        torch.get_rng_state(),
        np.random.get_state(),
        random.getstate(),
    )
    cuda_states = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    try:
        torch.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        yield
    finally:
        torch.set_rng_state(torch_state)
        np.random.set_state(numpy_state)
        random.setstate(python_state)
        if cuda_states:
            torch.cuda.set_rng_state_all(cuda_states)
