"""What is explained: one number of the model's output, for each row of the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nbxplain.core.errors import ModelError, TargetError, near

Label = int | str


@dataclass(frozen=True)
class Contrast:
    """Why `label` rather than `against`: the difference of the two scores."""

    label: Label
    against: Label


TargetLike = (
    Label | Contrast | Callable[[Tensor], Tensor] | Sequence[Label | Contrast] | Tensor | None
)


@dataclass(frozen=True)
class Target:
    """A target for every row: class indices, indices to subtract (or -1), or a callable."""

    index: tuple[int, ...] = ()
    against: tuple[int, ...] = ()
    function: Callable[[Tensor], Tensor] | None = None

    def __len__(self) -> int:
        return len(self.index)

    @property
    def classes(self) -> tuple[int, ...]:
        """The classes it is about, a contrast's both; none of a callable."""
        every = () if self.function is not None else (*self.index, *self.against)
        return tuple(dict.fromkeys(i for i in every if i >= 0))

    def score(self, output: Tensor, rows: Tensor) -> Tensor:
        """The scores (n,) of an output (n, K, ...) whose k-th row belongs to input rows[k]."""
        if self.function is not None:
            return _checked(self._called(self.function, output), len(rows))
        index = torch.tensor(self.index, device=output.device)[rows]
        score = output.gather(1, index.unsqueeze(1)).squeeze(1)
        if all(i < 0 for i in self.against):
            return score
        against = torch.tensor(self.against, device=output.device)[rows]
        other = output.gather(1, against.clamp(min=0).unsqueeze(1)).squeeze(1)
        return score - other * (against >= 0)

    @staticmethod
    def _called(function: Callable[[Tensor], Tensor], output: Tensor) -> Tensor:
        try:
            return function(output)
        except Exception as error:
            raise TargetError(
                f"The target function failed: {type(error).__name__}: {error}",
                f"It gets the model's output, here a tensor of shape {tuple(output.shape)}.",
            ) from error

    def names(self, labels: Sequence[str]) -> list[str]:
        """The target of each row in words."""
        if self.function is not None:
            return [getattr(self.function, "__name__", "callable")] * len(self)
        return [
            labels[i] if j < 0 else f"{labels[i]} rather than {labels[j]}"
            for i, j in zip(self.index, self.against, strict=True)
        ]


@dataclass(frozen=True)
class Probability(Target):
    """The probability of the target's class, which `shares` finds behind an output (N, K)."""

    shares: Callable[[Tensor], Tensor | None] = lambda output: None

    @classmethod
    def of(cls, target: Target, shares: Callable[[Tensor], Tensor | None]) -> Probability:
        """Raises TargetError for a contrast or a callable."""
        if target.function is not None or any(i >= 0 for i in target.against):
            raise TargetError(
                "This target has no probability.", "Use unit='score', or one class as the target."
            )
        return cls(target.index, target.against, None, shares)

    def score(self, output: Tensor, rows: Tensor) -> Tensor:
        """Raises TargetError where the output has none."""
        found = self.shares(output)
        if found is None:
            raise TargetError("This model gives no probabilities.", "Use unit='score'.")
        return super().score(found, rows)


def _checked(score: Any, rows: int) -> Tensor:
    if not isinstance(score, Tensor) or score.shape != (rows,):
        got = tuple(score.shape) if isinstance(score, Tensor) else type(score).__name__
        raise TargetError(
            f"The target function returned {got} for a batch of {rows}.",
            "It gets the output of the whole batch and must return one score per row, shape (N,).",
        )
    return score


def resolve(target: TargetLike, output: Tensor, labels: Sequence[str]) -> Target:
    """The target for each row of `output` (N, K).

    None is the predicted class; an index, a label, a Contrast or a callable on the output holds for
    every row; a sequence gives one target per row, or several for a single row. Raises TargetError.
    """
    rows = output.shape[0]
    if callable(target):
        return Target((0,) * rows, (-1,) * rows, target)
    if output.ndim != 2:
        raise ModelError(
            f"The model's output has shape {tuple(output.shape)}, not (N, classes).",
            "Pick a score with target=callable, for example lambda out: out[:, 1].mean((1, 2)).",
        )
    if target is None:
        return Target(tuple(output.argmax(1).tolist()), (-1,) * rows)
    if isinstance(target, Tensor | np.ndarray):
        target = target.tolist()
    wanted = list(target) if isinstance(target, list | tuple) else [target] * rows
    if not wanted or rows not in (1, len(wanted)):
        raise TargetError(
            f"{len(wanted)} targets were given for {rows} inputs.",
            "Give one target for all, or one for each input.",
        )
    pairs = [_pair(item, output.shape[1], labels) for item in wanted]
    return Target(tuple(i for i, _ in pairs), tuple(j for _, j in pairs))


def _pair(target: Any, classes: int, labels: Sequence[str]) -> tuple[int, int]:
    if isinstance(target, Contrast):
        pair = (
            class_index(target.label, classes, labels),
            class_index(target.against, classes, labels),
        )
        if pair[0] == pair[1]:
            raise TargetError("A contrast needs two different classes.", "Choose another second.")
        return pair
    return class_index(target, classes, labels), -1


def class_index(label: Any, classes: int, labels: Sequence[str]) -> int:
    """The index of a class given by index or label. Raises TargetError with near matches."""
    if isinstance(label, str):
        lower = [known.lower() for known in labels]
        if label.lower() not in lower:
            raise TargetError(
                f"There is no class {label!r}.",
                near(label, labels) or "Give an index, or labels= when making the explanation.",
            )
        found = [index for index, known in enumerate(lower) if known == label.lower()]
        if len(found) > 1:
            raise TargetError(
                f"{len(found)} classes are called {label!r}.",
                f"Give the index: {' or '.join(map(str, found))}.",
            )
        return found[0]
    if isinstance(label, int | np.integer) and not isinstance(label, bool):
        if not 0 <= label < classes:
            raise TargetError(
                f"There is no class {label}.", f"The model has classes 0 to {classes - 1}."
            )
        return int(label)
    raise TargetError(
        f"A target cannot be {type(label).__name__}.",
        "Give a class index, a label, a Contrast, or a callable on the output.",
    )
