"""Tests of concepts in the form in which they cross to the browser, and the round that makes them.

A round asks the same question with several estimators, one after the other; they share the features
of the pictures, so all but the first cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from PIL import Image
from torch import Tensor

from nbxplain.concepts import TCAV, ConceptScore
from nbxplain.concepts.found import Discovery
from nbxplain.concepts.steering import Steering
from nbxplain.concepts.tcav import Test
from nbxplain.core.passes import Passes
from nbxplain.widget import protocol
from nbxplain.widget.panels import tray
from nbxplain.widget.protocol import Aligned, Null, Picture, Tested

BINS = 25
ALIGNED = 4
"""Pictures of the class that are shown as the most and as the least aligned ones."""
DISCOVERED = 8
"""Crops that are shown of a discovered concept."""
MEASURES = {
    "ablation": "what the score loses without it",
    "sobol": "share of the score's variance that it has a hand in",
    "tcav": "magnitude of its TCAV score",
}


@dataclass
class Round:
    """TCAVs of several estimators; the first is the one that is read. `squares` are the pictures of
    the class, small."""

    squares: Sequence[Image.Image]
    estimators: int
    relative: Sequence[tuple[str, str]] = ()
    results: list[TCAV] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many scores there are."""
        return sum(len(result.scores) for result in self.results)

    @property
    def done(self) -> int:
        return sum(result.done for result in self.results)

    @property
    def total(self) -> int:
        known = [result.total for result in self.results] or [1]
        return sum(known) + known[-1] * (self.estimators - len(known))

    def told(self) -> tuple[list[Tested], Picture | None]:
        """All scores so far, as drawn, and a strip of the pictures of the class that they name."""
        scores = [list(result.scores) for result in self.results]
        named = {row for score in chain(*scores[:1]) for end in _ends(score) for row in end}
        faces = sorted(named)
        tested = [
            scored(score, faces if number == 0 else None, self.relative)
            for number, result in enumerate(scores)
            for score in result
        ]
        return tested, tray.strip([self.squares[row] for row in faces])


def asking(
    tests: Sequence[Test], squares: Sequence[Image.Image], passes: Callable[[], Passes]
) -> Iterator[Round]:
    """Yields after every batch of pictures and every score."""
    found = Round(squares, len(tests), tests[0].relative)
    for test in tests:
        for number, result in enumerate(test.steps(passes())):
            if number == 0:
                found.results.append(result)
            yield found


def scored(
    score: ConceptScore, faces: Sequence[int] | None, relative: Sequence[tuple[str, str]]
) -> Tested:
    """One score, with the pictures of the class that are most and least aligned if they are shown;
    `faces` are the rows that are."""
    pairs = {f"{one} against {other}": (one, other) for one, other in relative}
    concept, against = pairs.get(score.concept, (score.concept, ""))
    low, high = np.quantile(score.runs.numpy(), [0.025, 0.975]).tolist()
    return {
        "concept": concept,
        "against": against,
        "layer": score.layer,
        "estimator": score.estimator,
        "score": score.score,
        "spread": [low, high],
        "magnitude": score.magnitude,
        "null": histogram(score.null),
        "p": score.p,
        "q": score.q,
        "accuracy": score.accuracy,
        "accuracy_p": score.accuracy_p,
        "literature_p": score.literature_p,
        "alpha": score.alpha,
        "found": score.found,
        "significant": score.significant,
        "verdict": score.verdict,
        "aligned": None if faces is None else aligned(score, faces),
    }


def histogram(values: Tensor) -> Null:
    """Values (R,) in bins of equal width."""
    counts, edges = np.histogram(values.numpy(), BINS)
    return {"low": float(edges[0]), "high": float(edges[-1]), "counts": counts.tolist()}


def aligned(score: ConceptScore, faces: Sequence[int]) -> Aligned:
    """The pictures of the class whose score the concept raises most, and least, as places in
    `faces`."""
    most, least = _ends(score)
    changes = score.derivatives.tolist()
    return {
        "most": [faces.index(row) for row in most],
        "least": [faces.index(row) for row in least],
        "raised": [changes[row] for row in most],
        "lowered": [changes[row] for row in least],
    }


def _ends(score: ConceptScore) -> tuple[list[int], list[int]]:
    order = score.order
    count = min(ALIGNED, len(order) // 2)
    return order[:count], order[::-1][:count]


def steered(found: Steering) -> protocol.Steering:
    """The prediction for the explained picture against the dose of a concept."""
    doses = range(len(found.doses))
    turn = found.turning()
    return {
        "concept": found.cav.name,
        "layer": found.cav.layer,
        "target": found.target[0],
        "doses": found.doses.tolist(),
        "scores": found.scores[0].tolist(),
        "best": [best[0].label if (best := found.at(place).top(1)) else "" for place in doses],
        "turning": None if turn is None else turn[0],
        "random": [ends.tolist() for ends in found.random[:1].flatten(0, 1)],
        "farther": found.farther(),
    }


def discovered(
    found: Discovery, square: Callable[[Tensor], Image.Image], kept: Mapping[str, str]
) -> protocol.Discovery:
    """Concepts that nobody named yet, the most important first."""
    return {
        "way": found.method,
        "layer": found.layer,
        "target": found.target,
        "measure": MEASURES[found.importance],
        "explained": found.explained,
        "concepts": [
            {
                "name": one.concept.name,
                "importance": one.importance,
                "error": one.error,
                "shown": min(len(one.concept), DISCOVERED),
                "strip": tray.strip([square(crop) for crop in one.concept.examples[:DISCOVERED]]),
                "kept": kept.get(one.concept.name, ""),
            }
            for one in list(found.concepts)
        ],
    }


__all__ = ["Round", "asking", "discovered", "scored", "steered"]
