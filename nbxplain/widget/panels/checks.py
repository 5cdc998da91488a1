"""The Check panel: what was found out about the explanation that is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any, Literal

from nbxplain.core.errors import InputError
from nbxplain.core.jobs import Job
from nbxplain.evaluation.case import Case
from nbxplain.evaluation.check import Check
from nbxplain.evaluation.checkup import (
    GRADIENT,
    Battery,
    Planned,
    battery_steps,
    plan,
    wanted,
)
from nbxplain.results import Attribution
from nbxplain.widget import protocol, wire
from nbxplain.widget.cells import weakly
from nbxplain.widget.desk import Handler, Reply
from nbxplain.widget.panels.checked import SMALLER, checked
from nbxplain.widget.panels.panel import Panel
from nbxplain.widget.traits import IDLE

if TYPE_CHECKING:
    from nbxplain.explorer import Explorer

INTERVAL = 0.2
"""Seconds between two states of a running check on the page."""
LONG = 60.0
"""Seconds up to which a check is suggested."""

State = Literal["queued", "running", "done", "stopped", "failed"]


@dataclass
class Run:
    """A battery for the result `id`, and how far it has come."""

    id: str
    attribution: Attribution
    chosen: list[Planned]
    job: int
    stopping: Event
    battery: Battery = field(default_factory=lambda: Battery(()))


class Checks(Panel[Battery]):
    """The panel's Python side: `run`, `stop`, `wait`, and the `results` of what is shown.

    What was found belongs to the result: it is in its `checks`, and so in its figures, files and
    history.
    """

    def __init__(self, explorer: Explorer) -> None:
        super().__init__(explorer)
        self._run: Run | None = None
        self._job: Job[Battery] | None = None
        self._told_at = 0.0
        self._pace: float | None = None
        # A function that is explained has a name in the Spec, and another may have it later.
        self._functions: dict[str, Any] = {}
        self._plan: list[Planned] = []
        explorer.observe(weakly(self._look), "result")

    def run(self, battery: Sequence[str] | None = None) -> None:
        """Puts the shown result through checks, by name; None takes all that do not take long.

        Comes back at once: `wait` waits. Raises InputError where there is nothing to check, or
        where the result is partial or of weights that were changed since; MethodError for an
        unknown check.
        """
        with self._explorer._lock:
            attribution, stopping = self._sound(), Event()
            assert self._explorer._result is not None
            id, case = self._explorer._result["id"], self._case(stopping.is_set)
            planned = plan(case)
            short = [one.name for one in planned if self._suggested(one)]
            chosen = wanted(planned, short if battery is None else battery)
            names = [one.name for one in chosen]
            self._end()
            self._run = Run(id, attribution, chosen, self._jobs + 1, stopping)
            self.start(lambda _: battery_steps(case, checks=names))

    @property
    def results(self) -> dict[str, Check]:
        """What was found out about the result that is shown, by the names of the checks."""
        shown = self._explorer.result
        return {} if shown is None else dict(shown.checks)

    def stop(self) -> None:
        """Stops within the check that runs, and keeps what there is."""
        if self._run is not None:
            self._run.stopping.set()
        super().stop()

    def close(self) -> None:
        """Stops and ends the thread."""
        if self._run is not None:
            self._run.stopping.set()
        super().close()

    def renew(self) -> None:
        """Another picture or row is explained."""
        if self._run is not None:
            self._run.stopping.set()
        self._run = self._job = None
        self._functions.clear()
        self._explorer._checks = None

    def handlers(self) -> dict[str, Handler]:
        """One request: to check."""
        return {"check": self._check}

    def _check(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        shown = self._explorer._result
        if shown is None or shown["id"] != content["result"]:
            raise InputError("This result is no longer shown.", "Show it again to check it.")
        self.run([str(name) for name in content["checks"]])
        return {}, []

    # What is asked

    def _sound(self) -> Attribution:
        """The result that is shown. Raises InputError where it cannot be checked."""
        explorer = self._explorer
        explorer._check_weights()
        shown = explorer.result
        if shown is None:
            raise InputError("There is no result to check.", "Wait for one, or run a method.")
        if not shown.complete:
            raise InputError(
                f"This result was stopped at {shown.done} of {shown.total}.",
                "Resume it first: a partial map cannot be made again.",
            )
        if explorer._stale or shown.provenance["weights"] != explorer._adapter.weight_hash:
            raise InputError(
                "The weights have changed since this map was computed.", "Run it again first."
            )
        return shown

    def _case(self, stopped: Callable[[], bool] = lambda: False) -> Case:
        """The case of the result that is shown."""
        explorer = self._explorer
        assert explorer._study is not None
        assert explorer.result is not None
        assert explorer._result is not None
        function = self._functions.get(explorer._result["id"])
        setting = explorer._study.targeted(explorer._result["spec"], function)
        return Case.of(explorer.result, setting, lambda: explorer._passes(stopped))

    def _seconds(self, planned: Planned) -> float:
        """What a check will take: for each map as long as this one took, or so many passes."""
        shown, study = self._explorer.result, self._explorer._study
        assert shown is not None
        assert study is not None
        (took,) = shown.evidence["seconds"]
        if planned.maps:
            return planned.maps * took
        paces = [study.pace]
        if shown.method.looks_inside():
            # In batches passes are faster than the first one, which was of one input.
            paces.append(took / (GRADIENT * shown.evidence["evaluations"][0]))
        return planned.passes * (self._pace or min(paces))

    def _learn(self, run: Run) -> None:
        """From then on the pace of forward passes is that of those which a check has made."""
        for one in run.chosen:
            if one.name in run.battery.seconds and not one.maps:
                self._pace = run.battery.seconds[one.name] / one.passes

    def _suggested(self, planned: Planned) -> bool:
        return planned.obstacle is None and self._seconds(planned) <= LONG

    # What the page is told

    def _look(self, change: Any) -> None:
        """Another result is shown."""
        explorer = self._explorer
        if explorer._closed or explorer.result is None or explorer._result is None:
            return
        self._functions.setdefault(explorer._result["id"], explorer._function)
        self._plan = plan(self._case()) if explorer.result.complete else []
        self._show()

    def tell(self, job: Job[Battery]) -> None:
        """Called on the worker after each step."""
        run = self._run
        if run is None or job.id != run.job:
            return
        self._job, before = job, run.battery
        run.battery = job.latest or before
        self._found(run)
        more = len(run.battery.checks) > len(before.checks)
        if self._ended:
            self._learn(run)
            self._keep(run)
        if self._ended or more or time.monotonic() - self._told_at > INTERVAL:
            self._told_at = time.monotonic()
            self._show()

    def _found(self, run: Run) -> None:
        """Adds what there is to the result. A part takes the place of nothing that is complete."""
        known = run.attribution.checks
        new = {
            name: check
            for name, check in run.battery.checks.items()
            if check.complete or name not in known or not known[name].complete
        }
        run.attribution.checks = {**known, **new}

    @property
    def _ended(self) -> bool:
        return self._job is not None and self._job.state in ("done", "cancelled", "error")

    def _end(self) -> None:
        """Ends what is under way, for something else takes its place."""
        if self._run is not None and not self._ended:
            self._run.stopping.set()
            self._keep(self._run)

    def _keep(self, run: Run) -> None:
        """What was found becomes part of the result, wherever that is shown."""
        explorer, found = self._explorer, run.attribution.checks.values()
        drawn = [checked(check) for check in found]
        explorer._past.check(run.id, drawn, [checked(check, SMALLER) for check in found])
        explorer._publish_history()
        if explorer._result is not None and explorer._result["id"] == run.id:
            explorer._result = {**explorer._result, "checks": drawn}

    def _show(self) -> None:
        run = self._run
        told: protocol.Checks = {
            "job": IDLE if self._job is None else wire.job(self._job),
            "offers": [self._offer(planned) for planned in self._plan],
            "result": None if run is None else run.id,
            "underway": [] if run is None else self._underway(run),
        }
        self._explorer._checks = dict(told)

    def _offer(self, planned: Planned) -> protocol.Offer:
        return {
            "name": planned.name,
            "label": planned.label,
            "does": planned.does,
            "seconds": round(self._seconds(planned), 1),
            "suggested": self._suggested(planned),
            "obstacle": planned.obstacle,
        }

    def _underway(self, run: Run) -> list[protocol.Underway]:
        """The checks of a run; once it has ended, what they came to is part of the result."""
        error = None if self._job is None else self._job.error
        told: list[protocol.Underway] = []
        open_ends: list[State] = ["stopped"] if self._ended else ["running", "queued"]
        for one in run.chosen:
            check = run.battery.checks.get(one.name)
            trouble: Exception | None = run.battery.failures.get(one.name)
            state: State
            if trouble is None and check is not None and check.complete:
                state = "done"
            elif trouble is None:
                # The first that is not over is the one that runs, or that the error came from.
                state, trouble, error = open_ends[0], error, None
                open_ends = open_ends[-1:]
            if trouble is not None:
                state = "failed"
            told.append(
                {
                    "name": one.name,
                    "label": one.label,
                    "state": state,
                    "checked": None if check is None or self._ended else checked(check),
                    "trouble": "" if trouble is None else str(trouble),
                }
            )
        return told
