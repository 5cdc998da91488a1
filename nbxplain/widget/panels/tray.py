"""The pictures that were gathered to test concepts with: examples, random ones, ones of the class.

Each is read by the model's preprocessing when it comes in, so that what cannot be read is refused
there, by name. Files stay as the bytes they came in and are decoded again when they are needed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from nbxplain.concepts.concept import Concept, files_in
from nbxplain.concepts.features import picture_hash
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs, PixelSpace, open_picture
from nbxplain.widget import wire
from nbxplain.widget.protocol import Gathered, Picture, Pile

MOST = 1000
"""Pictures in one pile."""
MOST_CONCEPTS = 24
ROOM = 500_000_000
"""Bytes of files that are kept."""
LONGEST_NAME = 60
SHOWN, SQUARE = 10, 40
"""Pictures of a pile that are shown, and the pixels of a side: a saved notebook holds them all."""

FEWEST: dict[Gathered, int] = {"concept": 4, "random": 8, "class": 5}
ENOUGH: dict[Gathered, int] = {"concept": 10, "random": 40, "class": 20}
"""Below the former nothing can be tested, from the latter on scores are steady. Of random pictures
more are needed where a concept has more examples: see concepts/sets.py."""

WHERE: dict[Gathered, str] = {
    "concept": "",
    "random": "the random pictures",
    "class": "the pictures of the class",
}


@dataclass(frozen=True)
class Example:
    """One picture: what `adapter.read` takes (or the bytes of a file), what the model sees of it,
    and a small square of it."""

    name: str
    given: Any
    digest: str
    square: Image.Image

    def item(self) -> Any:
        """What `adapter.read` takes."""
        if isinstance(self.given, bytes):
            return open_picture(Path(self.name), io.BytesIO(self.given))
        return self.given


class Fed(Sequence[Tensor]):
    """Examples as the model is fed them; a slice (n, C, H, W) is read when it is asked for."""

    def __init__(self, adapter: ModelAdapter, examples: Sequence[Example]) -> None:
        self._adapter, self._examples = adapter, list(examples)

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, at: Any) -> Any:
        chosen = self._examples[at]
        if isinstance(chosen, Example):
            return self._read(chosen)
        return torch.stack([self._read(example) for example in chosen])

    def _read(self, example: Example) -> Tensor:
        return self._adapter.read(example.item()).tensor[0]


class Tray:
    """Piles of examples, read and seen as the explained picture is."""

    def __init__(self, adapter: ModelAdapter, explained: Inputs) -> None:
        self.adapter = adapter
        self.explain(explained)
        self.concepts: dict[str, list[Example]] = {}
        self.random: list[Example] = []
        self.pictures: list[Example] = []

    def explain(self, explained: Inputs) -> None:
        """Another picture is explained: what is read from now on is read as it was."""
        self.shape = tuple(explained.tensor.shape[1:])
        self.view = explained.view or PixelSpace()

    def read(self, name: str, given: Any) -> Example:
        """One picture, as the model sees it. Raises InputError, naming it."""
        try:
            item = (
                open_picture(Path(name), io.BytesIO(given)) if isinstance(given, bytes) else given
            )
            inputs = self.adapter.read(item)
        except InputError as error:
            title = error.title if repr(name) in error.title else f"{name!r}: {error.title}"
            raise InputError(title, error.hint) from error
        tensor = inputs.tensor[0]
        if tuple(tensor.shape) != self.shape:
            raise InputError(
                f"{name!r} becomes {tuple(tensor.shape)}, the explained picture {self.shape}.",
                "Give preprocess= to the Explorer, so that all pictures are fed alike.",
            )
        return Example(name, given, picture_hash(tensor), self.square(tensor))

    def square(self, tensor: Tensor) -> Image.Image:
        """The middle of a picture (C, H, W) that is fed, small."""
        picture = self.view.picture(tensor)
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        box = (left, top, left + side, top + side)
        return picture.resize((SQUARE, SQUARE), Image.Resampling.BOX, box)

    def put(self, into: Gathered, concept: str, example: Example) -> None:
        """Lays an example on a pile; a concept that is not there yet is made. Raises InputError."""
        concept = named(concept) if into == "concept" else ""
        pile = self.add(concept) if into == "concept" else self.pile(into)
        if len(pile) >= MOST:
            raise InputError(f"There are {MOST} pictures already.", "Take some out first.")
        if self._kept() + _size(example) > ROOM:
            raise InputError(
                f"The pictures take more than {ROOM // 10**6} MB.", "Use fewer or smaller files."
            )
        self._check_new(into, concept, example)
        pile.append(example)

    def add(self, concept: str) -> list[Example]:
        """The pile of a concept, made if need be. Raises InputError."""
        name = named(concept)
        if name not in self.concepts:
            if len(self.concepts) >= MOST_CONCEPTS:
                raise InputError(
                    f"There are {MOST_CONCEPTS} concepts already.", "Remove one first."
                )
            self.concepts[name] = []
        return self.concepts[name]

    def rename(self, concept: str, name: str) -> None:
        """Gives a concept another name; its place stays. Raises InputError."""
        new = named(name)
        self.pile("concept", concept)
        if new != concept and new in self.concepts:
            raise InputError(f"There is a concept {new!r} already.", "Choose another name.")
        self.concepts = {new if k == concept else k: pile for k, pile in self.concepts.items()}

    def remove(self, concept: str) -> None:
        """Removes a concept with its examples. Raises InputError."""
        self.pile("concept", concept)
        del self.concepts[concept]

    def take_out(self, into: Gathered, concept: str, index: int) -> None:
        """Takes one picture out of a pile, or all (-1). Raises InputError."""
        pile = self.pile(into, concept)
        if index >= len(pile) or index < -1:
            raise InputError(f"There is no picture {index}.", f"There are {len(pile)}.")
        pile[:] = [] if index == -1 else pile[:index] + pile[index + 1 :]

    def pile(self, into: Gathered, concept: str = "") -> list[Example]:
        """The examples of a pile. Raises InputError where there is no such concept."""
        if into == "random":
            return self.random
        if into == "class":
            return self.pictures
        if concept not in self.concepts:
            known = ", ".join(map(repr, self.concepts)) or "none"
            raise InputError(f"There is no concept {concept!r}.", f"There are: {known}.")
        return self.concepts[concept]

    def everything(self) -> Iterator[Example]:
        """All examples of concepts, and all pictures of the class."""
        for pile in (*self.concepts.values(), self.pictures):
            yield from pile

    def concept(self, name: str) -> Concept:
        """A concept as an object that can be tested, saved and loaded. Raises InputError."""
        items = [example.item() for example in self.pile("concept", name)]
        if any(isinstance(item, Tensor) for item in items):
            return Concept(name, Fed(self.adapter, self.concepts[name])[:])
        return Concept(name, items)

    def fed(self, pile: Sequence[Example]) -> Fed:
        """Examples as the model is fed them."""
        return Fed(self.adapter, pile)

    @property
    def ready(self) -> list[str]:
        """The concepts that have enough examples to be tested."""
        return [n for n, pile in self.concepts.items() if len(pile) >= FEWEST["concept"]]

    def needed(self, into: Gathered) -> tuple[int, int]:
        """How many pictures a pile must and should have."""
        fewest, enough = FEWEST[into], ENOUGH[into]
        if into == "random":
            largest = max(map(len, self.concepts.values()), default=0)
            return max(fewest, largest + FEWEST["concept"]), max(enough, 2 * largest)
        return fewest, enough

    def shown(self, into: Gathered, concept: str = "") -> Pile:
        """A pile as the page sees it."""
        pile = self.pile(into, concept)
        fewest, enough = self.needed(into)
        return {
            "name": concept,
            "count": len(pile),
            "fewest": fewest,
            "enough": enough,
            "shown": min(len(pile), SHOWN),
            "strip": strip([example.square for example in pile[:SHOWN]]),
        }

    def _kept(self) -> int:
        return sum(map(_size, (*self.everything(), *self.random)))

    def _check_new(self, into: Gathered, concept: str, example: Example) -> None:
        """A picture can be on one side only, and once. Pictures of the class stand aside."""
        piles = {(into, concept): self.pile(into, concept)}
        if into != "class":
            piles |= {("random", ""): self.random}
            piles |= {("concept", name): pile for name, pile in self.concepts.items()}
        for (kind, name), pile in piles.items():
            same = next((other for other in pile if other.digest == example.digest), None)
            if same is not None:
                where = WHERE[kind] or repr(name)
                raise InputError(
                    f"{example.name!r} is in {where} already, as {same.name!r}.",
                    "A picture can stand on one side only, and once.",
                )


def _size(example: Example) -> int:
    """Bytes of what came from the page; what the user holds anyway is not counted."""
    return len(example.given) if isinstance(example.given, bytes) else 0


def named(name: str) -> str:
    """A name as it is kept. Raises InputError for an empty one."""
    kept = " ".join(str(name).split())[:LONGEST_NAME]
    if not kept:
        raise InputError("A concept needs a name.", "For example 'striped'.")
    return kept


def strip(squares: Sequence[Image.Image]) -> Picture | None:
    """Small pictures side by side in one file, which is smaller than one file for each."""
    if not squares:
        return None
    canvas = Image.new("RGB", (SQUARE * len(squares), SQUARE))
    for number, square in enumerate(squares):
        canvas.paste(square, (number * SQUARE, 0))
    return wire.picture(canvas, quality=65)


def several(given: Any) -> list[tuple[str, Any]]:
    """Names and pictures of whatever the user gave: a folder, a tensor (N, C, H, W), a Concept, a
    picture, or a list of these. Raises InputError."""
    if isinstance(given, Concept):
        given = given.examples
    if isinstance(given, Tensor):
        rows = given if given.ndim == 4 else given.unsqueeze(0)
        return [(f"tensor {number}", row) for number, row in enumerate(rows, 1)]
    if isinstance(given, str | Path):
        path = Path(given)
        if path.is_dir():
            return [(file.name, file) for file in files_in(path)]
        return [(path.name, path)]
    if isinstance(given, Sequence):
        return [pair for item in given for pair in several(item)]
    return [("a picture", given)]


__all__ = ["Example", "Fed", "Tray", "named", "several", "strip"]
