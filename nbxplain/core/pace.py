"""How fast a model runs in either memory layout, measured once a model.

On CPUs one layout can be many times slower, and which one depends on the network, on the precision,
and on whether a backward pass follows.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Hashable
from typing import Literal

import torch
from torch import Tensor, nn

from nbxplain.core.door import is_out_of_memory

Layout = Literal["contiguous", "channels_last"]

FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}

MANY = 32
"""Table rows that are timed at once: an estimator takes about as long for one."""

_known: weakref.WeakKeyDictionary[nn.Module, dict[Hashable, tuple[Layout, float]]] = (
    weakref.WeakKeyDictionary()
)


def laid_out(inputs: Tensor, layout: Layout | None) -> Tensor:
    """Pictures (N, C, H, W) in a memory layout; tables as they are."""
    if inputs.ndim != 4:
        return inputs
    return inputs.contiguous(memory_format=FORMATS[layout or "contiguous"])


def pace(
    model: nn.Module,
    case: Hashable,
    example: Tensor,
    run: Callable[[Tensor], Tensor],
    backward: bool,
) -> tuple[Layout, float]:
    """The faster layout and the seconds per input, from passes of two pictures or of many rows.

    `run` is the forward pass; what is measured is kept for `model` under `case`.
    """
    known = _known.setdefault(model, {})
    key = (case, tuple(example.shape[1:]), example.device, backward)
    if key not in known:
        count = 2 if example.ndim == 4 else MANY
        batch = example.expand(count, *example.shape[1:])
        layouts: list[Layout] = ["channels_last", "contiguous"]
        times: dict[Layout, float] = {}
        try:
            for layout in layouts[batch.ndim != 4 :]:
                best = min(times.values(), default=float("inf"))
                times[layout] = _seconds(run, laid_out(batch, layout), backward, 2 * best)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            return "contiguous", 0.0
        winner = min(times, key=lambda layout: times[layout])
        known[key] = winner, times[winner] / count
    return known[key]


def _seconds(
    run: Callable[[Tensor], Tensor], inputs: Tensor, backward: bool, hopeless: float
) -> float:
    """Seconds of a pass, the better of two; one is enough where it is hopeless."""
    best = float("inf")
    for _ in range(2):
        start = time.perf_counter()
        with torch.set_grad_enabled(backward):
            leaf = inputs.detach().clone().requires_grad_(backward)
            output = run(leaf)
            if output.requires_grad:
                torch.autograd.grad(output.float().sum(), leaf, allow_unused=True)
        if inputs.is_cuda:
            torch.cuda.synchronize(inputs.device)
        best = min(best, time.perf_counter() - start)
        if best > hopeless:
            break
    return best
