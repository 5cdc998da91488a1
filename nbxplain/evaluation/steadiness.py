"""Stability: does the map stay as it is under what should not matter?"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Unpack

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs
from nbxplain.core.pixels import PixelSpace
from nbxplain.evaluation.case import Case, Explained, Options, case
from nbxplain.evaluation.case import draws as normal
from nbxplain.evaluation.check import CANNOT_TELL, Check, bars, finish, number, show
from nbxplain.evaluation.similarity import mean, rank_correlation
from nbxplain.evidence import Verdict, graded
from nbxplain.figure import Drawing, Style
from nbxplain.methods.base import Method

STABLE, UNSTABLE = 0.8, 0.5
"""Rank correlations from which a map is stable, and under which it is not."""

QUALITIES = (95, 85, 75)
"""JPEG qualities: hardly visible, usual, small."""


@dataclass(frozen=True, repr=False)
class Stability(Check):
    """Maps (N, h, w) or (N, F), and how they vary.

    `similarity` has the rank correlations with the map itself for each kind of change (seed,
    noise, JPEG), means over rows, one a variant. `spread` is the standard deviation of each pixel
    over all variants, in the map's units.
    """

    name: ClassVar[str] = "stability"
    label: ClassVar[str] = "Stability"

    maps: Tensor
    spread: Tensor
    similarity: Mapping[str, tuple[float, ...]]
    of: str

    @property
    def kinds(self) -> dict[str, float]:
        """The mean rank correlation for each kind of change."""
        return {kind: mean(list(values)) for kind, values in self.similarity.items()}

    @property
    def score(self) -> float:
        """The smallest of the kinds' rank correlations; nan where the map is constant."""
        known = [value for value in self.kinds.values() if not math.isnan(value)]
        return min(known, default=float("nan"))

    @property
    def value(self) -> str:
        return CANNOT_TELL if math.isnan(self.score) else f"ρ {number(self.score)}"

    @property
    def verdict(self) -> Verdict:
        return graded(self.score, STABLE, UNSTABLE)

    @property
    def reading(self) -> str:
        if math.isnan(self.score):
            return f"{CANNOT_TELL}: the map is constant"
        words = {"good": "is stable", "weak": "is fairly stable", "poor": "is not stable"}
        each = ", ".join(f"{kind} {number(value)}" for kind, value in self.kinds.items())
        return (
            f"{self.of} {words[self.verdict]}: rank correlation with itself under {each}, "
            f"{self.done} variants (stable from {STABLE:g}, not under {UNSTABLE:g})"
        )

    @property
    def rows(self) -> int:
        return len(self.maps)

    def draw(self, style: Style, row: int = 0) -> Drawing:
        if self.maps.ndim == 2:
            heights = [float(v) for v in self.maps[row]]
            sides = [(float(s), float(s)) for s in self.spread[row]]
            return bars(style, [f"feature {i}" for i in range(len(heights))], heights, sides)
        figure = style.figure(0.5, 8 * style.caption)
        axes = figure.subplots(1, 2)
        for axis, values, title in zip(
            axes, (self.maps, self.spread), ("map", "standard deviation"), strict=True
        ):
            image = show(axis, values[row], style, title)
            bar = figure.colorbar(image, ax=axis, shrink=0.7)
            bar.ax.tick_params(labelsize=style.text - 1)
        return figure


