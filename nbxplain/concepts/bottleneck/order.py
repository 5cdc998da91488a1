"""Which concept is most worth asking for?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, get_args

import torch
from torch import Tensor

from nbxplain.core.errors import MethodError

if TYPE_CHECKING:
    from nbxplain.concepts.bottleneck.base import Sight

By = Literal["uncertainty", "change"]
"""uncertainty: where the model is least sure of the concept, entropy in bits. change: by how much
the class probabilities are expected to move (total variation, from 0 to 1), if the answer is as
probable as the model says; two class predictions for each concept."""

Order = Literal["random", "uncertainty", "change"]


def check_order(given: str, kinds: object) -> None:
    """Raises MethodError for an order that does not exist."""
    if given not in get_args(kinds):
        raise MethodError(
            f"There is no order {given!r}.", f"Choose one of {', '.join(get_args(kinds))}."
        )


def entropy(probabilities: Tensor) -> Tensor:
    """The entropy of yes or no, in bits: 0 where it is sure, 1 at one half."""
    p = probabilities.double()
    nats: Tensor = torch.special.entr(p) + torch.special.entr(1 - p)
    return nats / math.log(2)


def usefulness(sight: Sight, known: Tensor, by: By) -> Tensor:
    """The worth (N, C) of asking for each concept; below 0 where it is known already."""
    check_order(by, By)
    worth = entropy(sight.probabilities) if by == "uncertainty" else _change(sight, known)
    return worth.masked_fill(~known.isnan(), -1.0)


def _change(sight: Sight, known: Tensor) -> Tensor:
    rows, count = known.shape
    told = known.expand(2, count, rows, count).clone()
    for concept in range(count):
        told[0, concept, :, concept], told[1, concept, :, concept] = 0, 1
    every = torch.arange(rows)
    now = sight.shares(sight.scores(every, known))
    then = sight.shares(sight.scores(every.repeat(2 * count), told.flatten(0, 2)))
    moved = 0.5 * (then.unflatten(0, (2, count, rows)) - now).abs().sum(3).double()
    present = sight.probabilities.double()
    expected: Tensor = (1 - present) * moved[0].T + present * moved[1].T
    return expected
