"""What the model says of an edited picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs
from nbxplain.core.target import Target, TargetLike
from nbxplain.counterfactuals.editing.edit import Edit
from nbxplain.explain import Setting, ask
from nbxplain.results import Prediction


@dataclass(frozen=True)
class Edited:
    """One edited picture, the model's answers `before` and `after`, and the target's scores.

    `inputs` can be explained in turn: explain(model, edited.inputs). `explained` are the classes
    that the target is about.
    """

    edit: Edit
    inputs: Inputs
    before: Prediction
    after: Prediction
    target: str
    explained: tuple[int, ...]
    scores: tuple[float, float]

    @property
    def picture(self) -> Image.Image:
        return self.inputs.pictures[0]

    def moved(self, count: int = 5) -> list[tuple[int, str, float, float]]:
        """Index, label, and probability (score where there is none) before and after of the most
        probable classes of before, the explained ones, and then those that have joined them."""
        first = [choice.index for choice in self.before.top(count, also=self.explained)]
        joined = [c.index for c in self.after.top(count) if c.index not in first]
        before, after = shares(self.before), shares(self.after)
        return [(i, self.before.labels[i], before[i], after[i]) for i in [*first, *joined]]

    def summary(self) -> str:
        """What has moved, a line a class."""
        lines = [f"{self.target}: score {self.scores[0]:.3g} → {self.scores[1]:.3g}"]
        lines += [f"{label}: {a:.3f} → {b:.3f}" for _, label, a, b in self.moved()]
        return "\n".join(lines)

    def __repr__(self) -> str:
        before, after = (said.top(1)[0].label for said in (self.before, self.after))
        return f"<Edited picture: {before} → {after}>"


def edited(
    model: Any,
    image: Any,
    edit: Edit,
    *,
    target: TargetLike = None,
    preprocess: Any = None,
    labels: Sequence[str] | Mapping[int, str] | None = None,
    output: str | int | Callable[[Any], Tensor] | None = None,
    device: str | torch.device | None = None,
) -> Edited:
    """What `model` says of `image` (one picture) after an edit; arguments as in explain.

    The edit is applied to the picture as it is fed, after resizing. Raises ExplanationError.
    """
    adapter = ModelAdapter(model, preprocess, labels, output, device)
    inputs = adapter.read(image)
    if len(inputs.tensor) != 1:
        raise InputError(f"{len(inputs.tensor)} pictures were given.", "Edit them one by one.")
    return after(ask(adapter, inputs, target), edit)


def after(setting: Setting, edit: Edit) -> Edited:
    """The same for a picture that the model was asked about already: one more pass."""
    inputs = edit.apply(setting.inputs)
    with setting.adapter.lock:
        output = setting.adapter.outputs(inputs.tensor).cpu()
    said = setting.prediction
    return Edited(
        edit,
        inputs,
        said,
        Prediction(output, said.labels, said.meaning),
        setting.names[0],
        setting.target.classes,
        (score_of(setting.target, said.scores), score_of(setting.target, output)),
    )


def score_of(target: Target, output: Tensor) -> float:
    """The target's score of one row's output."""
    return float(target.score(output, torch.zeros(1, dtype=torch.long))[0])


def shares(said: Prediction, row: int = 0) -> list[float]:
    """The probability, or the score where there is none, of each class of one row."""
    found = said.scores if said.probabilities is None else said.probabilities
    values: list[float] = found[row].double().tolist()
    return values


__all__ = ["Edited", "after", "edited", "score_of", "shares"]
