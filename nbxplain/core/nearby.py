"""Runs whose inputs differ little from known pictures: when they take the short way of locality.py.

What is computed of such a picture is kept for the run. The short way is taken where the changes are
small and it saves enough of the multiplications; that its scores are right is seen once for each
model and shape of input.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from nbxplain.core.errors import ModelError
from nbxplain.core.fusion import Fusion
from nbxplain.core.locality import Locality
from nbxplain.core.pace import laid_out
from nbxplain.core.patches import whole
from nbxplain.core.windows import Boxes

LARGEST = 0.5
"""The share of a picture up to which its change is followed."""
PICTURES = 4
"""Different pictures of one chunk of which activations are kept."""
SAVED = 0.15
"""The share of multiplications that has to be saved."""
COMPARED = 2
"""Inputs whose scores are computed both ways."""
PATIENCE = 2
"""Chunks in a row with larger changes after which no more are looked at."""

_agrees: weakref.WeakKeyDictionary[nn.Module, dict[tuple[int, ...], bool]] = (
    weakref.WeakKeyDictionary()
)
"""Whether the scores are right, for models and shapes of inputs that were tried."""

Run = Callable[[Tensor], Tensor]
"""Inputs (n, C, H, W) -> the model's output (n, K)."""


@dataclass(frozen=True)
class Near:
    """What inputs differ little from: pictures (N, C, H, W), and for numbers of inputs (n,) the
    row (n,) of its picture each."""

    pictures: Tensor
    row: Callable[[Tensor], Tensor]


class Nearby:
    """Outputs of one run by way of pictures near its inputs, while that is right and pays."""

    def __init__(self, model: nn.Module, near: Near) -> None:
        self._near = near
        self._agrees, self._shape = _agrees.setdefault(model, {}), tuple(near.pictures.shape[1:])
        self._patience = PATIENCE if self._agrees.get(self._shape, True) else 0
        self._pictures: tuple[int, ...] = ()
        self._locality: Locality | None = None

    def output(
        self, run: Run, build: Callable[[], Tensor], numbers: Tensor, fusion: Fusion
    ) -> Tensor | None:
        """run(build()), inputs with these numbers, or None where plain passes are better.

        `run` is the forward pass, `fusion` what makes it fast.
        """
        rows = self._near.row(numbers).tolist()
        pictures = tuple(sorted(set(rows)))
        if self._patience == 0 or len(pictures) > PICTURES:
            return None
        # What raises is not tried again in this run.
        patience, self._patience = self._patience, 0
        inputs, which = build(), [pictures.index(row) for row in rows]
        locality = self._at(pictures, fusion)
        boxes = Boxes.different(inputs, locality.reference, which)
        if boxes.area > LARGEST * inputs.shape[2] * inputs.shape[3]:
            self._patience = patience - 1
            return None
        try:
            with locality:
                output: Tensor = run(locality.patch(inputs, which, boxes))
            output = whole(output)
            agrees = self._checked(run, inputs[:COMPARED], output, fusion)
        except ModelError:
            return None
        if agrees and locality.saved >= SAVED * (locality.saved + locality.done):
            self._patience = PATIENCE
        return output if agrees else None

    def _at(self, pictures: tuple[int, ...], fusion: Fusion) -> Locality:
        if pictures != self._pictures or self._locality is None:
            reference = laid_out(self._near.pictures[list(pictures)], "channels_last")
            self._pictures, self._locality = pictures, Locality(reference, fusion)
        return self._locality

    def _checked(self, run: Run, inputs: Tensor, output: Tensor, fusion: Fusion) -> bool:
        """Whether the model's outputs are right, seen at the first few."""
        if self._shape not in self._agrees:
            with fusion:
                expected = run(inputs)
            apart = (output[: len(inputs)] - expected).abs().max()
            self._agrees[self._shape] = bool(apart <= 1e-5 * expected.abs().max())
        return self._agrees[self._shape]


__all__ = ["Near", "Nearby"]
