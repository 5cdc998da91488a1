"""Games of the pretrained network: the value of every coalition of the regions of a picture.

    python -m tests.benchmarks.games

computes them again (half an hour on two cores) and writes games.npz, which holds for each game an
array of 2^n values: that of the coalition in which player i is there if bit i of the index is set.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from nbxplain import Regions, demo
from nbxplain.core.adapter import ModelAdapter

FILE = Path(__file__).with_name("games.npz")
BATCH = 32

GAMES: dict[str, tuple[str, Regions]] = {
    "cat, 14 superpixels": ("cat", Regions.superpixels(19)),
    "palace, 10 superpixels": ("palace", Regions.superpixels(13)),
    "espresso, 12 superpixels": ("espresso", Regions.superpixels(14)),
    "espresso, 16 cells": ("espresso", Regions.grid(4, 4)),
}
"""The picture and its players; what is absent is black, the score is that of the first class."""


@dataclass
class Cached:
    """A game whose values (2^n,) are known."""

    values: NDArray[np.float64]

    @property
    def players(self) -> int:
        return int(self.values.size).bit_length() - 1

    def __call__(self, coalitions: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The values of coalitions (m, n)."""
        return self.values[coalitions @ (1 << np.arange(self.players))]


def load() -> dict[str, Cached]:
    """The games of games.npz by name."""
    with np.load(FILE) as file:
        return {name: Cached(file[name].astype(np.float64)) for name in file.files}


def values(name: str) -> NDArray[np.float32]:
    """All values of a game, from the network."""
    picture, regions = GAMES[name]
    model = demo.network()
    inputs = ModelAdapter(model).read(demo.pictures()[picture])
    x, labels = inputs.tensor, regions.labels_for(inputs, inputs.tensor.device)[0]
    space = inputs.pixels
    assert space is not None
    black = space.to_model(torch.zeros_like(x))
    bits = torch.arange(int(labels.max()) + 1)
    with torch.inference_mode():
        best = int(model(x).argmax())
        parts = []
        for index in torch.arange(1 << len(bits)).split(BATCH):
            present = (index.unsqueeze(1) >> bits) & 1 == 1
            kept = present[:, labels].unsqueeze(1)
            batch = torch.where(kept, x, black).contiguous(memory_format=torch.channels_last)
            parts.append(model(batch)[:, best])
    return torch.cat(parts).numpy()


def main() -> None:
    """Computes every game and writes the file."""
    games = {}
    for name in GAMES:
        games[name] = values(name)
        print(name, len(games[name]), flush=True)
        np.savez_compressed(FILE, **games)


if __name__ == "__main__":
    main()
