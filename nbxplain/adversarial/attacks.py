"""The searches: one step, many steps, and many steps that choose their own size.

Each takes variants of inputs with an epsilon of their own, so that a whole curve of epsilons is one
batch, and returns the variant with the largest margin that it met.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from nbxplain.adversarial.ball import Norm, inside, random, scaled, steepest
from nbxplain.adversarial.probe import Probe

MOMENTUM, ENOUGH_PROGRESS = 0.75, 0.75
"""Of APGD: the weight of the new step, and the share of steps that must raise the loss."""

Attack = Callable[[Probe, Tensor, Tensor, Norm, int, int], Tensor]
"""Probe, rows (B,), epsilons (B,), norm, steps, seed -> inputs (B, ...) in pixels."""


def fgsm(probe: Probe, row: Tensor, epsilon: Tensor, norm: Norm, steps: int, seed: int) -> Tensor:
    """One step to the end of the ball along the gradient (Goodfellow et al. 2015)."""
    clean = probe.clean[row]
    seen = probe.look(clean, row)
    return probe.boxed(clean + scaled(steepest(seen.gradient, norm), epsilon))


def pgd(probe: Probe, row: Tensor, epsilon: Tensor, norm: Norm, steps: int, seed: int) -> Tensor:
    """Steps of 2.5 epsilon / steps from a random start, back into the ball each time
    (Madry et al. 2018)."""
    clean = probe.clean[row]
    best = _Best(clean, probe.margins(clean, row))
    now = probe.boxed(clean + random(clean, epsilon * 0.5, norm, seed))
    for _ in range(steps):
        seen = probe.look(now, row)
        best.offer(now, seen.margin)
        ahead = now + scaled(steepest(seen.gradient, norm), 2.5 * epsilon / steps)
        now = probe.boxed(clean + inside(ahead - clean, epsilon, norm))
    best.offer(now, probe.margins(now, row))
    return best.inputs


def apgd(probe: Probe, row: Tensor, epsilon: Tensor, norm: Norm, steps: int, seed: int) -> Tensor:
    """Steps with momentum that halve themselves where they no longer help, and go back to the
    best place then: no size to tune (Croce and Hein 2020, algorithm 1)."""
    clean = probe.clean[row]

    def back(ahead: Tensor) -> Tensor:
        return probe.boxed(clean + inside(ahead - clean, epsilon, norm))

    won = _Best(clean, probe.margins(clean, row))
    now = back(clean + random(clean, epsilon, norm, seed))
    seen = probe.look(now, row)
    won.offer(now, seen.margin)
    before, step, climb = now, 2 * epsilon, _Climb(now, seen.loss, seen.gradient)
    for number in range(steps):
        ahead = back(now + scaled(steepest(seen.gradient, norm), step))
        if number:
            ahead = back(now + MOMENTUM * (ahead - now) + (1 - MOMENTUM) * (now - before))
        before, now = now, ahead
        last, seen = seen, probe.look(now, row)
        won.offer(now, seen.margin)
        climb.note(now, seen.loss, seen.gradient, last.loss)
        if number + 1 in checkpoints(steps):
            stuck = climb.stuck()
            step = torch.where(stuck, step / 2, step)
            where = stuck.view(-1, *[1] * (now.ndim - 1))
            now = torch.where(where, climb.inputs, now)
            before = torch.where(where, now, before)
            seen.gradient = torch.where(where, climb.gradient, seen.gradient)
            seen.loss = torch.where(stuck, climb.loss, seen.loss)
    return won.inputs


def checkpoints(steps: int) -> set[int]:
    """The steps after which APGD looks back: rarer at first."""
    places, earlier, place = [], 0.0, 0.22
    while place < 1:
        # Less a hair, for .57 x 100 is 57.00000000000001.
        places.append(math.ceil(place * steps - 1e-9))
        earlier, place = place, place + max(place - earlier - 0.03, 0.06)
    return set(places)


class _Best:
    """The inputs with the largest margin so far."""

    def __init__(self, inputs: Tensor, margin: Tensor) -> None:
        self.inputs, self.margin = inputs.clone(), margin.clone()

    def offer(self, inputs: Tensor, margin: Tensor) -> None:
        better = margin > self.margin
        self.inputs[better], self.margin[better] = inputs[better], margin[better]


class _Climb:
    """How APGD fares between two checkpoints, and where its loss was highest."""

    def __init__(self, inputs: Tensor, loss: Tensor, gradient: Tensor) -> None:
        self.inputs, self.loss, self.gradient = inputs.clone(), loss.clone(), gradient.clone()
        self._raised, self._steps = torch.zeros_like(loss), 0
        self._earlier, self._halved = loss.clone(), torch.ones_like(loss, dtype=torch.bool)

    def note(self, inputs: Tensor, loss: Tensor, gradient: Tensor, last: Tensor) -> None:
        self._raised += (loss > last).to(loss)
        self._steps += 1
        better = loss > self.loss
        self.inputs[better], self.loss[better] = inputs[better], loss[better]
        self.gradient[better] = gradient[better]

    def stuck(self) -> Tensor:
        """Whose step is halved: too few steps helped, or the same step found nothing better."""
        few = self._raised < ENOUGH_PROGRESS * self._steps
        same = ~self._halved & (self.loss <= self._earlier)
        self._halved = few | same
        self._earlier = self.loss.clone()
        self._raised.zero_()
        self._steps = 0
        return self._halved


ATTACKS: dict[str, Attack] = {"fgsm": fgsm, "pgd": pgd, "apgd": apgd}
