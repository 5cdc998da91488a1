"""Pictures in the order of how much of a concept a layer sees in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nbxplain.concepts.concept import Concept, cav_of
from nbxplain.concepts.features import FeatureCache, Reader
from nbxplain.concepts.result import ConceptScore
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.cav import CAV
from nbxplain.core.errors import InputError
from nbxplain.core.layers import find
from nbxplain.core.passes import Passes


@dataclass(frozen=True)
class Alignment:
    """How far each of N pictures lies along a concept: `values` (N,) are 0 where random pictures
    are on average, and 1 where the concept's are."""

    cav: CAV
    values: Tensor

    @property
    def order(self) -> list[int]:
        """The pictures' numbers, the most aligned first."""
        return [int(row) for row in self.values.argsort(descending=True, stable=True)]

    def __repr__(self) -> str:
        return f"<Alignment of {len(self.values)} pictures with {self.cav.name}>"


def align(
    model: nn.Module,
    pictures: Any,
    concept: CAV | ConceptScore | Concept,
    layer: str | None = None,
    *,
    cache: FeatureCache | None = None,
    preprocess: Any = None,
    output: str | int | Callable[[Any], Tensor] | None = None,
    device: str | torch.device | None = None,
) -> Alignment:
    """How much of a concept the layer sees in each of some pictures, of a class or any others.

    This is about what the layer sees; how much the concept matters to a class's score in each of
    its pictures is `ConceptScore.derivatives`, in order `ConceptScore.order`. concept, layer: as in
    `steer`. cache: features to keep between calls, as in `tcav`, which then need no pass. Raises
    ExplanationError.
    """
    adapter = ModelAdapter(model, preprocess, None, output, device)
    (*_, last) = steps(adapter, pictures, cav_of(concept, layer), Passes(adapter), cache)
    return last


def steps(
    adapter: ModelAdapter,
    pictures: Any,
    cav: CAV,
    passes: Passes,
    cache: FeatureCache | None = None,
) -> Iterator[Alignment]:
    """Yields the pictures known so far after every batch of them."""
    if len(pictures) == 0:
        raise InputError("There are no pictures.", "Give a list of pictures or a tensor.")
    cav.check(adapter)
    example = adapter.read(pictures[:1]).tensor
    place = find(cav.layer, adapter.layers(example, suggest=False), adapter.replica())
    cav.field(place)  # raises where it does not fit the layer
    reader = Reader(adapter, [place], cav.space, passes, cache or FeatureCache())
    values: list[Tensor] = []
    for seen in reader.seen(pictures):
        along = seen.features[place.name].float() @ cav.direction
        values.append((along - cav.origin) / cav.distance)
        yield Alignment(cav, torch.cat(values))


__all__ = ["Alignment", "align", "steps"]
