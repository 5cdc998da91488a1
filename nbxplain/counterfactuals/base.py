"""What all counterfactuals have in common, whether they are rows or pictures."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from nbxplain.core.errors import InputError

if TYPE_CHECKING:
    from nbxplain.figure import Drawing


class Counterfactual(ABC):
    """Something that the model decides as desired, near what was asked about.

    `valid` says of each whether it is predicted as desired. `provenance` says what is needed to get
    the same again: versions, model and weights, parameters, seed.
    """

    valid: Tensor
    provenance: dict[str, Any]

    @property
    def validity(self) -> float:
        """The share that is predicted as desired."""
        return float(self.valid.double().mean())

    @abstractmethod
    def figure(self, **options: Any) -> Drawing:
        """A figure; options as in nbxplain.figure.Style."""

    @abstractmethod
    def code(self) -> str:
        """The call that gives the same again; `model` and the input have to be named as there."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Everything that is small, as JSON."""

    def save(self, path: str | Path, **options: Any) -> Path:
        """Writes a figure (.png, .svg, .pdf) or the numbers (.json); returns the path.

        Every format carries the provenance. Options are those of `figure`. Raises InputError for
        other suffixes.
        """
        path = Path(path)
        path.write_bytes(self.encode(path.suffix.lstrip(".").lower(), **options))
        return path

    def encode(self, format: str, **options: Any) -> bytes:
        """The bytes of a file of one of the formats of `save`."""
        if format == "json":
            return json.dumps(self.describe(), indent=1).encode()
        if format in ("png", "svg", "pdf"):
            from nbxplain.figure import encode

            return encode(self.figure(**options), format, self.provenance)
        raise InputError(
            f"Cannot write {format or 'a file without suffix'}.",
            "Choose one of .png, .svg, .pdf, .json.",
        )


__all__ = ["Counterfactual"]
