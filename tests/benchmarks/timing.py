"""Clocks for benchmarks."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def seconds(action: Callable[[], Any], repeats: int = 2) -> float:
    """The shortest of `repeats` runs: what disturbs a run only makes it longer."""
    best = float("inf")
    for _ in range(repeats):
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        start = time.perf_counter()
        action()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return best


def bare(model: nn.Module, x: Tensor, count: int, backward: bool, bfloat16: bool = False) -> float:
    """`count` passes with nothing around them, in the best layout and batch of those tried."""
    for weight in model.parameters():
        weight.requires_grad_(False)

    def run(batch: int, layout: torch.memory_format) -> None:
        left = count
        while left:
            size = min(batch, left)
            left -= size
            inputs = x.expand(size, *x.shape[1:]).contiguous(memory_format=layout)
            with torch.autocast(x.device.type, torch.bfloat16, enabled=bfloat16):
                if not backward:
                    with torch.no_grad():
                        model(inputs)
                    continue
                inputs.requires_grad_()
                score = model(inputs)[:, 1].float().sum()
            torch.autograd.grad(score, inputs)

    batches = sorted({min(count, b) for b in ((8, 16) if x.device.type == "cpu" else (32, 128))})
    return min(
        seconds(lambda b=b, f=f: run(b, f), 1)  # type: ignore[misc]
        for f in FORMATS.values()
        for b in batches
    )


def machine() -> str:
    """The hardware in a line."""
    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as info:
            name = next(
                line.split(":")[1].strip() for line in info if line.startswith("model name")
            )
    except (OSError, StopIteration):
        pass
    return f"{name}, {torch.get_num_threads()} threads, torch {torch.__version__}"
