"""What a user gathers to test concepts with: the half of the Concepts panel that tests nothing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from nbxplain.concepts.controls import Control, controls
from nbxplain.core.errors import ExplanationError, InputError
from nbxplain.core.jobs import Progress
from nbxplain.widget.panels.panel import Panel
from nbxplain.widget.panels.tray import Example, Tray, named, several
from nbxplain.widget.protocol import Gathered
from nbxplain.widget.study import Study

SOURCES = 64
"""Pictures that controls are made of, at most."""
MOST_CONTROLS = 500
SMALLEST_CROP = 8
"""Pixels of a side."""


class Gathering(Panel[Progress]):
    """Concepts with their examples, random pictures, pictures of the class."""

    _tray: Tray | None = None

    @abstractmethod
    def _changed(self) -> None:
        """Pictures came or went."""

    @property
    def names(self) -> list[str]:
        """The names of the concepts, in the order in which they were added."""
        return [] if self._tray is None else list(self._tray.concepts)

    def add(self, name: str, pictures: Any = ()) -> None:
        """Makes a concept, with its first examples if they are at hand."""
        if named(name) in self.names:
            raise InputError(f"There is a concept {named(name)!r} already.", "Use add_examples.")
        self._take("concept", name, pictures)

    def add_examples(self, name: str, pictures: Any) -> None:
        """More examples of a concept."""
        self._gathered().pile("concept", name)
        self._take("concept", name, pictures)

    def crop(self, name: str, box: Sequence[int]) -> None:
        """A part of the explained picture as an example: left, top, right, bottom in its pixels."""
        self._put("concept", name, [self._cropped(box)])

    def random_set(self, pictures: Any) -> None:
        """Random pictures, which concepts stand against, in place of those that were there."""
        self._take("random", "", pictures, instead=True)

    def generate_controls(
        self, n: int = 60, kind: Control = "scrambled", seed: int | None = None
    ) -> None:
        """Random pictures made of those that were gathered: see concepts/controls.py.

        seed: by default how many random pictures there are, so that others are made each time.
        """
        tray = self._gathered()
        if not 1 <= n <= MOST_CONTROLS:
            raise InputError(f"{n} random pictures cannot be made.", f"Give 1 to {MOST_CONTROLS}.")
        explained = self._study.setting.inputs.tensor[0]
        sources = [explained, *tray.fed(list(tray.everything())[:SOURCES])]
        seed = len(tray.random) if seed is None else seed
        made = controls(torch.stack(sources), n, kind, seed)
        names = (f"{kind} {number}" for number in range(1, n + 1))
        self._put("random", "", [tray.read(*pair) for pair in zip(names, made, strict=True)])

    def class_pictures(self, pictures: Any) -> None:
        """Pictures of the explained class, in place of those that were there.

        The explained picture counts as one where it is predicted as that class.
        """
        self._take("class", "", pictures, instead=True)

    def rename(self, name: str, new: str) -> None:
        """Gives a concept another name."""
        self._gathered().rename(name, new)
        self._changed()

    def remove(self, name: str) -> None:
        """Removes a concept with its examples."""
        self._gathered().remove(name)
        self._changed()

    @property
    def _study(self) -> Study:
        study = self._explorer._study
        if study is None:
            raise InputError("There is no picture.", "See the card in the widget.")
        if study.setting.inputs.is_table:
            raise InputError("Concepts are shown by pictures.", "A row of a table has none.")
        return study

    def _gathered(self) -> Tray:
        study = self._study
        if self._tray is None:
            self._tray = Tray(self._explorer._adapter, study.setting.inputs)
        return self._tray

    def _take(self, into: Gathered, concept: str, given: Any, instead: bool = False) -> None:
        """Takes pictures that the user gave: all or none."""
        tray = self._gathered()
        self._put(into, concept, [tray.read(*pair) for pair in several(given)], instead)

    def _put(
        self, into: Gathered, concept: str, examples: Sequence[Example], instead: bool = False
    ) -> None:
        tray = self._gathered()
        concept = named(concept) if into == "concept" else ""
        with self._explorer._lock:
            new = into == "concept" and concept not in tray.concepts
            pile = tray.add(concept) if into == "concept" else tray.pile(into)
            before = list(pile)
            if instead:
                pile.clear()
            try:
                for example in examples:
                    tray.put(into, concept, example)
            except ExplanationError:
                pile[:] = before
                if new:
                    tray.remove(concept)
                raise
        self._changed()

    def _cropped(self, box: Sequence[int]) -> Example:
        left, top, right, bottom = (int(side) for side in box)
        tensor = self._study.setting.inputs.tensor
        height, width = tensor.shape[2:]
        left, right = max(0, left), min(width, right)
        top, bottom = max(0, top), min(height, bottom)
        if min(right - left, bottom - top) < SMALLEST_CROP:
            raise InputError(
                f"A crop of {max(0, right - left)} × {max(0, bottom - top)} pixels shows nothing.",
                f"Take at least {SMALLEST_CROP} × {SMALLEST_CROP} pixels of {width} × {height}.",
            )
        part = tensor[:, :, top:bottom, left:right]
        size = (int(height), int(width))
        fed = torch.nn.functional.interpolate(
            part, size, mode="bilinear", align_corners=False, antialias=True
        )
        name = f"crop {left}, {top} to {right}, {bottom}"
        return self._gathered().read(name, fed[0])

    def _of_class(self, tray: Tray) -> list[tuple[Tensor, Image.Image]]:
        """Pictures of the class as they are fed, and small: the explained one, if it is one."""
        explained = tray.read("the explained picture", self._study.setting.inputs.tensor[0])
        known = {example.digest for example in tray.pictures}
        first = [explained] if self._counts() and explained.digest not in known else []
        examples = [*first, *tray.pictures]
        fed = tray.fed(examples)
        return [(fed[n : n + 1], example.square) for n, example in enumerate(examples)]

    def _counts(self) -> bool:
        """Whether the explained picture is predicted as the explained class."""
        best = self._study.setting.prediction.top(1)
        target = self._explorer.target
        index = target["index"] if isinstance(target, dict) else target
        return isinstance(index, str) or bool(best and best[0].index == index)

    def _wanting(self, tray: Tray) -> list[str]:
        """What is missing before anything can be tested."""
        missing = []
        if not tray.ready:
            fewest, enough = tray.needed("concept")
            have = ", ".join(f"{name} has {len(pile)}" for name, pile in tray.concepts.items())
            missing.append(
                f"No concept has the {fewest} examples that it needs ({enough} or more are "
                f"better){': ' + have if have else ''}."
            )
        fewest, enough = tray.needed("random")
        if len(tray.random) < fewest:
            missing.append(
                f"There are {len(tray.random)} random pictures; {fewest} are needed, {enough} are "
                "better: chance is measured by sets of a concept's size drawn from them."
            )
        fewest, enough = tray.needed("class")
        count = len(tray.pictures) + self._counts()
        if count < fewest:
            missing.append(
                f"There are {count} pictures of {self._target_name()}; {fewest} are needed, "
                f"{enough} are better: the score is the share of them that the concept supports."
            )
        return missing

    def _target_name(self) -> str:
        explorer, study = self._explorer, self._study
        return study.targeted(explorer._spec(), explorer._function).names[0]
