"""What a search for another picture may be told."""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationError

from nbxplain.core.errors import MethodError, near
from nbxplain.core.parameters import Parameters


class PictureSearch(Parameters):
    """The objective l1 |d|_1 + l2 |d|_2^2 / 2 + smoothness TV(d) + likeness D of a change d, in
    pixels from 0 to 1, and how it is made small while the model decides as desired.

    TV is the total variation. D is how far the features at `layer` are from the mean of those of
    examples, each channel in standard deviations of theirs.
    """

    k: int = Field(1, ge=1, le=16, description="Pictures, each with weights of its own in places.")
    probability: float | None = Field(
        0.8, gt=0, lt=1, description="Of the desired class, at least; none: it wins, that is all."
    )
    l1: float = Field(0.0, ge=0, description="Weight of the sum of changes: few places change.")
    l2: float = Field(1.0, ge=0, description="Weight of half the sum of squared changes.")
    smoothness: float = Field(0.01, ge=0, description="Weight of the change's total variation.")
    likeness: float = Field(0.0, ge=0, description="Weight of the distance from the examples.")
    layer: str | None = Field(None, description="Where likeness is judged; by default suggested.")
    steps: int = Field(60, ge=1, le=2000, description="Steps of the search.")
    learning_rate: float = Field(
        0.02, gt=0, le=1, description="Root mean square of a step, in pixels from 0 to 1."
    )
    blur: float = Field(
        2.5, ge=0, le=32, description="Pixels: a change is made of spots of this deviation."
    )
    jitter: int = Field(
        8, ge=0, le=64, description="Pixels by which the picture is moved while searching."
    )
    noise: float = Field(
        0.05, ge=0, le=0.5, description="Deviation of noise that the change must withstand."
    )
    seed: int = Field(0, ge=0, description="Of jitter, noise and weights in places.")

    @classmethod
    def of(cls, **parameters: Any) -> PictureSearch:
        """Raises MethodError for a name that is unknown and a value out of range."""
        for name in parameters:
            if name not in cls.model_fields:
                raise MethodError(
                    f"A picture counterfactual has no parameter {name!r}.",
                    near(name, cls.model_fields) or f"It has: {', '.join(cls.model_fields)}.",
                )
        try:
            return cls(**parameters)
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            raise MethodError(
                f"{name} = {first['input']!r} is not allowed.", f"{first['msg']}."
            ) from error


__all__ = ["PictureSearch"]
