"""A concept: a name, and pictures that show it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nbxplain.core.errors import InputError
from nbxplain.core.inputs import open_picture

FILE = "concept.json"
MOST = 10_000
"""Examples that a saved concept may name."""


@dataclass(frozen=True)
class Concept:
    """What is tested: examples that have something in common.

    examples: pictures as `explain` takes them (PIL pictures, paths, arrays), or a tensor
    (N, C, H, W) that is fed as it is. Raises InputError when there is none.
    """

    name: str
    examples: Sequence[Any] | Tensor

    def __post_init__(self) -> None:
        if not str(self.name).strip():
            raise InputError("A concept needs a name.", 'For example Concept("striped", pictures).')
        if isinstance(self.examples, str) or len(self.examples) == 0:
            raise InputError(
                f"The concept {self.name!r} has no examples.",
                "Give a list of pictures or a tensor (N, C, H, W).",
            )

    def __len__(self) -> int:
        return len(self.examples)

    def save(self, folder: str | Path) -> Path:
        """Writes the examples as PNG files (or, for a tensor, one .npz) and a concept.json."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(self.examples, Tensor):
            files = ["examples.npz"]
            np.savez_compressed(folder / files[0], examples=self.examples.cpu().numpy())
        else:
            files = [f"{number:04d}.png" for number in range(len(self.examples))]
            for file, example in zip(files, self.examples, strict=True):
                _picture(example).save(folder / file)
        (folder / FILE).write_text(json.dumps({"name": self.name, "examples": files}, indent=1))
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Reads what `save` wrote, or any folder of pictures, named after it. Raises InputError."""
        folder = Path(folder)
        if not folder.is_dir():
            raise InputError(f"There is no folder {str(folder)!r}.", "Check the path.")
        if (folder / FILE).is_file():
            name, files = _named(folder)
        else:
            name, files = folder.name, sorted(p.name for p in folder.iterdir() if p.is_file())
        if files == ["examples.npz"]:
            return cls(name, _tensor(folder / files[0]))
        return cls(name, [open_picture(folder / file) for file in files])


def _named(folder: Path) -> tuple[str, list[str]]:
    try:
        said = json.loads((folder / FILE).read_text(encoding="utf-8"))
        name, files = str(said["name"]), [str(file) for file in said["examples"]]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{FILE} in {str(folder)!r} cannot be read: {error}") from error
    outside = [file for file in files if Path(file).name != file]
    if outside or len(files) > MOST:
        raise InputError(f"{FILE} names files outside its folder or too many.", "Save it again.")
    return name, files


def _tensor(path: Path) -> Tensor:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return torch.from_numpy(archive["examples"])
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path.name!r} holds no examples: {error}", "Save it again.") from error


def _picture(example: Any) -> Image.Image:
    if isinstance(example, Image.Image):
        return example
    if isinstance(example, str | Path):
        return open_picture(Path(example))
    array = np.asarray(example)
    if array.dtype != np.uint8:
        array = (array * 255).round().clip(0, 255).astype(np.uint8)
    return Image.fromarray(array)


__all__ = ["Concept"]
