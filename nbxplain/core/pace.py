"""How fast a model runs in either memory layout, measured once a model.

On CPUs one layout can be many times slower, and which one depends on the network, on the precision,
and on whether a backward pass follows.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Hashable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from nbxplain.core.door import is_out_of_memory
from nbxplain.core.errors import ModelError

Layout = Literal["contiguous", "channels_last"]

FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}

LAID_ANEW = 2_000_000
"""So many weights are put into another order within a pass before that costs what it saves."""

FEW, MANY = 4, 32
"""Pictures and table rows that are timed at once. An estimator takes about as long for one row;
which layout is faster shows from a few pictures on."""

_known: weakref.WeakKeyDictionary[nn.Module, dict[Hashable, tuple[Layout, float]]] = (
    weakref.WeakKeyDictionary()
)


_suits: weakref.WeakKeyDictionary[nn.Module, bool] = weakref.WeakKeyDictionary()


def laid_out(inputs: Tensor, layout: Layout | None) -> Tensor:
    """Pictures (N, C, H, W) in a memory layout; tables as they are."""
    if inputs.ndim != 4:
        return inputs
    return inputs.contiguous(memory_format=FORMATS[layout or "contiguous"])


def suits_channels_last(model: nn.Module) -> bool:
    """Whether one picture goes through the model faster in channels_last, on a CPU.

    What gains are depthwise convolutions; what costs are the weights of others, which torch lays
    out anew in each pass.
    """
    if model not in _suits:
        shapes = [weight.shape for weight in model.parameters() if weight.ndim == 4]
        wide = [shape for shape in shapes if shape[2:].numel() > 1]
        depthwise = any(shape[1] == 1 for shape in wide)
        anew = sum(shape.numel() for shape in wide if shape[1] > 1)
        _suits[model] = depthwise and anew <= LAID_ANEW
    return _suits[model]


def pace(
    model: nn.Module,
    case: Hashable,
    example: Tensor,
    run: Callable[[Tensor], Tensor],
    backward: bool,
    layouts: Sequence[Layout],
) -> tuple[Layout, float]:
    """The fastest of `layouts` and the seconds per input, from passes of a few or of many rows.

    `run` is the forward pass; what is measured is kept for `model` under `case`. Table rows have
    one layout, contiguous.
    """
    known = _known.setdefault(model, {})
    key = (case, tuple(example.shape[1:]), example.device, backward, tuple(layouts))
    if key not in known:
        table = example.ndim != 4
        batch = example.expand(MANY if table else FEW, *example.shape[1:])
        try:
            times = _times(run, batch, backward, ["contiguous"] if table else layouts)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            return "contiguous", 0.0
        winner = min(times, key=lambda layout: times[layout])
        known[key] = winner, times[winner] / len(batch)
    return known[key]


def _times(
    run: Callable[[Tensor], Tensor], batch: Tensor, backward: bool, layouts: Sequence[Layout]
) -> dict[Layout, float]:
    """Seconds of a pass in each layout, the better of two, in turn: what disturbs, disturbs all.

    One is enough where it is hopeless. A model that takes its maps apart by `view` runs in one
    layout alone.
    """
    times: dict[Layout, float] = {}
    for turn in range(2):
        for layout in layouts:
            before = times.get(layout, float("inf"))
            if turn == 0 or before < 2 * min(times.values()):
                try:
                    now = _seconds(run, laid_out(batch, layout), backward)
                except ModelError:
                    if layout == "contiguous" or len(layouts) == 1:
                        raise
                    now = float("inf")
                times[layout] = min(before, now)
    return times


def _seconds(run: Callable[[Tensor], Tensor], inputs: Tensor, backward: bool) -> float:
    start = time.perf_counter()
    with torch.set_grad_enabled(backward):
        leaf = inputs.detach().clone().requires_grad_(backward)
        output = run(leaf)
        if output.requires_grad:
            torch.autograd.grad(output.float().sum(), leaf, allow_unused=True)
    if inputs.is_cuda:
        torch.cuda.synchronize(inputs.device)
    return time.perf_counter() - start
