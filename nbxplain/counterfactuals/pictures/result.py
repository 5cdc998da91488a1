"""Pictures that are decided as desired: what changed, where, and how honest that is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor

from nbxplain.core.counting import numbered
from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs
from nbxplain.core.pixels import PixelSpace
from nbxplain.core.regions import Regions
from nbxplain.counterfactuals.base import Counterfactual
from nbxplain.counterfactuals.pictures.parameters import PictureSearch
from nbxplain.counterfactuals.wish import Wish

if TYPE_CHECKING:
    from nbxplain.counterfactuals.pictures.honesty import Honesty
    from nbxplain.figure import Drawing

ITERATES = 12
"""Pictures in the strip of a search."""


@dataclass(frozen=True)
class Iterate:
    """A picture (C, H, W) in bytes, on the way at a step."""

    step: int
    pixels: Tensor

    @property
    def picture(self) -> Image.Image:
        return PixelSpace().picture(self.pixels.float() / 255)


@dataclass
class PictureCounterfactuals(Counterfactual):
    """k pictures for one: `pixels` (k, C, H, W) from 0 to 1 beside `original` (C, H, W), `tensor`
    as the model gets them.

    `valid` (k,): predicted as desired. `scores` (k, K) are the model's, as the search saw them;
    `probability` (k,) is that of the desired class, `before` of the original (NaN where the model
    has none), `margin` (k,) its score less the best other one's. `terms` (k,) make up the
    `objective`. `curve` holds, for every step so far (steps, k), the class loss, the terms and the
    probability on the way, and `reached` (k,) the first step, from 1, that was decided as desired,
    from which on the change was made small; 0 for none. `iterates` are at most 12 pictures on the
    way of the first. `honesty` has one report for each picture where the search came to its end,
    see `examined`. `done` of `total` steps were made.
    """

    original: Tensor
    pixels: Tensor
    tensor: Tensor
    valid: Tensor
    scores: Tensor
    margin: Tensor
    probability: Tensor
    before: float
    terms: dict[str, Tensor]
    curve: dict[str, Tensor]
    reached: Tensor
    iterates: list[Iterate]
    mask: Tensor
    wish: Wish
    desired: str
    predicted: str
    after: list[str]
    search: PictureSearch
    regions: Regions
    inputs: Inputs
    evaluations: int
    seconds: float
    provenance: dict[str, Any]
    done: int
    total: int
    honesty: list[Honesty] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def complete(self) -> bool:
        return self.done >= self.total

    @property
    def objective(self) -> Tensor:
        """(k,): the weighted sum that the search made small."""
        return torch.stack(list(self.terms.values())).sum(0)

    @property
    def difference(self) -> Tensor:
        """The signed change (k, C, H, W) in pixels from 0 to 1."""
        return self.pixels - self.original

    @property
    def distance(self) -> Tensor:
        """The length (k,) of the change in pixels from 0 to 1 (L2)."""
        return self.difference.flatten(1).square().sum(1).sqrt()

    @property
    def pictures(self) -> list[Image.Image]:
        """The pictures as they are shown."""
        space = self.inputs.view or self.inputs.pixels or PixelSpace()
        return [space.picture(row) for row in self.tensor]

    @property
    def diversity(self) -> float:
        """The mean distance (L2) between the pictures; 0 for one."""
        flat = self.pixels.flatten(1)
        apart = torch.cdist(flat, flat).sum()
        return float(apart) / max(1, len(flat) * (len(flat) - 1))

    def _one(self, number: int) -> Tensor:
        return self.difference[numbered(number, len(self), "picture")]

    def gain(self, number: int = 0) -> float:
        """By what the difference is multiplied where it is drawn around grey.

        Raises InputError for a picture that is not there, as everything of one picture does.
        """
        largest = float(self._one(number).abs().max())
        return 0.5 / largest if largest else 1.0

    def drawn(self, number: int = 0) -> Image.Image:
        """The signed difference times `gain` around grey."""
        change = self._one(number).float()
        return PixelSpace().picture(0.5 + self.gain(number) * change)

    def shares(self, number: int = 0) -> list[tuple[str, float]]:
        """Regions with their share of the absolute change, largest first."""
        return [(name, share) for name, share, _ in self.parts(number)]

    def parts(self, number: int = 0) -> list[tuple[str, float, float]]:
        """Regions with their share of the absolute change and of the picture, in the order of the
        change, largest first."""
        labels = self.labels
        change = self._one(number).abs().sum(0).double()
        names = self.regions.names_for(self.inputs, labels.unsqueeze(0))[0]
        shares, areas = (
            torch.bincount(labels.flatten(), weights.flatten(), len(names))
            / weights.sum().clamp(min=1e-30)
            for weights in (change, torch.ones_like(change))
        )
        parts = zip(names, shares.tolist(), areas.tolist(), strict=True)
        return sorted(parts, key=lambda part: -part[1])

    @property
    def labels(self) -> Tensor:
        """The region (H, W) of each pixel."""
        return self.regions.labels_for(self.inputs, torch.device("cpu"))[0]

    def describe(self) -> dict[str, Any]:
        """Everything but the pictures, as JSON."""
        return {
            "desired": self.desired,
            "predicted": self.predicted,
            "before": _number(self.before),
            "complete": self.complete,
            "done": self.done,
            "total": self.total,
            "counterfactuals": [
                {
                    "valid": bool(self.valid[number]),
                    "predicted": self.after[number],
                    "probability": _number(self.probability[number]),
                    "margin": float(self.margin[number]),
                    "objective": float(self.objective[number]),
                    "terms": {name: float(term[number]) for name, term in self.terms.items()},
                    "distance": float(self.distance[number]),
                    "largest": float(self.difference[number].abs().max()),
                    "shares": self.shares(number),
                    "honesty": self.honesty[number].describe() if self.honesty else None,
                }
                for number in range(len(self))
            ],
            "diversity": self.diversity,
            "notices": self.notices,
            "provenance": self.provenance,
        }

    def summary(self) -> str:
        """What came out, a line a picture, and how honest it is."""
        lines = [f"{self.predicted} to be {self.desired}:"]
        for number in range(len(self)):
            state = "reached" if self.valid[number] else f"not reached, {self.after[number]}"
            share = _number(self.probability[number])
            chance = "" if share is None else f", probability {share:.2f}"
            lines.append(f"{state}{chance}, distance {float(self.distance[number]):.3g}")
            lines += [self.honesty[number].verdict] if self.honesty else []
        return "\n".join([*lines, *self.notices])

    def __repr__(self) -> str:
        state = "" if self.complete else f", {self.done} of {self.total} steps"
        return (
            f"<PictureCounterfactuals to be {self.desired}: {len(self)}, "
            f"{self.validity:.0%} valid{state}>"
        )

    def code(self) -> str:
        """The call that gives the same again."""
        given = {
            name: value
            for name, value in self.search.model_dump().items()
            if value != type(self.search).model_fields[name].default
        }
        words = [f"{name}={value!r}" for name, value in given.items()]
        words += [] if bool(self.mask.all()) else ["mask=mask"]
        words += [] if "examples" not in self.provenance else ["examples=examples"]
        rest = "".join(f", {word}" for word in words)
        return (
            "from nbxplain.counterfactuals import picture_counterfactuals\n\n"
            f"picture_counterfactuals(model, image, {self.desired!r}{rest})"
        )

    def figure(self, **options: Any) -> Drawing:
        """Original, pictures, differences (amplification stated), the way and the loss curve."""
        from nbxplain.counterfactuals.pictures.figure import draw_pictures

        return draw_pictures(self, **options)

    def encode(self, format: str, **options: Any) -> bytes:
        """The bytes of a file; .npz holds the pictures as numbers. Raises InputError."""
        if format != "npz":
            try:
                return super().encode(format, **options)
            except InputError as error:
                raise InputError(error.title, error.hint.replace(".json", ".json, .npz")) from error
        import io
        import json

        import numpy as np

        buffer = io.BytesIO()
        arrays = {"pixels": self.pixels, "original": self.original, "mask": self.mask}
        arrays |= {f"curve_{name}": values for name, values in self.curve.items()}
        numbers: dict[str, Any] = {name: values.numpy() for name, values in arrays.items()}
        np.savez_compressed(buffer, description=json.dumps(self.describe()), **numbers)
        return buffer.getvalue()


def _number(value: float | Tensor) -> float | None:
    """A number, or None where there is none."""
    number = float(value)
    return None if number != number else number


__all__ = ["ITERATES", "Iterate", "PictureCounterfactuals"]
