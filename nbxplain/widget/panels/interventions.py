"""What a concept bottleneck sees in the explained picture or row, and what follows if corrected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbxplain.concepts.bottleneck import Bottleneck, Intervention, State
from nbxplain.concepts.bottleneck.base import Sight
from nbxplain.concepts.bottleneck.labels import known
from nbxplain.concepts.bottleneck.layer import LayerBottleneck
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs
from nbxplain.core.jobs import Job
from nbxplain.widget import protocol
from nbxplain.widget.desk import Handler, Reply, failure
from nbxplain.widget.panels.panel import Panel

if TYPE_CHECKING:
    from nbxplain.explorer import Explorer

SHOWN, JOINED = 5, 3
"""Classes that are shown: the best as the model says, and the best by corrections."""


@dataclass(frozen=True)
class Seen:
    """Concepts and classes before and after the corrections."""

    intervention: Intervention
    done: int = 1
    total: int = 1


class Interventions(Panel[Seen]):
    """The concepts of a bottleneck that an Explorer explains, and the classes that follow.

    `correct` says what a concept is, here or on the page; `state` has what follows. They raise
    InputError where the explained model is no ConceptBottleneck.
    """

    def __init__(self, explorer: Explorer) -> None:
        super().__init__(explorer)
        self.bottleneck: Bottleneck | None = None
        self._corrections: dict[str, float] = {}
        self._sight: tuple[Inputs, object, Sight] | None = None
        self._latest: Intervention | None = None

    # What a user calls

    def correct(self, corrections: Mapping[str, float | None]) -> None:
        """Says what concepts are: {"striped": 1, "round": None}, from 0, absent, to 1, present;
        None takes the model's word again. Others stay as they were corrected.

        Raises InputError for an unknown concept or a value outside [0, 1].
        """
        bottleneck = self._found()
        given = {name: value for name, value in corrections.items() if value is not None}
        known({**dict.fromkeys(corrections, 0.0), **given}, bottleneck.concept_names, 1)
        kept = {n: v for n, v in self._corrections.items() if n not in corrections}
        self._corrections = {**kept, **{name: float(value) for name, value in given.items()}}
        self._look()

    def reset(self) -> None:
        """Takes the model's word for all concepts again."""
        self.correct(dict.fromkeys(self._corrections))

    @property
    def state(self) -> State:
        """Concepts and classes of the explained picture or row, corrected as they are now."""
        return self.result.after

    @property
    def result(self) -> Intervention:
        """The same beside what the model says uncorrected; it can be drawn."""
        self._found()
        self.wait()
        assert self._latest is not None
        return self._latest

    # What the page asks and is told

    def handlers(self) -> dict[str, Handler]:
        """One request: to intervene."""
        return {"intervene": self._intervene}

    def _intervene(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        self.correct(content["corrections"])
        return {}, []

    def renew(self) -> None:
        self._corrections, self._sight, self._latest = {}, None, None
        self._explorer._bottleneck = None
        if self.bottleneck is not None and self._explorer._study is not None:
            self._look()

    def tell(self, job: Job[Seen]) -> None:
        if job.id != self._jobs or job.state not in ("done", "error"):
            return
        if job.latest is not None:
            self._latest = job.latest.intervention
        self._explorer._bottleneck = dict(self._shown())

    def _shown(self) -> protocol.Bottleneck:
        error = None if self._failed is None else failure(self._failed)
        if self._latest is None:
            return {"concepts": [], "choices": [], "next": None, "reading": "", "failure": error}
        after = self._latest.after.as_dict()
        corrections, unsure = after["corrections"], after["uncertainty"]
        concepts: list[protocol.SeenConcept] = [
            {
                "name": name,
                "probability": probability,
                "uncertainty": uncertainty,
                "corrected": corrections.get(name),
            }
            for name, probability, uncertainty in zip(
                after["concepts"], after["probabilities"], unsure, strict=True
            )
        ]
        return {
            "concepts": concepts,
            "choices": self._choices(self._latest),
            "next": next(iter(after["next"]), None),
            "reading": self._latest.reading() if corrections else "",
            "failure": error,
        }

    def _choices(self, found: Intervention) -> list[protocol.Moved]:
        states = (found.before, found.after)
        before, after = (state.class_probabilities[0].tolist() for state in states)
        own = self._explorer._labels
        names = own if len(own) == len(before) else found.before.classes
        first = sorted(range(len(before)), key=lambda i: -before[i])[:SHOWN]
        best = sorted(range(len(after)), key=lambda i: -after[i])[:JOINED]
        return [
            {"index": i, "label": names[i], "before": before[i], "after": after[i]}
            for i in [*first, *(i for i in best if i not in first)]
        ]

    # Within

    def _found(self) -> Bottleneck:
        if self.bottleneck is None:
            raise InputError(
                "The explained model shows no concepts.",
                "Explain a ConceptBottleneck, or the one that ConceptBottleneck.of finds.",
            )
        return self.bottleneck

    def _look(self) -> None:
        """Asks the model on the worker; what it sees is kept while its weights stay."""
        explorer, bottleneck = self._explorer, self._found()
        study, corrections = explorer._study, dict(self._corrections)
        assert study is not None
        inputs = study.setting.inputs

        def steps(cancelled: Callable[[], bool]) -> Iterator[Seen]:
            version, names, last = explorer._adapter.version, bottleneck.concept_names, self._sight
            if last is not None and last[0] is inputs and last[1] == version:
                sight = last[2]
            else:
                sight = bottleneck.look(inputs)
                self._sight = inputs, version, sight
            states = (sight.state(names, known(said, names, 1)) for said in ({}, corrections))
            yield Seen(Intervention(*states))

        self.start(steps)


def inside(model: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The model inside a bottleneck that ConceptBottleneck.of found, and how it is read, where the
    options do not say otherwise; another model as it is."""
    if not isinstance(model, LayerBottleneck):
        return model, options
    read = {n: model.given.get(n) if value is None else value for n, value in options.items()}
    return model.given["model"], read


def bottleneck_of(model: Any, adapter: ModelAdapter) -> Bottleneck | None:
    """The bottleneck that the model is, or that was found inside it."""
    if isinstance(model, Bottleneck):
        return model
    return adapter.model if isinstance(adapter.model, Bottleneck) else None


__all__ = ["Interventions", "bottleneck_of", "inside"]
