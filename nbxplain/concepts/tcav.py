"""Testing with concept activation vectors, with statistics that hold.

A concept is a direction at a layer that tells its examples from random pictures. The score says for
which share of a class's pictures the class's logit grows along that direction (Kim et al. 2018).
Whether that is more than chance is asked of sets without the concept: see sets.py. All directions
come from one Gram matrix a layer, all derivatives from one backward pass of the class's pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor, nn

from nbxplain.concepts.concept import Concept, pictures_of
from nbxplain.concepts.directions import Estimator
from nbxplain.concepts.features import FeatureCache, Reader, decoded
from nbxplain.concepts.result import TCAV
from nbxplain.concepts.scoring import Geometry, corrected, scored
from nbxplain.concepts.sets import FEWEST, Sets, draw
from nbxplain.concepts.significance import check_level
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.cav import Space
from nbxplain.core.counting import counted
from nbxplain.core.errors import InputError, LayerError, MethodError
from nbxplain.core.layers import find
from nbxplain.core.passes import Passes
from nbxplain.core.target import Label, Target, resolve

RANDOM = "random pictures"
"""What the pool is called, where the concepts have names."""

ENOUGH = 10
"""Examples from which a concept is no longer called small."""

Relative = tuple[str, str]
"""Names of two concepts: the first against the second."""


def tcav(
    model: nn.Module,
    concepts: Sequence[Concept] | Mapping[str, Any],
    class_images: Any,
    target: Label,
    layers: str | Sequence[str],
    *,
    random_sets: Any,
    estimator: Estimator = "mean",
    permutations: int = 199,
    runs: int = 10,
    alpha: float = 0.05,
    space: Space = "channels",
    relative: Sequence[Relative] = (),
    cache: FeatureCache | None = None,
    seed: int = 0,
    preprocess: Any = None,
    labels: Sequence[str] | Mapping[int, str] | None = None,
    output: str | int | Callable[[Any], Tensor] | None = None,
    device: str | torch.device | None = None,
) -> TCAV:
    """How much each concept matters to a class, at each layer, and whether that is chance.

    concepts: Concept objects, or a dict from names to pictures. class_images: pictures of the
    class. target: the class, an index or a label. layers: dotted names. random_sets: random
    pictures, as one set or as a list of sets, which are pooled. Wherever pictures are expected the
    path of a folder stands for those in it. estimator: see directions.py.
    permutations: sets without the concept that chance is measured by. runs: draws of what a set
    stands against. alpha: level of significance, after correction for all concepts and layers.
    space: see features.py. relative: pairs of concept names to test against each other as well.
    cache: features to keep between calls; FeatureCache(folder) keeps them on disk.

    Exchangeability holds against the pool: a concept is compared with sets of the pool's pictures,
    so the pool should be as the concept's pictures are in all but the concept. Raises
    ExplanationError.
    """
    adapter = ModelAdapter(model, preprocess, labels, output, device)
    test = Test(
        adapter, given(concepts), pictures_of(class_images), target,
        [layers] if isinstance(layers, str) else list(layers), pooled_sets(random_sets),
        estimator, permutations, runs, alpha, space, tuple(relative),
        cache or FeatureCache(), seed,
    )  # fmt: skip
    (*_, last) = test.steps(Passes(adapter))
    return last


@dataclass
class Test:
    """The question tcav asks; `steps` answers it bit by bit."""

    adapter: ModelAdapter
    concepts: list[Concept]
    class_images: Any
    target: Label
    layers: list[str]
    random: list[Any]
    estimator: Estimator
    permutations: int
    runs: int
    alpha: float
    space: Space
    relative: tuple[Relative, ...]
    cache: FeatureCache
    seed: int

    __test__ = False  # pytest takes classes of this name for its own

    def __post_init__(self) -> None:
        if self.estimator not in get_args(Estimator):
            raise MethodError(
                f"There is no estimator {self.estimator!r}.",
                f"Choose one of {', '.join(get_args(Estimator))}.",
            )
        for name, value, least in (("permutations", self.permutations, 19), ("runs", self.runs, 2)):
            counted(name, value, least)
        check_level(self.alpha)
        names = [concept.name for concept in self.concepts]
        for name in {name for pair in self.relative for name in pair}:
            if name not in names:
                raise MethodError(f"There is no concept {name!r}.", f"There are {names}.")
        for concept in self.concepts:
            if len(concept) < FEWEST:
                raise InputError(
                    f"The concept {concept.name!r} has {len(concept)} examples.",
                    f"Give at least {FEWEST}, better {ENOUGH} or more.",
                )

    def steps(self, passes: Passes) -> Iterator[TCAV]:
        """Yields after every batch of pictures and every test."""
        tests = len(self.layers) * (len(self.concepts) + len(self.relative))
        pictures = sum(map(len, self.concepts)) + len(self.random)
        state = TCAV(str(self.target), total=pictures + tests + 1)
        state.notices += [
            f"{concept.name} has {len(concept)} examples: {ENOUGH} or more give a steadier score."
            for concept in self.concepts
            if len(concept) < ENOUGH
        ]
        slopes = self._slopes(state, passes)
        state.done = 1
        yield state
        places = self._places()
        reader = Reader(self.adapter, places, self.space, passes, self.cache)
        sources = [(c.name, c.examples) for c in self.concepts] + [(RANDOM, self.random)]
        rows: dict[str, Tensor] = {}
        owner: dict[str, tuple[str, str]] = {}
        found: dict[str, list[Tensor]] = {layer: [] for layer in self.layers}
        for name, examples in sources:
            start = len(owner)
            for seen in reader.seen(examples):
                _register(owner, seen.hashes, name, examples, len(owner) - start)
                for layer in self.layers:
                    found[layer].append(seen.features[layer])
                state.done += len(seen.hashes)
                yield state
            rows[name] = torch.arange(start, len(owner))
        self.cache.save()
        for layer in self.layers:
            features = torch.cat(found[layer]).double()
            about = layer, self.space, str(self.adapter.weight_hash)
            geometry = Geometry.of(*about, features, slopes[layer])
            for name, sets in self._sets(rows):
                state.scores.append(scored(name, sets, geometry, self.estimator, self.alpha))
                state.scores = corrected(state.scores)
                state.done += 1
                yield state

    def _places(self) -> list[Any]:
        listed = self.adapter.layers(self._example, suggest=False)
        return [find(name, listed, self.adapter.replica()) for name in self.layers]

    def _slopes(self, state: TCAV, passes: Passes) -> dict[str, Tensor]:
        """The class's derivatives (J, d) at each layer."""
        outputs: list[Tensor] = []
        parts: list[dict[str, Tensor]] = []
        for tensor in decoded(self.adapter, self.class_images):
            self._example = tensor[:1]
            outputs.append(self.adapter.outputs(tensor))
            names = self.adapter.labels(outputs[-1].shape[1])
            target = resolve(self.target, outputs[-1], names)
            state.target = target.names(names)[0]
            reader = Reader(self.adapter, self._places(), self.space, passes, self.cache)
            parts.append(reader.slopes(tensor, target))
        output = torch.cat(outputs)
        state.notices += check_class(output, resolve(self.target, output, names), state.target)
        slopes = {layer: torch.cat([part[layer] for part in parts]) for layer in self.layers}
        for layer, slope in slopes.items():
            if not bool(slope.any()):
                raise LayerError(
                    f"The score of {state.target} has no gradient at {layer!r}.",
                    "Choose a layer that the class depends on.",
                )
        return {layer: slope.double() for layer, slope in slopes.items()}

    def _sets(self, rows: dict[str, Tensor]) -> Iterator[tuple[str, Sets]]:
        pool = rows[RANDOM]
        draws = self.permutations, self.runs, self.seed
        for concept in self.concepts:
            yield concept.name, draw(rows[concept.name], pool, *draws)
        for one, other in self.relative:
            yield f"{one} against {other}", draw(rows[one], pool, *draws, against=rows[other])


