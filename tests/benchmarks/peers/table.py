"""From a case to the lines of its table."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nbxplain import Attribution, explain
from tests.benchmarks.networks import pictures
from tests.benchmarks.peers.case import TARGET, Case
from tests.benchmarks.timing import bare, seconds

COLUMNS = ["method", "ours, s", "bare, s", "ratio", "peer", "peer, s", "faster by"]
TOLERATED = 0.05
"""By which share of the change of the score values may miss it."""


@dataclass
class Clock:
    """The shortest time of a call so far and what it returned, or the error that it raised."""

    call: Callable[[], Any]
    best: float = float("inf")
    answer: Any = None
    problem: str = ""

    def run(self) -> None:
        if not self.problem:
            try:
                self.best = min(self.best, seconds(self._keep, 1))
            except Exception as error:
                self.problem = type(error).__name__

    def _keep(self) -> None:
        self.answer = self.call()


def lines(case: Case, model: nn.Module, device: str, repeats: int) -> Iterator[list[str]]:
    """The cells of a line for each peer, and the agreement with it."""
    x = pictures(case.pictures).to(device)
    layer = case.layer(model) if case.layer else None
    options = {"chunk": None, **case.parameters, "layer": layer, "target": TARGET}

    def ours() -> Attribution:
        return explain(model, x, case.method, **options, progress=False)

    ours()  # measures the layouts, once per model
    floor = bare(copy.deepcopy(model), x[:1], case.passes * case.pictures, case.backward)
    mine = Clock(ours)
    theirs = {name: Clock(_prepared(peer, model, x)) for name, peer in case.peers.items()}
    for _ in range(repeats):
        for clock in (mine, *theirs.values()):
            clock.run()
    name = f"{case.method} ({case.note})" if case.note else case.method
    cells = [name, f"{mine.best:.3f}", f"{floor:.3f}", f"{mine.best / floor:.2f}"]
    values = torch.stack([mine.answer.heatmap(row) for row in range(case.pictures)])
    for peer, clock in theirs.items():
        if clock.problem:
            yield [*cells, peer, clock.problem, "", ""]
            continue
        found = heatmaps(clock.answer)
        verdict = f"{clock.best / mine.best:.2f} x" + _missing(case, model, x, found)
        yield [*cells, peer, f"{clock.best:.3f}", verdict, f"{agreement(values, found):.3f}"]


def _prepared(
    peer: Callable[[nn.Module, Tensor], Any], model: nn.Module, x: Tensor
) -> Callable[[], Any]:
    mine = copy.deepcopy(model)
    return lambda: peer(mine, x)


def heatmaps(values: Any) -> Tensor:
    """A peer's values as maps (N, h, w), summed over channels as ours."""
    maps = torch.as_tensor(values).detach().float().cpu()
    if maps.ndim == 2:
        maps = maps.unsqueeze(0)
    return maps.sum(1) if maps.ndim == 4 else maps


def agreement(ours: Tensor, theirs: Tensor) -> float:
    """The correlation of maps (N, h, w)."""
    return float(torch.corrcoef(torch.stack([ours.flatten(), theirs.flatten()]))[0, 1])


def _missing(case: Case, model: nn.Module, x: Tensor, found: Tensor) -> str:
    """By how much maps (N, h, w) miss the change of the score that they are shares of."""
    if case.references is None:
        return ""
    references = case.references.to(x).expand(-1, *x.shape[1:])
    with torch.no_grad():
        change = model(x)[:, TARGET] - model(references)[:, TARGET].mean()
    change = change.cpu()
    gap = float(((found.flatten(1).sum(1) - change) / change).abs().max())
    return f", misses the change by {gap:.0%}" if gap > TOLERATED else ""