def stability(
    model: Any,
    inputs: Any,
    attribution: Explained,
    *,
    draws: int = 4,
    noise: float = 0.02,
    qualities: tuple[int, ...] = QUALITIES,
    seed: int = 0,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> Stability:
    """How far the map varies over seeds of its method, small noise, and JPEG re-encoding.

    draws: variants under seeds (for methods that have one) and under noise. noise: its standard
    deviation as a share of the input's range; of a table's numbers as a share of their range in
    the background, where there is one, and of categories none. qualities: of the JPEGs, for grey
    and colour pictures. The target stays that of the input as it is. Raises MethodError for a bare
    map.
    """
    steps = stability_steps(
        case(model, inputs, attribution, options),
        draws=draws, noise=noise, qualities=qualities, seed=seed,
    )  # fmt: skip
    return finish(steps, "Stability", progress)


def stability_steps(
    case: Case,
    *,
    draws: int = 4,
    noise: float = 0.02,
    qualities: tuple[int, ...] = QUALITIES,
    seed: int = 0,
) -> Iterator[Stability]:
    """The steps of stability: one for each variant."""
    if draws < 1 or not noise > 0:
        raise InputError(
            f"{draws} variants under noise of {noise} say nothing.",
            "Take at least one draw, and noise above 0.",
        )
    variants = _variants(case, draws, noise, qualities, seed)
    maps, similarity = [case.maps.double()], dict[str, tuple[float, ...]]()
    for done, (kind, inputs, method) in enumerate(variants, 1):
        changed = case.again(inputs, method=method).maps
        alike = mean([rank_correlation(a, b) for a, b in zip(case.maps, changed, strict=True)])
        similarity = {**similarity, kind: (*similarity.get(kind, ()), alike)}
        maps.append(changed.double())
        spread = torch.stack(maps).std(0).to(case.maps)
        yield Stability(case.maps, spread, similarity, case.label, done=done, total=len(variants))


Variant = tuple[str, Inputs, Method]


def kinds_of(case: Case) -> list[str]:
    """What should not matter here: the seed if the method has one, noise if there are numbers,
    JPEG for grey and colour pictures."""
    x = case.inputs.tensor
    varied = {
        "seed": "seed" in type(case.remade()).model_fields,
        "noise": bool(_range(case.inputs).any()),
        "JPEG": x.ndim == 4 and x.shape[1] in (1, 3),
    }
    return [kind for kind, possible in varied.items() if possible]


def _variants(
    case: Case, draws: int, noise: float, qualities: tuple[int, ...], seed: int
) -> list[Variant]:
    """What should not matter, in turns, so that each kind has said something early."""
    method, x = case.remade(), case.inputs.tensor
    found: dict[str, list[tuple[Inputs, Method]]] = {}
    for kind in kinds_of(case):
        if kind == "seed":
            first = int(method.seed) + 1  # type: ignore[attr-defined]
            seeds = [method.model_copy(update={"seed": first + i}) for i in range(draws)]
            found[kind] = [(case.inputs, changed) for changed in seeds]
        elif kind == "noise":
            scale = noise * _range(case.inputs)
            noisy = [x + scale * drawn for drawn in normal(draws, x, seed)]
            found[kind] = [(_fed(case.inputs, tensor), method) for tensor in noisy]
        else:
            found[kind] = [(jpeg(case.inputs, quality), method) for quality in qualities]
    longest = max(map(len, found.values()), default=0)
    if not longest:
        raise InputError("Nothing of this row can be varied.", "It has no numbers.")
    return [
        (kind, *variants[i])
        for i in range(longest)
        for kind, variants in found.items()
        if i < len(variants)
    ]


def _range(inputs: Inputs) -> Tensor:
    """What noise is a share of: of each input (N, 1, ...) its range, of a table with a background
    that of each column (F,), zero for categories."""
    x, table = inputs.tensor, inputs.table
    if table is not None and table.background is not None:
        spans = [table.spans.get(name, (0.0, 0.0, False)) for name in table.names]
        return x.new_tensor([high - low for low, high, _ in spans])
    ends = x.flatten(1).aminmax(dim=1)
    return (ends.max - ends.min).view(-1, *[1] * (x.ndim - 1))


def _fed(inputs: Inputs, tensor: Tensor) -> Inputs:
    return replace(inputs, tensor=tensor)


def jpeg(inputs: Inputs, quality: int) -> Inputs:
    """The same pictures, stored as JPEG and read again. Raises InputError for a wrong quality."""
    if not 1 <= quality <= 100:
        raise InputError(f"There is no JPEG quality {quality}.", "Choose 1 to 100.")
    x, space = inputs.tensor, inputs.view or inputs.pixels or PixelSpace()
    mode = "L" if x.shape[1] == 1 else "RGB"
    rows = []
    for row in x:
        buffer = io.BytesIO()
        space.picture(row).convert(mode).save(buffer, "JPEG", quality=quality)
        pixels = np.asarray(Image.open(buffer, formats=["JPEG"]), np.float32) / 255
        pixels = pixels.reshape(*pixels.shape[:2], -1)
        rows.append(space.to_model(torch.from_numpy(pixels).permute(2, 0, 1).to(x)))
    return _fed(inputs, torch.stack(rows))


__all__ = ["Stability", "kinds_of", "stability", "stability_steps"]
