"""Rows that the model decides otherwise: found beside the explained row, and taken in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast
from uuid import uuid4

import torch
from torch import Tensor

from nbxplain.core.errors import ExplanationError, InputError
from nbxplain.core.inputs import Inputs
from nbxplain.core.jobs import Job
from nbxplain.counterfactuals.bounds import Allowed, Monotone, Ranges
from nbxplain.counterfactuals.causal import CausalGraph
from nbxplain.counterfactuals.find import Plan, Search, searching
from nbxplain.counterfactuals.result import Counterfactuals
from nbxplain.counterfactuals.wish import Desired
from nbxplain.results import Prediction
from nbxplain.widget import protocol, rows, wire
from nbxplain.widget.desk import Handler, Reply, failure
from nbxplain.widget.panels.panel import Panel
from nbxplain.widget.panels.taken import taken
from nbxplain.widget.traits import IDLE

if TYPE_CHECKING:
    from nbxplain.explorer import Explorer

EVERY = 0.2
"""Seconds between two looks at what a search has so far."""


@dataclass
class Seen:
    """What a search has so far, and what the model says of the rows (1 + k, F)."""

    result: Counterfactuals
    said: Prediction

    @property
    def done(self) -> int:
        return self.result.done

    @property
    def total(self) -> int:
        return self.result.total


class Alternatives(Panel[Seen]):
    """The Edit tab of a table: what would have to be different.

    `find` starts a search, here or from the page; `wait` for the `result`.
    """

    def __init__(self, explorer: Explorer) -> None:
        super().__init__(explorer)
        self.result: Counterfactuals | None = None
        self._costs: Mapping[str, float] = {}
        self._graph = CausalGraph()
        self._asked: protocol.Asked | None = None
        self._item = ""

    # What a user calls

    def find(
        self,
        desired: Desired | None = None,
        *,
        k: int = 4,
        search: Search = "auto",
        immutable: Sequence[str] = (),
        ranges: Ranges | None = None,
        monotone: Monotone | None = None,
        costs: Mapping[str, float] | None = None,
        causal_graph: CausalGraph | None = None,
    ) -> None:
        """Searches k rows near the explained one that are decided as `desired`: see
        `nbxplain.counterfactuals`. Without `desired` the second most probable class is meant.

        costs and causal_graph, once given, hold for what the page asks for as well. Raises
        InputError where no row of a table is explained; what else is wrong, `wait` raises and the
        page shows.
        """
        inputs = self._inputs()
        if costs is not None:
            self._costs = dict(costs)
        if causal_graph is not None:
            self._graph = causal_graph
        desired = self._second() if desired is None else desired
        allowed = Allowed(immutable, ranges or {}, monotone or {}, self._costs, self._graph)
        plan = Plan(search, k)
        asked: protocol.Asked = {
            "desired": list(desired)
            if isinstance(desired, tuple)
            else self._explorer._index(desired),
            "k": k,
            "search": search,
            "immutable": list(immutable),
            "monotone": dict(monotone or {}),
            "ranges": {name: [float(end) for end in ends] for name, ends in (ranges or {}).items()},
        }
        adapter = self._explorer._adapter

        def steps(cancelled: Callable[[], bool]) -> Iterator[Seen]:
            for result in searching(
                adapter, inputs, desired, allowed, plan, cancelled=cancelled, every=EVERY
            ):
                yield Seen(result, self._said(result, inputs))

        with self._explorer._lock:
            self.result, self._asked, self._item = None, asked, uuid4().hex[:12]
            self._explorer._alternatives = dict(self._nothing(asked, inputs))
        self.start(steps)

    def explain(self, place: int, item: str = "") -> None:
        """The row found at `place`, from 1, becomes the explained one; 0 is the row as it was.

        item: the id of an earlier search in the history.
        """
        result = self._found(item)
        if not 0 <= place <= result.rows.shape[1]:
            raise InputError(
                f"There is no alternative {place}.", f"There are {result.rows.shape[1]}."
            )
        self._explorer.row = result.table.row(_rows(result)[place])

    # Requests

    def handlers(self) -> dict[str, Handler]:
        return {"alternatives": self._find, "alternative": self._act}

    def _find(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        asked = cast(protocol.Asked, content["asked"])
        desired = asked["desired"]
        self.find(
            (float(desired[0]), float(desired[1])) if isinstance(desired, list) else int(desired),
            k=int(asked["k"]),
            search=asked["search"],
            immutable=[str(name) for name in asked["immutable"]],
            ranges={
                name: (float(low), float(high)) for name, (low, high) in asked["ranges"].items()
            },
            monotone=dict(asked["monotone"]),
        )
        return {}, []

    def _act(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        action, item = str(content["action"]), str(content["item"])
        if action == "explain":
            self.explain(int(content["place"]), item)
            return {}, []
        if action == "code":
            return {"code": self._found(item).code()}, []
        return taken(self._found(item), action, "alternatives")

    # Telling

    def tell(self, job: Job[Seen]) -> None:
        told = self._explorer._alternatives
        if job.id != self._jobs or told is None:
            return  # another search, or another row, came meanwhile
        if job.latest is not None and job.latest.result is not self.result:
            self.result = job.latest.result
            told = told | self._told_of(job.latest)
        error = None if job.error is None else dict(failure(job.error))
        told = {**told, "job": dict(wire.job(job)), "error": error}
        self._explorer._alternatives = told
        if job.state in ("done", "cancelled") and self.result is not None:
            self._keep(cast(protocol.Alternatives, told))

    def renew(self) -> None:
        """Of the rows that were found any can be explained without losing the others."""
        past, told = self._explorer._past, self._explorer._alternatives
        for item in past.items:
            result = past.found[item["id"]]
            place = _place(result, self._explorer.row)
            if place is None:
                past.forget(item["id"])
            else:
                rows: protocol.Alternatives = {**item["rows"], "explained": place}
                past.keep({**item, "rows": rows}, result)
        place = None if self.result is None else _place(self.result, self._explorer.row)
        if told is not None and place is not None:
            self._explorer._alternatives = {**told, "explained": place}
            return
        self.stop()
        self.result = self._asked = self._explorer._alternatives = None

    def _keep(self, told: protocol.Alternatives) -> None:
        """What was found stands in the history."""
        name = f"→ {told['desired']}"
        item: protocol.HistoryItem = {
            "id": self._item,
            "name": name,
            "pinned": False,
            "rows": told,
        }
        self._explorer._past.keep(item, self.result)
        self._explorer._publish_history()

    def _nothing(self, asked: protocol.Asked, inputs: Inputs) -> protocol.Alternatives:
        desired = asked["desired"]
        assert inputs.table is not None
        return {
            "job": {**IDLE, "state": "queued"},
            "error": None,
            "asked": asked,
            "desired": self._explorer._labels[desired]
            if isinstance(desired, int)
            else " to ".join(f"{end:g}" for end in desired),
            "unit": "score",
            "names": list(inputs.table.names),
            "rows": [],
            "explained": 0,
            "diversity": 0.0,
            "search": asked["search"],
            "notices": [],
        }

    def _told_of(self, seen: Seen) -> dict[str, Any]:
        result, said = seen.result, seen.said
        assert self._asked is not None
        desired = self._asked["desired"]
        shares = said.probabilities if isinstance(desired, int) else None
        says = (said.scores if shares is None else shares)[
            :, desired if isinstance(desired, int) else 0
        ]
        encoded = _rows(result)
        unchanged = torch.zeros_like(encoded[:1])
        acted = torch.cat([unchanged, result.actions[0]]) != 0
        differs = encoded != encoded[0]
        found = [
            {
                "cells": _cells(result, encoded[place], acted[place], differs[place]),
                "says": float(says[place]),
                "valid": bool(place and result.valid[0, place - 1]),
                "margin": float(result.margin[0, place - 1]) if place else 0.0,
                "distance": float(result.distance[0, place - 1]) if place else 0.0,
                "changed": int(result.changed[0, place - 1]) if place else 0,
            }
            for place in range(len(encoded))
        ]
        return {
            "unit": "score" if shares is None else "probability",
            "rows": found,
            "diversity": float(result.diversity[0]),
            "search": result.search,
            "notices": list(result.notices),
        }

    # Within

    def _inputs(self) -> Inputs:
        study = self._explorer._study
        if study is None or study.row is None:
            raise InputError(
                "There is no row of a table.",
                "Call explorer.edits.find(desired): it finds what would change a picture.",
            )
        return study.setting.inputs

    def _said(self, result: Counterfactuals, inputs: Inputs) -> Prediction:
        explorer = self._explorer
        assert explorer._study is not None
        now = explorer._study.setting.prediction
        scores = explorer._adapter.outputs(_rows(result).to(inputs.tensor))
        return Prediction(scores.cpu(), now.labels, now.meaning)

    def _second(self) -> Desired:
        assert self._explorer._study is not None
        best = self._explorer._study.setting.prediction.top(2)
        if len(best) < 2:
            raise InputError(
                "The model has one score.", "Give the interval it should be in: (0.5, 1.0)."
            )
        return best[1].index

    def _found(self, item: str = "") -> Counterfactuals:
        if item:
            found = self._explorer._past.found.get(item)
            if not isinstance(found, Counterfactuals):
                raise InputError("These rows are no longer kept.", "Search them again.")
            return found
        if self.result is None:
            raise ExplanationError("There are no alternatives yet.", "Call find first.")
        return self.result


def _rows(result: Counterfactuals) -> Tensor:
    """The row as it was, then those found (1 + k, F)."""
    return torch.cat([result.original[:1], result.rows[0]])


def _place(result: Counterfactuals, row: dict[str, Any] | None) -> int | None:
    """Where the row is among those of `_rows`."""
    known = [result.table.row(one) for one in _rows(result)]
    return known.index(row) if row in known else None


def _cells(
    result: Counterfactuals, row: Tensor, acted: Tensor, differs: Tensor
) -> list[protocol.Cell]:
    values, shown = rows.plain(result.table, row), result.table.shown(row)
    how: list[Literal["", "acted", "followed"]] = [
        "acted" if mine else "followed" if other else ""
        for mine, other in zip(acted.tolist(), differs.tolist(), strict=True)
    ]
    return [
        {"value": value, "shown": text, "changed": changed}
        for value, text, changed in zip(values, shown, how, strict=True)
    ]


__all__ = ["Alternatives"]