def check_class(output: Tensor, target: Target, name: str) -> list[str]:
    """What to say of class pictures with this output (J, K). Raises InputError where none of them
    is of the class."""
    if target.function is not None:
        return []
    as_class = int((output.argmax(1).cpu() == torch.tensor(target.index)).sum())
    if as_class == 0:
        raise InputError(
            f"None of the {len(output)} class pictures is predicted as {name}.",
            "Give pictures of the class, or check target= and preprocess=.",
        )
    if as_class < len(output) / 2:
        return [f"Only {as_class} of the {len(output)} class pictures are predicted as {name}."]
    return []


def given(concepts: Sequence[Concept] | Mapping[str, Any]) -> list[Concept]:
    """Concepts of whatever the user gave. Raises InputError."""
    listed: list[Any] = list(concepts)
    if isinstance(concepts, Mapping):
        listed = [Concept(str(name), examples) for name, examples in concepts.items()]
    if not listed or not all(isinstance(concept, Concept) for concept in listed):
        raise InputError("There are no concepts.", "Give Concept objects, or a dict of pictures.")
    taken = {RANDOM}
    for concept in listed:
        if concept.name in taken:
            raise InputError(
                f"The name {concept.name!r} is taken already.", "Give each concept its own name."
            )
        taken.add(concept.name)
    return listed


def pooled_sets(random_sets: Any) -> Any:
    """Random pictures as one pool, whether given as one set or as several. Raises InputError."""
    random_sets = pictures_of(random_sets)
    if isinstance(random_sets, Tensor):
        return random_sets
    if not isinstance(random_sets, Iterable):
        raise InputError(
            f"Random pictures cannot be {type(random_sets).__name__}.",
            "Give a folder, a list of pictures or of sets of them, or a tensor (N, C, H, W).",
        )
    sets = [_set(one) for one in random_sets]
    if sets and all(isinstance(s, Tensor) and s.ndim == 4 for s in sets):
        return torch.cat(sets)
    if sets and all(isinstance(s, list | tuple) for s in sets):
        return [picture for s in sets for picture in s]
    return sets


def _set(given: Any) -> Any:
    """The pictures of a set, or the one picture that stands for itself."""
    if isinstance(given, Concept):
        return given.examples
    folder = isinstance(given, str | Path) and Path(given).is_dir()
    return pictures_of(given) if folder else given


def _register(
    owner: dict[str, tuple[str, str]], hashes: list[str], name: str, examples: Any, first: int
) -> None:
    """Notes each picture's place and whose it is, by its hash, from number `first` of the examples.

    Raises InputError when a picture is there twice.
    """
    for number, key in enumerate(hashes, first):
        file = examples[number] if isinstance(examples[number], str | Path) else None
        here = f"picture {number + 1}{f' ({Path(file).name})' if file else ''}"
        there, of = owner.setdefault(key, (here, name))
        if of != name:
            raise InputError(
                f"The same picture is there twice: {there} of {of} and {here} of {name}.",
                "Take one of them out: a picture cannot stand on both sides.",
            )
        if there != here:
            raise InputError(
                f"The same picture stands twice in {name}: {there} and {here}.",
                "Take one of them out: it would count double.",
            )


__all__ = ["Test", "check_class", "tcav"]
