"""How long "Check it" lets one wait, and what deletion and insertion cost beside bare forwards.

    python -m tests.benchmarks.checks

Grad-CAM on EfficientNet-Lite0 in an Explorer without a page; set OMP_NUM_THREADS for the number of
cores. The ratio is of seconds of computing (all threads), which other work on the machine disturbs
less than the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nbxplain import Explorer, demo
from nbxplain.evaluation import deletion, insertion
from tests.benchmarks.networks import efficientnet, picture
from tests.benchmarks.timing import FORMATS, machine

REPEATS = 2
BATCHES = (8, 16)


def waiting() -> dict[str, float]:
    """Seconds from the press until the verdict of each check of the battery."""
    explorer = Explorer(demo.network(), demo.pictures()["cat"], labels=demo.labels())
    explorer.wait()
    found: dict[str, float] = {}
    start = time.perf_counter()

    def told(change: Any) -> None:
        for one in change.new["underway"]:
            if one["state"] == "done":
                found.setdefault(one["name"], time.perf_counter() - start)

    explorer.observe(told, "_checks")
    explorer.checks.run([offer["name"] for offer in explorer._checks["offers"]])
    explorer.checks.wait()
    explorer.close()
    return found


def computed(action: Callable[[], Any]) -> float:
    """Seconds of computing, over all threads."""
    start = time.process_time()
    action()
    return time.process_time() - start


def bare(model: torch.nn.Module, x: Tensor, count: int, batch: int, layout: str) -> None:
    """`count` forwards with nothing around them."""
    inputs = x.expand(batch, *x.shape[1:]).contiguous(memory_format=FORMATS[layout])
    with torch.no_grad():
        for start in range(0, count, batch):
            model(inputs[: min(batch, count - start)])


def ratio() -> tuple[float, float, float]:
    """Seconds of deletion and insertion, of the bare forwards they need, and their ratio."""
    model, x = efficientnet(), picture()
    checks = [lambda f=f: f(model, x, "grad_cam") for f in (deletion, insertion)]
    count = sum(check().total for check in checks)
    ours = theirs = float("inf")
    for _ in range(REPEATS):
        # In turns, so that what disturbs one disturbs the other.
        ours = min(ours, sum(computed(check) for check in checks))
        for layout in FORMATS:
            for batch in BATCHES:
                run = lambda b=batch, f=layout: bare(model, x, count, b, f)  # noqa: E731
                theirs = min(theirs, computed(run))
    return ours, theirs, ours / theirs


def main() -> None:
    """Prints two tables."""
    print(f"{machine()}\n")
    found = waiting()
    print("| verdict | after, s | wanted, s |\n|---|---|---|")
    for place, (name, seconds) in enumerate(found.items()):
        wanted = "5" if place == 0 else "60" if place == len(found) - 1 else ""
        print(f"| {name} | {seconds:.1f} | {wanted} |")
    ours, theirs, share = ratio()
    print("\n| deletion and insertion, s | bare forwards, s | ratio | wanted |\n|---|---|---|---|")
    print(f"| {ours:.1f} | {theirs:.1f} | {share:.2f} | 1.1 |")


if __name__ == "__main__":
    main()
