"""What an attack found: a probe of how fragile a prediction is, not an explanation of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nbxplain.adversarial.ball import Norm, size
from nbxplain.adversarial.probe import Probe
from nbxplain.core.counting import numbered

if TYPE_CHECKING:
    from nbxplain.figure import Drawing
    from nbxplain.methods.base import Method


@dataclass
class Adversarial:
    """Variants of N inputs within E epsilons.

    `pixels` (N, E, ...) holds them in pixels from 0 to 1 (tables: the model's units), `tensor` as
    the model gets them. `margin` (N, E) is positive where the class changed as wanted, `after`
    (N, E) the class then, `sizes` (N, E) how large the change is. `evaluations` counts passes.
    """

    attack: str
    norm: Norm
    epsilon: Tensor
    pixels: Tensor
    margin: Tensor
    after: Tensor
    sizes: Tensor
    probe: Probe
    evaluations: int
    notices: list[str] = field(default_factory=list)

    @property
    def success(self) -> Tensor:
        """(N, E) booleans: the class changed as wanted."""
        return self.margin > 0

    @property
    def tensor(self) -> Tensor:
        return self.probe.to_model(self.pixels.flatten(0, 1)).view_as(self.pixels)

    def summary(self) -> str:
        """What was tried and how often it worked."""
        lines = [f"{self.attack}, {self.norm}: a probe of fragility, not an explanation"]
        for number, epsilon in enumerate(self.epsilon.tolist()):
            won = int(self.success[:, number].sum())
            lines.append(f"epsilon {epsilon:.4g}: {won} of {len(self.margin)} changed")
        return "\n".join([*lines, *self.notices])

    def __repr__(self) -> str:
        return f"<{self.attack} within {self.epsilon.tolist()} ({self.norm})>"

    def attribution_shift(self, method: str | Method, row: int = 0, **options: Any) -> Tensor:
        """Spearman's correlation (E,) of the map of each variant with the map of the input.

        Both explain the class that was predicted before; options as in nbxplain.explain. Raises
        InputError for a row that is not there.
        """
        from nbxplain.evaluation import rank_correlation
        from nbxplain.explain import explain

        row = numbered(row, len(self.pixels))
        both = torch.cat([self.probe.inputs.tensor[row : row + 1], self.tensor[row]])
        target = int(self.probe.truth[row])
        model = self.probe.adapter.model
        maps = explain(model, both, method, target=target, **{"progress": False, **options})
        first, *others = (_map(values) for values in maps.values)
        return torch.tensor([rank_correlation(first, other) for other in others])

    def figure(self, row: int = 0, **options: Any) -> Drawing:
        """The input, each variant with the class and the size of its change, and the changes (how
        much they are amplified is written there); of a table row the change of each feature.

        Raises InputError for a row that is not there.
        """
        from nbxplain.adversarial.figure import draw
        from nbxplain.figure import Style

        return draw(self, numbered(row, len(self.pixels)), Style(**options))


def _map(values: Tensor) -> Tensor:
    return values.sum(0) if values.ndim == 3 else values.view(1, -1)


def found(
    attack: str, norm: Norm, epsilon: Tensor, pixels: Tensor, probe: Probe, row: Tensor
) -> Adversarial:
    """The result of variants (N * E, ...) of rows (N * E,), row by row."""
    scores = probe.scores(pixels)
    shape = len(probe), len(epsilon)
    return Adversarial(
        attack, norm, epsilon.cpu(),
        pixels.view(*shape, *pixels.shape[1:]),
        probe.margin(scores, row).view(shape).cpu(),
        scores.argmax(1).view(shape).cpu(),
        size(pixels - probe.clean[row], norm).view(shape).cpu(),
        probe, probe.passes.evaluations,
        [] if probe.box else ["The inputs have no box: nothing but epsilon bounds the change."],
    )  # fmt: skip


__all__ = ["Adversarial", "found"]
