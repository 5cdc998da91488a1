"""Random pictures made of given ones, where no others are at hand.

What a concept stands against should be as its pictures are in all but the concept. Scrambled
pictures have their colours and local textures and no shapes; noise has their colours and spectrum
and nothing else. Pictures of the world are better than both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor

from nbxplain.core.errors import InputError

Control = Literal["scrambled", "noise"]

PATCHES = 8
"""Patches a side."""


def controls(pictures: Tensor, count: int, kind: Control, seed: int = 0) -> Tensor:
    """Random pictures (count, C, H, W) made of pictures (N, C, H, W), in their units.

    Raises InputError.
    """
    if kind not in get_args(Control):
        raise InputError(f"There are no controls {kind!r}.", "Choose 'scrambled' or 'noise'.")
    if pictures.ndim != 4 or len(pictures) == 0 or count < 1:
        raise InputError(
            f"{count} controls cannot be made of a tensor of shape {tuple(pictures.shape)}.",
            "Give pictures (N, C, H, W) and a count of at least 1.",
        )
    make: dict[Control, Callable[[Tensor, int, torch.Generator], Tensor]] = {
        "scrambled": scrambled,
        "noise": noise,
    }
    return make[kind](pictures, count, torch.Generator().manual_seed(seed))


def scrambled(pictures: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Pictures laid out of patches of all the given ones; each place gets a patch of that place of
    some picture or of another place, alike."""
    height, width = pictures.shape[2:]
    rows, columns = min(PATCHES, height), min(PATCHES, width)
    # Sides that do not divide are filled up by patches that overlap a little.
    tall, wide = -(-height // rows), -(-width // columns)
    tops = torch.linspace(0, height - tall, rows).round().long()
    lefts = torch.linspace(0, width - wide, columns).round().long()
    made = pictures.new_empty(count, *pictures.shape[1:])
    for picture in made:
        owner = torch.randint(len(pictures), (rows, columns), generator=generator)
        order = torch.randperm(rows * columns, generator=generator).view(rows, columns)
        for row in range(rows):
            for column in range(columns):
                place = int(order[row, column])
                top, left = int(tops[place // columns]), int(lefts[place % columns])
                patch = pictures[owner[row, column], :, top : top + tall, left : left + wide]
                to_top, to_left = int(tops[row]), int(lefts[column])
                picture[:, to_top : to_top + tall, to_left : to_left + wide] = patch
    return made


def noise(pictures: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Noise with the spectrum of one of the given pictures each: its phases are turned by random
    angles, the same for all channels, so that the colours stay together (Galerne et al. 2011).
    Kept within the values that the pictures have."""
    owner = torch.randint(len(pictures), (count,), generator=generator)
    source = pictures[owner].double()
    white = torch.randn(count, 1, *source.shape[2:], generator=generator, dtype=torch.float64)
    angles = torch.fft.rfft2(white.to(source.device))
    turned = torch.fft.rfft2(source) * angles / angles.abs().clamp(min=1e-12)
    # The mean is a picture's colour; it has no phase to turn.
    turned[..., 0, 0] = torch.fft.rfft2(source)[..., 0, 0]
    made = torch.fft.irfft2(turned, s=source.shape[2:])
    low, high = (
        bound(pictures.double(), (0, 2, 3), keepdim=True) for bound in (torch.amin, torch.amax)
    )
    kept: Tensor = made.clamp(low, high).to(pictures)
    return kept


__all__ = ["Control", "controls"]
