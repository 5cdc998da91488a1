"""Several opinions from one model: thinned by dropout, or asked about the picture moved a little.

A thinned member is a fixed network: its masks depend on its number and the seed alone, the same
for every input and every pass, so that a method that asks twice asks the same network.
"""

from __future__ import annotations

from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nbxplain.core.errors import InputError, ModelError
from nbxplain.core.inputs import Inputs

WHOLE = (F.dropout1d, F.dropout2d, F.dropout3d)
"""Dropout of whole channels."""


class Draw:
    """Whose rows are in the pass: members (n,), or one for all; shared by copies of the module."""

    def __init__(self) -> None:
        self.members = torch.zeros(1, dtype=torch.long)
        self.calls = 0

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class Thinned(nn.Module):
    """A model with active dropout, modules and functions alike, and everything else as it is.

    Dropout of attention weights inside of fused attention stays off.
    """

    def __init__(self, model: nn.Module, draw: Draw, seed: int) -> None:
        super().__init__()
        self.model, self.draw, self.seed = model, draw, seed

    def forward(self, x: Tensor) -> Any:
        with _Dropping(self.draw, self.seed, len(x)):
            return self.model(x)


class _Dropping(TorchFunctionMode):
    def __init__(self, draw: Draw, seed: int, rows: int) -> None:
        super().__init__()
        self._draw, self._seed, self._rows, self._call = draw, seed, rows, 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is F.dropout or func in WHOLE:
            return self._dropped(func in WHOLE, *args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _dropped(
        self,
        whole: bool,
        input: Tensor,
        p: float = 0.5,
        training: bool = True,
        inplace: bool = False,
    ) -> Tensor:
        if p == 0:
            return input
        self._call += 1
        self._draw.calls += 1
        if len(input) % self._rows:
            raise ModelError(
                f"Dropout met a tensor of shape {tuple(input.shape)} in a batch of {self._rows}.",
                "MC dropout needs the batch as the first dimension.",
            )
        # Windows of a picture lie one after the other: a row's part of the first dimension.
        shape = (len(input) // self._rows, *input.shape[1:])
        drawn = {
            m: self._mask(m, shape[:2] if whole else shape, p)
            for m in self._draw.members.unique().tolist()
        }
        masks = torch.stack([drawn[m] for m in self._draw.members.tolist()])
        masks = masks.view(*masks.shape, *[1] * (1 + len(shape) - masks.ndim)).to(input)
        return (input.view(self._rows, *shape) * masks).view_as(input)

    def _mask(self, member: int, shape: tuple[int, ...], p: float) -> Tensor:
        number = (self._seed * 1_000_003 + member) * 8191 + self._call
        generator = torch.Generator().manual_seed(number)
        kept = torch.rand(shape, generator=generator) >= p
        return kept / (1 - p) if p < 1 else kept.float()


class Moves:
    """Small changes of pictures after which a person sees the same: mirrored, moved, brighter.

    Member 0 sees the picture as it is.
    """

    def __init__(self, inputs: Inputs, shift: float, gain: float, seed: int) -> None:
        if inputs.is_table or inputs.pixels is None:
            raise InputError(
                "A table row cannot be mirrored or moved.", "Use mc_dropout or ensemble for tables."
            )
        self._space, self._x = inputs.pixels, inputs.tensor
        self._shift, self._gain, self._seed = shift, gain, seed

    def _draw(self, member: int) -> tuple[bool, int, int, float]:
        """Mirrored or not, pixels down and right, and the factor of brightness."""
        if member == 0:
            return False, 0, 0, 1.0
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + member)
        flip, down, right, gain = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
        height, width = self._x.shape[2:]
        reach = [round((2 * u - 1) * self._shift * s) for u, s in ((down, height), (right, width))]
        return flip < 0.5, reach[0], reach[1], 1 + (2 * gain - 1) * self._gain

    def apply(self, x: Tensor, member: int) -> Tensor:
        """The pictures (n, C, H, W) as the member sees them."""
        flip, down, right, gain = self._draw(member)
        if gain != 1:
            x = self._space.to_model(self._space.to_pixels(x) * gain)
        return _moved(x.flip(3) if flip else x, down, right)

    def undo(self, maps: Tensor, member: int) -> Tensor:
        """The member's maps (N, H, W), back in place."""
        flip, down, right, _ = self._draw(member)
        back = _moved(maps.unsqueeze(1), -down, -right).squeeze(1)
        return back.flip(2) if flip else back


def _moved(x: Tensor, down: int, right: int) -> Tensor:
    """(n, C, H, W) moved by pixels; the border is repeated."""
    if not down and not right:
        return x
    height, width = x.shape[2:]
    padded = F.pad(x, (abs(right),) * 2 + (abs(down),) * 2, "replicate")
    top, left = abs(down) - down, abs(right) - right
    return padded[:, :, top : top + height, left : left + width]


__all__ = ["Draw", "Moves", "Thinned"]
