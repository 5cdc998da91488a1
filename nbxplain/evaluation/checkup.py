"""A battery of checks of one map: what can be made, what it costs, and one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypedDict, Unpack

from nbxplain.core.errors import ExplanationError, InputError, MethodError, near
from nbxplain.evaluation.case import Case, Explained, Options, case
from nbxplain.evaluation.check import Check, finish
from nbxplain.evaluation.curves import (
    Curve,
    Deletion,
    Insertion,
    deletion_steps,
    insertion_steps,
)
from nbxplain.evaluation.sanity import Sanity, sanity_check_steps
from nbxplain.evaluation.steadiness import QUALITIES, Stability, kinds_of, stability_steps

Steps = Callable[..., Iterator[Check]]


class Variants(TypedDict):
    """Options of a stability check."""

    draws: int
    qualities: tuple[int, ...]


POINTS, RANDOM = 33, 10
"""Of the deletion and insertion curves, and orders of random maps beside each."""
STAGES = 4
"""Of the cascade."""
OFTEN: Variants = {"draws": 4, "qualities": QUALITIES}
ONCE: Variants = {"draws": 1, "qualities": (85,)}
DEAR = 1000
"""How often a map is made again for each kind of change, and once from how many forward passes."""
GRADIENT = 3
"""Forward passes that a pass with a gradient takes as long as."""


@dataclass(frozen=True)
class Planned:
    """One check of a battery: what it does in a sentence, and its cost in forward passes.

    `maps` is how often the map is made again, where that is what the passes are for. `obstacle`
    says why it cannot be made of this map; None where it can.
    """

    name: str
    label: str
    does: str
    passes: int
    steps: Steps = field(repr=False)
    maps: int = 0
    obstacle: str | None = None


@dataclass(frozen=True)
class Battery:
    """What the checks of one map have come to: of `planned` those that were begun, in their order.

    `failures` says what could not be made, and does not stop the others. `seconds` is what those
    took that are over. `done` of `total` counts forward passes, roughly.
    """

    planned: tuple[str, ...]
    checks: Mapping[str, Check] = field(default_factory=dict)
    failures: Mapping[str, ExplanationError] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    done: int = 0
    total: int = 1

    def summary(self) -> str:
        """One line a check."""
        lines = [f"{check.label}: {check.reading}" for check in self.checks.values()]
        return "\n".join([*lines, *(f"{name}: {e.title}" for name, e in self.failures.items())])

    def __repr__(self) -> str:
        return f"<Battery\n{self.summary()}>"


def battery(
    model: Any,
    inputs: Any,
    attribution: Explained,
    *,
    checks: Sequence[str] | None = None,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> Battery:
    """Deletion, insertion, stability and a sanity check of a map, the soonest to end first.

    checks: names of those to make; None makes all that can be made. Raises MethodError for an
    unknown name, InputError for a check that cannot be made of this map.
    """
    steps = battery_steps(case(model, inputs, attribution, options), checks=checks)
    return finish(steps, "Checks", progress)


def battery_steps(case: Case, *, checks: Sequence[str] | None = None) -> Iterator[Battery]:
    """The steps of battery: those of each check."""
    chosen = wanted(plan(case), checks)
    told = Battery(tuple(c.name for c in chosen), total=sum(c.passes for c in chosen))
    before = 0
    for one in chosen:
        started = time.perf_counter()
        try:
            for step in one.steps(case):
                share = min(step.done / step.total, 1)
                done = before + int(share * one.passes)
                told = replace(told, checks={**told.checks, one.name: step}, done=done)
                if step.complete:
                    took = time.perf_counter() - started
                    told = replace(told, seconds={**told.seconds, one.name: took})
                yield told
        except ExplanationError as error:
            done = before + one.passes
            told = replace(told, failures={**told.failures, one.name: error}, done=done)
            yield told
        before += one.passes


def wanted(planned: Sequence[Planned], names: Sequence[str] | None) -> list[Planned]:
    """The checks of these names, or all that can be made. Raises MethodError, InputError."""
    known = {one.name: one for one in planned}
    for name in names or ():
        if name not in known:
            raise MethodError(
                f"There is no check {name!r} in the battery.",
                near(name, known) or f"It has {', '.join(known)}.",
            )
        obstacle = known[name].obstacle
        if obstacle is not None:
            raise InputError(f"{known[name].label}: {obstacle}.", "Leave it out.")
    able = [one.name for one in planned if one.obstacle is None] if names is None else names
    if not able:
        raise InputError("There is no check to make.", f"Name some of {', '.join(known)}.")
    return [one for one in planned if one.name in able]


def plan(case: Case) -> list[Planned]:
    """The checks of a map, the one that is expected to end soonest first."""
    again = case.evaluations
    if case.method is not None and case.method.looks_inside():
        again *= GRADIENT
    planned = [
        _sanity(case, again),
        _stability(case, again),
        _curve(case, Deletion, deletion_steps, "taken away", "fall"),
        _curve(case, Insertion, insertion_steps, "put back", "rise"),
    ]
    return sorted(planned, key=lambda one: (one.obstacle is not None, one.passes))


def _sanity(case: Case, again: int) -> Planned:
    return Planned(
        Sanity.name,
        Sanity.label,
        f"The weights of a copy are shuffled in {STAGES} steps, from the top layer down: a map of "
        "what was learned must change.",
        STAGES * again,
        partial(sanity_check_steps, stages=STAGES, independent=False),
        STAGES,
        _bare(case) or _weightless(case),
    )


def _stability(case: Case, again: int) -> Planned:
    options = ONCE if again >= DEAR else OFTEN
    kinds = [] if _bare(case) else kinds_of(case)
    count = sum(len(options["qualities"]) if k == "JPEG" else options["draws"] for k in kinds)
    return Planned(
        Stability.name,
        Stability.label,
        f"{count} variants that should not matter are explained ({', '.join(kinds)}): the map must "
        "stay.",
        count * again,
        partial(stability_steps, **options),
        count,
        _bare(case) or (None if kinds else "nothing of this row can be varied"),
    )


def _curve(case: Case, kind: type[Curve], steps: Steps, moved: str, moves: str) -> Planned:
    points = min(POINTS, case.inputs.tensor[0].numel() + 1)
    return Planned(
        kind.name,
        kind.label,
        f"The map's highest places are {moved} first: the score must {moves} sooner than for "
        f"{RANDOM} random orders.",
        len(case) * (2 + (points - 2) * (1 + RANDOM)),
        partial(steps, points=POINTS, random=RANDOM),
    )


def _bare(case: Case) -> str | None:
    return "a map alone cannot be made again" if case.method is None else None


def _weightless(case: Case) -> str | None:
    adapter = case.setting.adapter
    if adapter.has_inside and next(adapter.model.parameters(), None) is not None:
        return None
    return "the model has no weights that could be shuffled"


__all__ = ["Battery", "Planned", "battery", "battery_steps", "plan", "wanted"]
