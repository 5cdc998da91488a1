"""Features of pictures at layers: computed once for each picture, kept by what they depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.cav import Space
from nbxplain.core.layers import Layer
from nbxplain.core.passes import Passes
from nbxplain.core.target import Target

BATCH = 64
"""Pictures that are decoded and held at a time."""


@dataclass
class Seen:
    """Features of one batch of pictures: hashes (n), and (n, d) at each layer."""

    hashes: list[str]
    features: dict[str, Tensor]


class FeatureCache:
    """Features by weights, layer, space and picture. With a folder they outlive the session.

    The keys are hashes of what a feature depends on: a model that changed never gets old ones.
    Files are .npz without pickle, one for each (weights, layer, space).
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self._folder = None if folder is None else Path(folder)
        self._shelves: dict[str, dict[str, Tensor]] = {}

    def shelf(self, weights: str, layer: str, space: Space) -> dict[str, Tensor]:
        """The known features by the pictures' hashes; what is put there is kept."""
        name = hashlib.sha256(f"{weights}/{layer}/{space}".encode()).hexdigest()[:24]
        if name not in self._shelves:
            self._shelves[name] = self._read(name)
        return self._shelves[name]

    def save(self) -> None:
        """Writes everything to the folder, if there is one."""
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        for name, shelf in self._shelves.items():
            if shelf:
                keys = np.array(list(shelf))
                values = torch.stack(list(shelf.values())).numpy()
                np.savez(self._folder / f"{name}.npz", keys=keys, values=values)

    def _read(self, name: str) -> dict[str, Tensor]:
        path = None if self._folder is None else self._folder / f"{name}.npz"
        if path is None or not path.is_file():
            return {}
        try:
            with np.load(path, allow_pickle=False) as archive:
                keys, values = archive["keys"].tolist(), torch.from_numpy(archive["values"])
        except (OSError, ValueError, KeyError):
            return {}  # a broken file costs the passes that it would have saved
        return dict(zip(keys, values, strict=True))


@dataclass
class Reader:
    """Reads pictures at layers of a model, each picture once."""

    adapter: ModelAdapter
    layers: list[Layer]
    space: Space
    passes: Passes
    cache: FeatureCache = field(default_factory=FeatureCache)

    def seen(self, pictures: Sequence[Any] | Tensor) -> Iterator[Seen]:
        """Features batch by batch: only one batch of pictures is decoded at a time."""
        weights = str(self.adapter.weight_hash)
        shelves = {
            layer.name: self.cache.shelf(weights, layer.name, self.space) for layer in self.layers
        }
        for start in range(0, len(pictures), BATCH):
            tensor = self.adapter.read(pictures[start : start + BATCH]).tensor
            hashes = [picture_hash(row) for row in tensor]
            new = [
                number
                for number, key in enumerate(hashes)
                if any(key not in shelf for shelf in shelves.values())
            ]
            if new:
                self._fill(tensor[new], [hashes[number] for number in new], shelves)
            yield Seen(
                hashes,
                {
                    name: torch.stack([shelf[key] for key in hashes])
                    for name, shelf in shelves.items()
                },
            )

    def _fill(
        self, tensor: Tensor, hashes: list[str], shelves: dict[str, dict[str, Tensor]]
    ) -> None:
        names = [layer.name for layer in self.layers]
        for part in self.passes.layered(len(tensor), lambda rows: tensor[rows], names):
            for layer in self.layers:
                read = pooled(layer, part.activations[layer.name], self.space)
                for row, feature in zip(part.rows.tolist(), read.cpu(), strict=True):
                    # A clone: a view would keep the whole batch alive.
                    shelves[layer.name][hashes[row]] = feature.clone()

    def slopes(self, tensor: Tensor, target: Target) -> Iterator[dict[str, Tensor]]:
        """The score's derivative (n, d) along each feature, at each layer, chunk by chunk."""
        names = [layer.name for layer in self.layers]
        parts = self.passes.layered(len(tensor), lambda rows: tensor[rows], names, target.score)
        for part in parts:
            yield {
                layer.name: total(layer, part.gradients[layer.name], self.space).cpu()
                for layer in self.layers
            }


def pooled(layer: Layer, activation: Tensor, space: Space) -> Tensor:
    """Features (n, d) of activations (n, ...)."""
    if space == "cells" or layer.grid is None:
        return activation.flatten(1)
    return layer.maps(activation).mean((2, 3))


def total(layer: Layer, gradient: Tensor, space: Space) -> Tensor:
    """The derivative (n, d) of the score when a feature grows at all places alike."""
    if space == "cells" or layer.grid is None:
        return gradient.flatten(1)
    return layer.maps(gradient).sum((2, 3))


def picture_hash(row: Tensor) -> str:
    """What a picture is to the model: a hash of the tensor that is fed."""
    return hashlib.sha256(row.detach().cpu().contiguous().numpy().tobytes()).hexdigest()[:32]


__all__ = ["FeatureCache", "Reader", "Seen", "picture_hash", "pooled", "total"]
