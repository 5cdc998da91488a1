"""Concepts that a network has by itself, found in parts of a class's pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Real
from typing import Any, TypeVar, get_args

import torch
from torch import Tensor, nn

from nbxplain.concepts.ace import Ace
from nbxplain.concepts.craft import Craft
from nbxplain.concepts.found import Discovery, Way
from nbxplain.concepts.looking import Look
from nbxplain.concepts.sets import FEWEST
from nbxplain.concepts.significance import check_level
from nbxplain.concepts.tcav import check_class, pooled_sets
from nbxplain.concepts.worth import Importance
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.counting import counted
from nbxplain.core.errors import InputError, LayerError, MethodError
from nbxplain.core.layers import Layer, find
from nbxplain.core.passes import Passes
from nbxplain.core.target import Label, resolve

MOST_SEGMENTS = 500
LAST_SEED = 2**32 - 1
"""That scikit-learn takes."""

T = TypeVar("T")


def discover(
    model: nn.Module,
    images: Any,
    target: Label | None = None,
    layer: str | None = None,
    *,
    method: Way = "craft",
    preprocess: Any = None,
    labels: Sequence[str] | Mapping[int, str] | None = None,
    output: str | int | Callable[[Any], Tensor] | None = None,
    device: str | torch.device | None = None,
    **options: Any,
) -> Discovery:
    """Concepts of a class at a layer, each with crops that show it, its importance, and maps of
    where it fires.

    images: pictures of the class, at least four. target: the class, by default the one that is
    predicted for most of them. layer: by default the suggested one. method: "craft" (Fel et al.
    2023) or "ace" (Ghorbani et al. 2019). options: those of `search`. Raises ExplanationError.
    """
    adapter = ModelAdapter(model, preprocess, labels, output, device)
    how = search(method, **options)
    (*_, last) = steps(adapter, images, target, layer, how, Passes(adapter))
    return last


def search(
    method: Way = "craft",
    *,
    count: int = 10,
    importance: Importance = "ablation",
    crops: int = 10,
    sizes: Sequence[float] = (0.3, 0.5),
    segments: Sequence[int] = (15, 50),
    examples: int = 12,
    random_sets: Any = None,
    permutations: int = 99,
    alpha: float = 0.05,
    seed: int = 0,
) -> Craft | Ace:
    """How concepts are looked for. Raises MethodError.

    count: concepts at most. examples: crops that show one. Of craft: `crops` a picture, at random
    places, with sides of `sizes`, in shares of the picture's; importance: "ablation" (what the
    score loses without the concept) or "sobol" (its total Sobol index, which costs about 32 passes
    a concept and picture). Of ace: about so many `segments` a picture, at several resolutions;
    random_sets, permutations and alpha as in `tcav`.
    """
    for name, value, known in (
        ("method", method, get_args(Way)),
        ("importance", importance, get_args(Importance)),
    ):
        if value not in known:
            raise MethodError(f"There is no {name} {value!r}.", f"Choose one of {known}.")
    count, examples = counted("count", count, 2), counted("examples", examples, FEWEST)
    crops, permutations = counted("crops", crops), counted("permutations", permutations, 19)
    shares, numbers = _each("sizes", sizes, _share), _each("segments", segments, _segments)
    check_level(alpha)
    seed = counted("seed", seed, 0, LAST_SEED)
    if method == "craft":
        return Craft(count, crops, shares, importance, examples, seed)
    pool = () if random_sets is None else pooled_sets(random_sets)
    return Ace(count, numbers, examples, pool, permutations, alpha, seed)


def _each(name: str, values: Any, checked: Callable[[str, Any], T]) -> tuple[T, ...]:
    """Every value of a parameter that holds several, checked. Raises MethodError."""
    try:
        listed = tuple(values)
    except TypeError:
        listed = ()
    if not listed:
        raise MethodError(f"{name} = {values!r} is not allowed.", "Give a list of numbers.")
    return tuple(checked(name, value) for value in listed)


def _share(name: str, value: Any) -> float:
    if not isinstance(value, Real) or not 0 < float(value) <= 1:
        raise MethodError(f"{name} = {value!r} is not allowed.", "Give shares of the side, 0 to 1.")
    return float(value)


def _segments(name: str, value: Any) -> int:
    return counted(name, value, 2, MOST_SEGMENTS)


def steps(
    adapter: ModelAdapter,
    images: Any,
    target: Label | None,
    layer: str | None,
    how: Craft | Ace,
    passes: Passes,
) -> Iterator[Discovery]:
    """Yields what is known so far, see Discovery. Raises ExplanationError."""
    inputs = adapter.read(images)
    if inputs.is_table or len(inputs.tensor) < FEWEST:
        raise InputError(
            f"There are {len(inputs.tensor)} pictures to find concepts in.",
            f"Give at least {FEWEST} pictures of the class, better 20.",
        )
    output = adapter.outputs(inputs.tensor)
    names = adapter.labels(output.shape[1])
    wanted = int(output.argmax(1).mode().values) if target is None else target
    resolved = resolve(wanted, output, names)
    said = resolved.names(names)[0]
    notices = check_class(output, resolved, said)
    place = _place(adapter, inputs.tensor[:1], layer)
    look = Look.at(adapter, passes, inputs.tensor, resolved, place)
    way: Way = "craft" if isinstance(how, Craft) else "ace"
    by = how.importance if isinstance(how, Craft) else "tcav"
    state = Discovery(way, place.name, said, by, inputs)
    state.notices = [*adapter.notices, *inputs.notices, *notices]
    yield from how.steps(state, look)


def _place(adapter: ModelAdapter, example: Tensor, layer: str | None) -> Layer:
    """The layer of that name or the suggested one, which has a map. Raises LayerError."""
    listed = adapter.layers(example, suggest=layer is None)
    if layer is not None:
        place = find(layer, listed, adapter.replica())
        place.maps(torch.empty(1, *place.shape))  # raises where it has none
        return place
    for place in listed:
        if place.suggested:
            return place
    raise LayerError(
        "This model has no layer with a spatial map.", "Concepts are looked for there."
    )


__all__ = ["discover", "search", "steps"]
