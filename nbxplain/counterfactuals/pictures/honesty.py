"""Is the change something to see, or noise that only the model notices?"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nbxplain.core.passes import Passes
from nbxplain.core.pixels import PixelSpace

if TYPE_CHECKING:
    from nbxplain.counterfactuals.pictures.result import PictureCounterfactuals
    from nbxplain.explain import Setting

CUTOFF = 0.125
"""Cycles per pixel from which a frequency is high: waves shorter than eight pixels."""
ROUGH = 0.5
"""The share of the change's energy above the cut-off from which a change is mostly noise."""
QUALITY = 75
"""Of the JPEG file that a change should survive."""
SHIFTS = {"down": (1, 0), "up": (-1, 0), "right": (0, 1), "left": (0, -1)}
"""Moves by one pixel, rows and columns; the edge is repeated."""


@dataclass(frozen=True)
class Honesty:
    """What became of one counterfactual picture under changes that nobody sees.

    `high_frequency` is the share of the change's energy (squared Fourier coefficients) at
    frequencies above `CUTOFF` cycles per pixel. `jpeg` and `shifts` say whether it is still
    predicted as desired after JPEG at quality 75 and after moves by a pixel; `plain` whether it was
    before.
    """

    high_frequency: float
    plain: bool
    jpeg: bool
    shifts: dict[str, bool]

    @property
    def adversarial(self) -> bool:
        """Whether the prediction was reached, and hangs on what nobody sees."""
        return self.plain and (not self.jpeg or not all(self.shifts.values()) or self.rough)

    @property
    def rough(self) -> bool:
        return self.high_frequency > ROUGH

    @property
    def verdict(self) -> str:
        """In words."""
        energy = f"{self.high_frequency:.0%} of its energy is in waves under {1 / CUTOFF:g} pixels"
        if not self.plain:
            return f"Not reached; of the change {energy}."
        lost = [f"JPEG at quality {QUALITY}"] if not self.jpeg else []
        fallen = [way for way, held in self.shifts.items() if not held]
        lost += [f"a shift by one pixel {' or '.join(fallen)}"] if fallen else []
        if lost:
            return f"Adversarial: does not survive {' nor '.join(lost)}; {energy}."
        if self.rough:
            return f"Adversarial: it survives JPEG and shifts by one pixel, but {energy}."
        return f"Survives JPEG at quality {QUALITY} and shifts by one pixel; {energy}."

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "high_frequency": self.high_frequency,
            "cutoff": CUTOFF,
            "jpeg": self.jpeg,
            "quality": QUALITY,
            "shifts": self.shifts,
            "adversarial": self.adversarial,
            "verdict": self.verdict,
        }


def examined(
    result: PictureCounterfactuals, setting: Setting, passes: Passes
) -> PictureCounterfactuals:
    """The result with its reports; also for one that was stopped."""
    found = honesty(result, setting, passes)
    return replace(result, honesty=found)


def honesty(result: PictureCounterfactuals, setting: Setting, passes: Passes) -> list[Honesty]:
    """A report for each picture, in one batch of six variants each."""
    space = result.inputs.pixels or PixelSpace()
    variants = [result.tensor, space.to_model(_compressed(result.pixels))]
    variants += [_moved(result.tensor, *way) for way in SHIFTS.values()]
    x = torch.cat(variants).to(setting.inputs.tensor)
    held = torch.zeros(len(x), dtype=torch.bool)
    for rows, margin in passes.scores(
        len(x), lambda rows: x[rows], lambda output, _: result.wish.margin(output)
    ):
        held[rows.cpu()] = margin.cpu() > 0
    reports = []
    for change, (plain, jpeg, *shifts) in zip(
        result.difference, held.view(len(variants), -1).T.tolist(), strict=True
    ):
        ways = dict(zip(SHIFTS, shifts, strict=True))
        reports.append(Honesty(high_frequency_share(change), plain, jpeg, ways))
    return reports


def high_frequency_share(change: Tensor) -> float:
    """The share of the energy of a change (C, H, W) above the cut-off; 0 of nothing."""
    energy = torch.fft.fft2(change.double()).abs().square()
    down, right = (torch.fft.fftfreq(side, dtype=torch.float64) for side in change.shape[1:])
    high = (down[:, None].square() + right.square()).sqrt() > CUTOFF
    total = float(energy.sum())
    return float(energy[:, high].sum()) / total if total else 0.0


def _compressed(pixels: Tensor) -> Tensor:
    """Pictures (k, C, H, W) after JPEG; channels that are no colours are compressed one by one."""
    planes = pixels if pixels.shape[1] == 3 else pixels.flatten(0, 1).unsqueeze(1)
    return torch.stack([_jpeg(plane) for plane in planes]).view_as(pixels).to(pixels)


def _jpeg(plane: Tensor) -> Tensor:
    mode = "RGB" if len(plane) == 3 else "L"
    buffer = io.BytesIO()
    PixelSpace().picture(plane).convert(mode).save(buffer, "JPEG", quality=QUALITY)
    data = torch.from_numpy(np.array(Image.open(buffer), np.float32) / 255)
    return data.unsqueeze(0) if mode == "L" else data.permute(2, 0, 1)


def _moved(tensor: Tensor, down: int, right: int) -> Tensor:
    """Pictures moved by a pixel, the edge repeated."""
    height, width = tensor.shape[2:]
    rows = (torch.arange(height) - down).clamp(0, height - 1)
    columns = (torch.arange(width) - right).clamp(0, width - 1)
    return tensor[:, :, rows][:, :, :, columns]


__all__ = ["Honesty", "examined", "high_frequency_share", "honesty"]
