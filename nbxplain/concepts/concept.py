"""A concept: a name, and pictures that show it."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel
from torch import Tensor

from nbxplain.core.cav import CAV
from nbxplain.core.errors import InputError
from nbxplain.core.inputs import as_picture, open_picture

if TYPE_CHECKING:
    from nbxplain.concepts.result import ConceptScore

FILE, EXAMPLES, CAVS = "concept.json", "examples.npz", "cavs.npz"
MOST = 10_000
"""Examples that a saved concept may name."""
LONGEST, LARGEST = 1 << 22, 1 << 31
"""Bytes of concept.json, and that an .npz may unpack to."""


@dataclass(frozen=True)
class Concept:
    """What is tested: examples that have something in common.

    examples: pictures as `explain` takes them (PIL pictures, paths, arrays), the path of a folder
    of them, or a tensor (N, C, H, W) that is fed as it is. cavs: its directions by layer, where
    they are known. Raises InputError when there is no example.
    """

    name: str
    examples: Sequence[Any] | Tensor
    cavs: Mapping[str, CAV] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not str(self.name).strip():
            raise InputError("A concept needs a name.", 'For example Concept("striped", pictures).')
        object.__setattr__(self, "examples", pictures_of(self.examples))
        if len(self.examples) == 0:
            raise InputError(
                f"The concept {self.name!r} has no examples.",
                "Give a list of pictures or a tensor (N, C, H, W).",
            )

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def cav(self) -> CAV:
        """Its only direction. Raises InputError where it has none, or several."""
        return self.at(None)

    def at(self, layer: str | None) -> CAV:
        """Its direction at a layer; None is the only one. Raises InputError."""
        fitting = [cav for name, cav in self.cavs.items() if layer in (None, name)]
        if len(fitting) == 1:
            return fitting[0]
        known = ", ".join(self.cavs)
        raise InputError(
            f"The concept {self.name!r} has no direction at {layer!r}."
            if layer is not None or not known
            else f"The concept {self.name!r} has directions at several layers.",
            f"Choose one of {known}." if known else "Find it with nbxplain.tcav.",
        )

    def named(self, name: str) -> Self:
        """The same by another name, its directions too."""
        return replace(self, name=name).knowing(self.cavs.values())

    def knowing(self, cavs: Iterable[CAV]) -> Self:
        """The same with more directions, called by its name; one a layer."""
        named = {cav.layer: cav.model_copy(update={"name": self.name}) for cav in cavs}
        return replace(self, cavs={**self.cavs, **named})

    def save(self, folder: str | Path) -> Path:
        """Writes the examples as PNG files (or, for a tensor, one .npz), the directions as one
        .npz, and a concept.json."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(self.examples, Tensor):
            files = [EXAMPLES]
            np.savez_compressed(folder / EXAMPLES, examples=self.examples.cpu().numpy())
        else:
            files = [f"{number:04d}.png" for number in range(len(self.examples))]
            for file, example in zip(files, self.examples, strict=True):
                as_picture(example, []).save(folder / file)
        about = [cav.model_dump(mode="json", exclude={"data"}) for cav in self.cavs.values()]
        if about:
            arrays = {str(n): cav.direction.numpy() for n, cav in enumerate(self.cavs.values())}
            np.savez_compressed(folder / CAVS, **arrays)  # type: ignore[arg-type]
        said = {"name": self.name, "examples": files, "cavs": about}
        (folder / FILE).write_text(json.dumps(said, indent=1), encoding="utf-8")
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Reads what `save` wrote, or any folder of pictures, named after it. Raises InputError."""
        folder = Path(folder)
        if not (folder / FILE).is_file():
            return cls(folder.name, [open_picture(file) for file in files_in(folder)])
        said = _said(folder)
        examples = (
            _tensor(folder / EXAMPLES)
            if said.examples == [EXAMPLES]
            else [open_picture(folder / file) for file in said.examples]
        )
        return cls(said.name, examples).knowing(_cavs(folder, said.cavs))


def pictures_of(given: Any) -> Any:
    """The pictures in a folder (those of a saved concept too) where a path is given; anything else
    as it is. Raises InputError."""
    if not isinstance(given, str | Path):
        return given
    saved = (Path(given) / FILE).is_file()
    return Concept.load(given).examples if saved else files_in(given)


def files_in(folder: str | Path) -> list[Path]:
    """The files of a folder, by name, but hidden ones. Raises InputError where there are none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(
            f"There is no folder {str(folder)!r}.",
            "Check the path, or give a list of pictures or a tensor (N, C, H, W).",
        )
    files = [p for p in folder.iterdir() if p.is_file() and p.name[0] != "."]
    if not files:
        raise InputError(
            f"There are no pictures in {str(folder)!r}.", "Give the folder that the files are in."
        )
    _bounded(len(files), folder)
    return sorted(files)


def cav_of(concept: CAV | ConceptScore | Concept, layer: str | None = None) -> CAV:
    """The direction of whatever has one; a Concept may have several. Raises InputError."""
    if isinstance(concept, Concept):
        return concept.at(layer)
    found = getattr(concept, "cav", concept)
    if not isinstance(found, CAV):
        raise InputError(
            f"A {type(concept).__name__} has no direction.",
            "Give a CAV, a score of nbxplain.tcav, or a Concept that knows its directions.",
        )
    if layer not in (None, found.layer):
        raise InputError(
            f"{found.name!r} is a direction at {found.layer!r}, not at {layer!r}.",
            f"Leave layer out, or find the concept at {layer!r}.",
        )
    return found


class _Said(BaseModel):
    """What concept.json may hold."""

    name: str
    examples: list[str]
    cavs: list[dict[str, Any]] = []


def _said(folder: Path) -> _Said:
    file = folder / FILE
    try:
        if file.stat().st_size > LONGEST:
            raise ValueError(f"it is longer than {LONGEST} bytes")
        said = _Said.model_validate_json(file.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(
            f"{FILE} in {str(folder)!r} cannot be read: {error}", "Save it again."
        ) from error
    if any(Path(name).name != name for name in said.examples):
        raise InputError(f"{FILE} names files outside its folder.", "Save it again.")
    _bounded(len(said.examples), folder)
    return said


def _bounded(count: int, folder: Path) -> None:
    """Raises InputError for more files than a concept may have."""
    if count > MOST:
        raise InputError(
            f"There are {count} files in {str(folder)!r}.", f"At most {MOST} make a concept."
        )


def _tensor(path: Path) -> Tensor:
    examples = _arrays(path).get("examples")
    if examples is None or examples.dtype.kind != "f" or examples.ndim < 2:
        raise InputError(f"{path.name!r} holds no examples.", "Save it again.")
    return torch.from_numpy(examples)


def _cavs(folder: Path, about: list[dict[str, Any]]) -> list[CAV]:
    if not about:
        return []
    arrays = _arrays(folder / CAVS)
    try:
        return [CAV.of(direction=arrays[str(n)], **fields) for n, fields in enumerate(about)]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{CAVS!r} does not fit {FILE}: {error}", "Save it again.") from error


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz; how much they unpack to is looked at before. Raises InputError."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > LARGEST:
                raise ValueError(f"it unpacks to more than {LARGEST} bytes")
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise InputError(f"{path.name!r} cannot be read: {error}", "Save it again.") from error


__all__ = ["Concept", "cav_of", "files_in", "pictures_of"]
