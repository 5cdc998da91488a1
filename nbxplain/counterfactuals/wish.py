"""What a counterfactual should be predicted as, and how far a row is from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nbxplain.core.errors import TargetError
from nbxplain.core.target import Label, class_index

Desired = Label | tuple[float, float]
"""A class, or an interval for a model with one score."""


@dataclass(frozen=True)
class Wish:
    """A class index, or an interval of the score. The margin of a row is positive where the wish
    is granted: the class's score less the best other one's, or the distance to the nearer end."""

    index: int = -1
    interval: tuple[float, float] | None = None

    @classmethod
    def of(cls, desired: Desired, classes: int, labels: Sequence[str]) -> Wish:
        """Raises TargetError for a class that is not there and an interval that is empty."""
        if not isinstance(desired, tuple):
            if classes == 1:
                raise TargetError(
                    f"The model has one score, no class {desired!r}.",
                    "Give the interval it should be in: desired=(0.5, 1.0).",
                )
            return cls(class_index(desired, classes, labels))
        low, high = (float(end) for end in desired)
        if classes != 1:
            raise TargetError(
                f"An interval needs a model with one score; this has {classes}.",
                "Give the class that it should be.",
            )
        if not low < high:
            raise TargetError(f"The interval {low} to {high} is empty.", "Give (low, high).")
        return cls(interval=(low, high))

    def said(self, labels: Sequence[str]) -> str:
        """The wish in words."""
        if self.interval is None:
            return labels[self.index]
        return f"{self.interval[0]:g} to {self.interval[1]:g}"

    def margin(self, scores: Tensor) -> Tensor:
        """The margin (B,) of scores (B, K)."""
        if self.interval is not None:
            score = scores.squeeze(1)
            return torch.minimum(score - self.interval[0], self.interval[1] - score)
        own = torch.full((len(scores), 1), self.index, device=scores.device)
        other = scores.scatter(1, own, -torch.inf).amax(1)
        return scores.gather(1, own).squeeze(1) - other
