"""What the columns of a model's output are, and the probabilities that follow from them."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Meaning = Literal["scores", "log odds", "margins", "values"]


def probabilities(scores: Tensor, meaning: Meaning = "scores") -> Tensor | None:
    """The probability of each class (N, K), or None where there are no classes.

    scores: a softmax of them, or they themselves where they already sum to one. log odds: of each
    of two classes, (-m, m), their sigmoid. margins, values of a regression: none.
    """
    if scores.ndim != 2 or scores.shape[1] < 2 or meaning in ("margins", "values"):
        return None
    if meaning == "log odds":
        return scores.sigmoid()
    sums = scores.sum(1)
    summed = torch.allclose(sums, torch.ones_like(sums), atol=1e-4)
    return scores if summed and bool((scores >= 0).all()) else scores.softmax(1)


__all__ = ["Meaning", "probabilities"]
