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
        shelves = self._shelves("")
        for tensor in decoded(self.adapter, pictures):
            hashes = [picture_hash(row) for row in tensor]
            new = _missing(hashes, shelves)
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

    def slopes(self, tensor: Tensor, target: Target) -> dict[str, Tensor]:
        """The score's derivatives (n, d) along each feature, at each layer.

        Each picture once where all have the same classes for a target; of a callable nobody knows
        whether it is the same again.
        """
        classes = {*zip(target.index, target.against, strict=True)}
        kept = target.function is None and len(classes) == 1
        shelves: dict[str, dict[str, Tensor]] = {layer.name: {} for layer in self.layers}
        if kept:
            shelves = self._shelves(f"score {classes}")
        # Without a target that has a name pictures are told by their place.
        keys = [picture_hash(row) if kept else str(n) for n, row in enumerate(tensor)]
        new = torch.tensor(_missing(keys, shelves), dtype=torch.long)
        if len(new):
            self._derive(tensor, target, new, keys, shelves)
        return {name: torch.stack([shelf[key] for key in keys]) for name, shelf in shelves.items()}

    def _derive(
        self,
        tensor: Tensor,
        target: Target,
        new: Tensor,
        keys: list[str],
        shelves: dict[str, dict[str, Tensor]],
    ) -> None:
        new = new.to(tensor.device)
        for part in self.passes.layered(
            len(new),
            lambda rows: tensor[new[rows]],
            list(shelves),
            lambda output, rows: target.score(output, new[rows]),
        ):
            for layer in self.layers:
                read = total(layer, part.gradients[layer.name], self.space)
                for row, slope in zip(part.rows.tolist(), read.cpu(), strict=True):
                    shelves[layer.name][keys[new[row]]] = slope.clone()

    def _shelves(self, of: str) -> dict[str, dict[str, Tensor]]:
        """What is known at each layer: features, or derivatives `of` a score."""
        weights = str(self.adapter.weight_hash)
        return {
            layer.name: self.cache.shelf(weights, f"{layer.name}{of}", self.space)
            for layer in self.layers
        }


def decoded(adapter: ModelAdapter, pictures: Any) -> Iterator[Tensor]:
    """Pictures as the model is fed them, (n, C, H, W), one batch at a time; or a single one."""
    several = pictures.ndim == 4 if isinstance(pictures, Tensor) else isinstance(pictures, Sequence)
    if not several or isinstance(pictures, str):
        yield adapter.read(pictures).tensor
        return
    # Only a slice of a lazy Sequence is decoded. An empty one is the adapter's to refuse.
    for start in range(0, max(1, len(pictures)), BATCH):
        yield adapter.read(pictures[start : start + BATCH]).tensor


def _missing(keys: Sequence[str], shelves: dict[str, dict[str, Tensor]]) -> list[int]:
    """Places of the keys that are not on every shelf."""
    return [n for n, key in enumerate(keys) if any(key not in s for s in shelves.values())]


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


__all__ = ["FeatureCache", "Reader", "Seen", "decoded", "picture_hash", "pooled", "total"]
