"""The door itself: a replica called on a chunk, and what it means when that does not fit."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from nbxplain.core.errors import ExplanationError, MemoryExhausted, ModelError

ROWS = 4096
"""Table rows in a pass."""


def run(model: nn.Module, inputs: Tensor, pick: Callable[[object], Tensor]) -> Tensor:
    """The picked output of the model. What it raises becomes a ModelError, except out of memory.

    It gets a copy of the inputs: it may work in place, as a ReLU at its beginning does.
    """
    try:
        # What is computed where it is needed (patches.py) is nobody else's.
        return pick(model(inputs.clone() if type(inputs) is Tensor else inputs))
    except ExplanationError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        if _runs(model, inputs):
            raise ModelError(
                "This method cannot follow the model, which itself runs: "
                f"{type(error).__name__}: {error}",
                "Its rules know real numbers, and no torch.func. Choose a method that only needs "
                "gradients or scores, such as integrated_gradients.",
            ) from error
        raise ModelError(
            f"The model raised {type(error).__name__} for an input of shape "
            f"{tuple(inputs.shape)}: {error}",
            "Call the model on such a tensor yourself; check preprocess= and the input's shape.",
        ) from error


def _runs(model: nn.Module, inputs: Tensor) -> bool:
    """Whether the model's operations are watched, and it runs where they are not."""
    if not torch._C._len_torch_function_stack():
        return False
    try:
        with torch._C.DisableTorchFunction():
            model(inputs.clone())
    except Exception:
        return False
    return True


def exhausted() -> MemoryExhausted:
    """The error for a single input that does not fit."""
    return MemoryExhausted(
        "One input does not fit in the memory of the device.",
        "Use a smaller picture, precision='bfloat16', or device='cpu'.",
    )


def is_out_of_memory(error: BaseException) -> bool:
    """True for every way in which torch and Python say so."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text
    )


def chunk_for(example: Tensor) -> int:
    """Eight inputs of 224 x 224 on a CPU, whose caches larger ones outgrow; by free memory on CUDA.

    Activations of common networks take a few hundred times the memory of their input. Table rows
    are small, and an estimator takes about as long for one as for a thousand.
    """
    table = example.ndim == 2
    if example.is_cuda:
        free, _ = torch.cuda.mem_get_info(example.device)
        fits = int(free * 0.4) // (example[0].numel() * 4 * 400)
        return max(1, min(ROWS if table else 256, fits))
    return max(1, min(ROWS if table else 64, 8 * 150_528 // example[0].numel()))
