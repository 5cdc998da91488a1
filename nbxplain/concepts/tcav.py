"""Testing with concept activation vectors, with statistics that hold.

A concept is a direction at a layer that tells its examples from random pictures. The score says for
which share of a class's pictures the class's logit grows along that direction (Kim et al. 2018).
Whether that is more than chance is asked of sets without the concept: see sets.py. All directions
come from one Gram matrix a layer, all derivatives from one backward pass of the class's pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import torch
from torch import Tensor, nn

from nbxplain.concepts.concept import Concept
from nbxplain.concepts.directions import Estimator, in_blocks
from nbxplain.concepts.features import FeatureCache, Reader, Seen
from nbxplain.concepts.result import TCAV, ConceptScore
from nbxplain.concepts.sets import FEWEST, Sets, draw, folds
from nbxplain.concepts.significance import above_p, false_discovery, permutation_p, t_test_p
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.cav import Space
from nbxplain.core.errors import InputError, LayerError, MethodError
from nbxplain.core.layers import find
from nbxplain.core.passes import Passes
from nbxplain.core.target import Label, Target, resolve

FOLDS = 5
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
    pictures, as one set or as a list of sets, which are pooled. estimator: see directions.py.
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
        adapter, given(concepts), class_images, target,
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
            if value < least:
                raise MethodError(f"{name} = {value} says nothing.", f"Give at least {least}.")
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
        sources = [(c.name, c.examples) for c in self.concepts] + [("random pictures", self.random)]
        rows: dict[str, Tensor] = {}
        owner: dict[str, str] = {}
        found: dict[str, list[Tensor]] = {layer: [] for layer in self.layers}
        for name, examples in sources:
            start = len(owner)
            for seen in reader.seen(examples):
                _register(owner, seen, name)
                for layer in self.layers:
                    found[layer].append(seen.features[layer])
                state.done += len(seen.hashes)
                yield state
            rows[name] = torch.arange(start, len(owner))
        self.cache.save()
        for layer in self.layers:
            geometry = _Geometry.of(torch.cat(found[layer]).double(), slopes[layer])
            for name, sets in self._sets(rows):
                state.scores.append(self._score(name, layer, sets, geometry))
                state.done += 1
                yield _corrected(state)

    def _places(self) -> list[Any]:
        example = self._class_tensor[:1]
        listed = self.adapter.layers(example, suggest=False)
        return [find(name, listed, self.adapter.replica()) for name in self.layers]

    def _slopes(self, state: TCAV, passes: Passes) -> dict[str, Tensor]:
        """The class's derivatives (J, d) at each layer."""
        self._class_tensor = self.adapter.read(self.class_images).tensor
        output = self.adapter.outputs(self._class_tensor)
        names = self.adapter.labels(output.shape[1])
        target = resolve(self.target, output, names)
        state.target = target.names(names)[0]
        self._check_class(output, target, state)
        reader = Reader(self.adapter, self._places(), self.space, passes)
        parts = list(reader.slopes(self._class_tensor, target))
        slopes = {layer: torch.cat([part[layer] for part in parts]) for layer in self.layers}
        for layer, slope in slopes.items():
            if not bool(slope.any()):
                raise LayerError(
                    f"The score of {state.target} has no gradient at {layer!r}.",
                    "Choose a layer that the class depends on.",
                )
        return {layer: slope.double() for layer, slope in slopes.items()}

    def _check_class(self, output: Tensor, target: Target, state: TCAV) -> None:
        if target.function is not None:
            return
        as_class = int((output.argmax(1).cpu() == torch.tensor(target.index)).sum())
        if as_class == 0:
            raise InputError(
                f"None of the {len(output)} class pictures is predicted as {state.target}.",
                "Give pictures of the class, or check target= and preprocess=.",
            )
        if as_class < len(output) / 2:
            state.notices.append(
                f"Only {as_class} of the {len(output)} class pictures are predicted as "
                f"{state.target}."
            )

    def _sets(self, rows: dict[str, Tensor]) -> Iterator[tuple[str, Sets]]:
        pool = rows["random pictures"]
        draws = self.permutations, self.runs, self.seed
        for concept in self.concepts:
            yield concept.name, draw(rows[concept.name], pool, *draws)
        for one, other in self.relative:
            yield f"{one} against {other}", draw(rows[one], pool, *draws, against=rows[other])

    def _score(self, name: str, layer: str, sets: Sets, geometry: _Geometry) -> ConceptScore:
        everyone = torch.ones_like(sets.sides, dtype=torch.bool)
        found = in_blocks(geometry.gram, sets.rows, sets.sides, everyone, self.estimator)
        along = geometry.changes(found.weights, sets.rows, sets.sides)
        shares, sizes = (along > 0).double().mean(1), along.mean(1)
        magnitude = _by_problem(sizes, sets.problem)
        concept = sets.problem == 0
        accuracy = _by_problem(self._held_out(sets, geometry), sets.where(sets.run == 0).problem)
        own = sets.of_concept()
        direction, distance, origin = geometry.along(found.weights[concept], own)
        scores = shares[concept]
        random_scores = shares[(sets.run == 0) & ~concept]
        return ConceptScore(
            name, layer, self.estimator,
            score=float(scores.mean()),
            runs=scores,
            random_scores=random_scores,
            magnitude=float(magnitude[0]),
            null=magnitude[1:],
            p=permutation_p(float(magnitude[0]), magnitude[1:]),
            q=1.0,
            accuracy=float(accuracy[0]),
            accuracy_p=above_p(float(accuracy[0]), accuracy[1:]),
            literature_p=t_test_p(scores, random_scores),
            derivatives=along[concept].mean(0),
            direction=direction.float(),
            distance=distance,
            origin=origin,
            space=self.space,
            weights=str(self.adapter.weight_hash),
            alpha=self.alpha,
        )  # fmt: skip

    def _held_out(self, sets: Sets, geometry: _Geometry) -> Tensor:
        """Accuracy on held-out pictures of the first run of each problem, both sides alike."""
        first = sets.where(sets.run == 0)
        right = torch.zeros_like(first.sides)
        for held in folds(first.sides[0], min(FOLDS, int((first.sides[0] > 0).sum()))):
            counts = (~held).expand_as(first.sides)
            fits = in_blocks(geometry.gram, first.rows, first.sides, counts, self.estimator).fits
            right[:, held] = ((fits * first.sides) > 0).double()[:, held]
        positive = first.sides[0] > 0
        return (right[:, positive].mean(1) + right[:, ~positive].mean(1)) / 2


