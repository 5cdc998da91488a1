"""Runs whose inputs differ little from known pictures: when they take the short way of locality.py.

What is computed of such a picture is kept for the run. The short way is taken where the changes are
small and it saves enough of the multiplications; that its scores are right is seen once for each
model and shape of input.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nbxplain.core.errors import ModelError
from nbxplain.core.fusion import Fusion
from nbxplain.core.locality import Locality
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

_agrees: weakref.WeakKeyDictionary[nn.Module, dict[tuple[int, ...], bool]] = (
    weakref.WeakKeyDictionary()
)
"""Whether the scores are right, for models and shapes of inputs that were tried."""


@dataclass(frozen=True)
class Near:
    """What inputs differ little from: pictures (N, C, H, W), and for numbers of inputs (n,) the
    row (n,) of its picture each."""

    pictures: Tensor
    row: Callable[[Tensor], Tensor]


class Nearby:
    """Outputs of one run by way of pictures near its inputs, while that is right and pays."""

    def __init__(self, model: nn.Module, near: Near) -> None:
        self._pays = True
        self._near = near
        self._known = _agrees.setdefault(model, {})
        self._pictures: tuple[int, ...] = ()
        self._locality: Locality | None = None

    def output(
        self,
        run: Callable[[Tensor], Tensor],
        build: Callable[[], Tensor],
        numbers: Tensor,
        fusion: Fusion,
    ) -> Tensor | None:
        """run(build()), inputs with these numbers; None where it is better done plainly."""
        rows = self._near.row(numbers).tolist()
        pictures = tuple(sorted(set(rows)))
        if not self._pays or len(pictures) > PICTURES:
            return None
        inputs, which = build(), [pictures.index(row) for row in rows]
        reference = self._near.pictures[list(pictures)]
        boxes = Boxes.different(inputs, reference[which] if len(pictures) > 1 else reference)
        # What fails or does not pay now is not tried again in this run.
        self._pays = False
        shape = tuple(inputs.shape[1:])
        if boxes.area > LARGEST * shape[1] * shape[2] or not self._known.get(shape, True):
            return None
        locality = self._at(pictures, reference, fusion)
        try:
            with locality:
                output: Tensor = whole(run(locality.patch(inputs, which, boxes)))
            if shape not in self._known:
                with fusion:
                    expected = run(inputs[:COMPARED])
                apart = (output[:COMPARED] - expected).abs().max()
                self._known[shape] = bool(apart <= 1e-5 * expected.abs().max())
        except ModelError:
            return None
        self._pays = locality.saved >= SAVED * (locality.saved + locality.done)
        return output if self._known[shape] else None

    def _at(self, pictures: tuple[int, ...], reference: Tensor, fusion: Fusion) -> Locality:
        if pictures != self._pictures or self._locality is None:
            reference = reference.contiguous(memory_format=torch.channels_last)
            self._pictures, self._locality = pictures, Locality(reference, fusion)
        return self._locality


__all__ = ["Near", "Nearby"]
