"""DeepFool: step over the nearest class boundary of the linearised model, again and again."""

from __future__ import annotations

import torch
from torch import Tensor

from nbxplain.adversarial.ball import Norm, scaled, steepest
from nbxplain.adversarial.probe import Probe

BEYOND = 0.02
"""How much further than the boundary each step goes, as a share."""


def deep_fool_pixels(probe: Probe, norm: Norm, steps: int, classes: int) -> Tensor:
    """The changed inputs (N, ...) in pixels (Moosavi-Dezfooli et al. 2016, algorithm 2).

    Exact in one step where the model is linear. `classes` is how many of the best others are
    looked at; a wanted class is looked at alone.
    """
    row = torch.arange(len(probe), device=probe.clean.device)
    now = probe.clean.clone()
    for _ in range(steps):
        open_ = probe.margins(now, row) <= 0
        if not bool(open_.any()):
            break
        step = _step(probe, now[open_], row[open_], norm, classes)
        now[open_] = probe.boxed(now[open_] + (1 + BEYOND) * step)
    return now


def _step(probe: Probe, now: Tensor, row: Tensor, norm: Norm, classes: int) -> Tensor:
    """The smallest change that reaches a boundary, if the model were linear."""
    scores = probe.scores(now)
    own = probe.truth[row]
    if probe.toward is not None:
        rivals = probe.toward[row].unsqueeze(1)
    else:
        count = min(classes, scores.shape[1] - 1)
        rivals = scores.scatter(1, own.unsqueeze(1), -torch.inf).topk(count, 1).indices
    best, nearest = torch.full_like(scores[:, 0], torch.inf), torch.zeros_like(now)
    for rival in rivals.T:
        gap, slope = probe.difference(now, rival, own)
        slope = probe.feasible(slope, now)
        dual = slope.flatten(1).abs().sum(1) if norm == "linf" else slope.flatten(1).norm(dim=1)
        distance = -gap / dual.clamp(min=1e-30)
        step = scaled(steepest(slope, norm), distance)
        closer = distance < best
        nearest[closer], best[closer] = step[closer], distance[closer]
    return nearest


__all__ = ["deep_fool_pixels"]