@dataclass
class _Geometry:
    """All that the tests need of a layer: features (P, d) about their centre (d,), their Gram
    matrix and their inner products with the class's derivatives (P, J)."""

    features: Tensor
    centre: Tensor
    gram: Tensor
    towards: Tensor

    @classmethod
    def of(cls, features: Tensor, slopes: Tensor) -> _Geometry:
        if not bool(features.isfinite().all()):
            raise LayerError("The activations are NaN or infinite.", "Check the weights.")
        centre = features.mean(0)
        centred = features - centre
        return cls(centred, centre, centred @ centred.T, centred @ slopes.T)

    def changes(self, weights: Tensor, rows: Tensor, sides: Tensor) -> Tensor:
        """Changes (B, J) of the class's scores along the directions, over as far as the two sides
        lie apart there."""
        spread = self._spread(weights, rows)
        along = spread @ self.gram
        length = (along * spread).sum(1).clamp(min=1e-24)
        shown = along.gather(1, rows)
        means = [
            (shown * side).sum(1) / side.sum(1)
            for side in ((sides > 0).double(), (sides < 0).double())
        ]
        apart: Tensor = (means[0] - means[1]) / length
        return (spread @ self.towards) * apart[:, None]

    def along(self, weights: Tensor, sets: Sets) -> tuple[Tensor, float, float]:
        """The mean (d,) of the directions at unit length, how far the sides lie apart on it, and
        where the negative one lies."""
        mean = self._spread(weights, sets.rows).mean(0)
        direction = torch.nn.functional.normalize(mean @ self.features, dim=0)
        shown = (self.features @ direction)[sets.rows]
        ahead, behind = (float(shown[side].mean()) for side in (sets.sides > 0, sets.sides < 0))
        return direction, ahead - behind, behind + float(self.centre @ direction)

    def _spread(self, weights: Tensor, rows: Tensor) -> Tensor:
        """Weights (B, n) of rows (B, n) as weights of the whole pool (B, P)."""
        return weights.new_zeros(len(rows), len(self.gram)).scatter_add_(1, rows, weights)


def given(concepts: Sequence[Concept] | Mapping[str, Any]) -> list[Concept]:
    """Concepts of whatever the user gave. Raises InputError."""
    listed: list[Any] = list(concepts)
    if isinstance(concepts, Mapping):
        listed = [Concept(str(name), examples) for name, examples in concepts.items()]
    if not listed or not all(isinstance(concept, Concept) for concept in listed):
        raise InputError("There are no concepts.", "Give Concept objects, or a dict of pictures.")
    return listed


def pooled_sets(random_sets: Any) -> Any:
    """Random pictures as one pool, whether given as one set or as several."""
    if isinstance(random_sets, Tensor):
        return random_sets
    sets: list[Any] = [s.examples if isinstance(s, Concept) else s for s in random_sets]
    if sets and all(isinstance(s, Tensor) and s.ndim == 4 for s in sets):
        return torch.cat(sets)
    if sets and all(isinstance(s, list | tuple) for s in sets):
        return [picture for s in sets for picture in s]
    return sets


def _register(owner: dict[str, str], seen: Seen, name: str) -> None:
    """Notes whose each picture is. Raises InputError when a picture is there twice."""
    for number, key in enumerate(seen.hashes):
        if key in owner:
            where = "twice in" if owner[key] == name else f"in {owner[key]} and in"
            raise InputError(
                f"The same picture is {where} {name} (number {number} of a batch).",
                "Take it out of one of them: a picture cannot stand on both sides.",
            )
        owner[key] = name


def _by_problem(values: Tensor, problem: Tensor) -> Tensor:
    """The mean of the values (B,) over the runs of each problem."""
    count = torch.bincount(problem).to(values)
    sums: Tensor = torch.zeros_like(count).index_add_(0, problem, values)
    return sums / count


def _corrected(state: TCAV) -> TCAV:
    """The same with q values for all that is known so far."""
    corrected = false_discovery([score.p for score in state.scores])
    state.scores = [replace(score, q=q) for score, q in zip(state.scores, corrected, strict=True)]
    return state


__all__ = ["Test", "tcav"]
