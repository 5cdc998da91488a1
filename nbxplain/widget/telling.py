"""From jobs to traits: what the worker tells the page. Runs on the worker, under the lock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal
from uuid import uuid4
from weakref import WeakKeyDictionary

from traitlets import TraitError

from nbxplain.compare import Comparison
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import ExplanationError, InputError
from nbxplain.core.jobs import Job, Worker
from nbxplain.results import Attribution
from nbxplain.widget import protocol, wire
from nbxplain.widget.desk import Desk, failure
from nbxplain.widget.frames import Frames
from nbxplain.widget.history import History
from nbxplain.widget.study import Study
from nbxplain.widget.traits import IDLE, Traits

Answer = Attribution | Comparison
"""What a job works towards."""


class Telling(Traits):
    """Traits that follow the jobs of a worker: progress, frames, results, comparisons, errors."""

    comparison: Comparison | None

    _adapter: ModelAdapter
    _study: Study | None
    _worker: Worker[Answer]
    _desk: Desk
    _frames: Frames
    _past: History
    _greeted: bool = False

    def __init__(self, **options: Any) -> None:
        self._lock = threading.RLock()
        self._muted = threading.local()
        self._closed = False
        self._past = History()
        self._frames = Frames(self._post)
        self._asked: protocol.Spec | None = None
        self._specs: WeakKeyDictionary[Job[Answer], protocol.Spec] = WeakKeyDictionary()
        self._drafts: WeakKeyDictionary[Job[Answer], Any] = WeakKeyDictionary()
        self._compared: tuple[Literal["methods", "targets"], list[protocol.Spec]] = "methods", []
        self._failed: Exception | None = None
        self._seen_version: tuple[object, ...] | None = None
        self._compared_version: tuple[object, ...] | None = None
        self.comparison = None
        super().__init__(**options)

    @contextmanager
    def _mute(self) -> Iterator[None]:
        """Trait changes of this thread ask for nothing."""
        before = getattr(self._muted, "on", False)
        self._muted.on = True
        try:
            yield
        finally:
            self._muted.on = before

    def _told(self, job: Job[Answer]) -> None:
        with self._lock:
            if self._closed:
                return
            ended = job.state in ("done", "cancelled", "error")
            if job.state != "done" and ended and self._asked is self._specs.get(job):
                self._asked = None
            if not job.dropped:
                self._tell(job, ended)
            if ended and job in self._drafts:
                # After its frame: an answer says that nothing more will come.
                self._desk.answer(self._drafts.pop(job), job.error)

    def _tell(self, job: Job[Answer], ended: bool) -> None:
        self._say(job)
        if job.state == "error" and job.error is not None:
            self._fail(job.error)
        elif isinstance(job.latest, Comparison):
            if ended:
                self._show_comparison(job.latest)
        elif job.latest is not None and job.phase == "final" and ended:
            self._show(job, job.latest)
        elif job.latest is not None:
            self._show_partly(job, job.latest, ended)

    def _say(self, job: Job[Answer]) -> None:
        resumable = job.state == "cancelled" and self._worker.resumable
        with self._lock:
            self._job = dict(wire.job(job, resumable))
            if job.phase == "final":
                self.status = job.state

    def _show(self, job: Job[Answer], attribution: Attribution) -> None:
        if job.superseded:
            return
        spec = self._specs[job]
        drawn = wire.result(attribution, uuid4().hex[:12], "final", spec)
        self._failed, self._error, self._stale = None, None, False
        self._seen_version = self._adapter.version
        self._notices = list(attribution.notices)
        self._result = dict(drawn)
        self.result = attribution
        if attribution.complete:
            self._past.add(drawn, attribution)
            self._publish_history()

    def _fail(self, error: Exception) -> None:
        if isinstance(error, TraitError) and isinstance(error.__cause__, ExplanationError):
            error = error.__cause__
        with self._lock:
            self._failed = error
            self._error = dict(failure(error))
            self.status = "error"
            if self._job["state"] not in ("error", "idle"):
                self._job = {**IDLE, "state": "error"}

    def _show_comparison(self, compared: Comparison) -> None:
        kind, specs = self._compared
        results = [
            wire.result(a, uuid4().hex[:12], "final", specs[number])
            for a, number in zip(compared.attributions, compared.answered, strict=True)
        ]
        for a, result in zip(compared.attributions, results, strict=True):
            known = self._past.same(result["spec"], a)
            if known is not None:
                # The same map: what was found out about it holds here too.
                a.checks = self._past.attributions[known["id"]].checks
                result["checks"] = known["result"]["checks"]
        failures = [failure(error) for error in compared.failures.values()]
        for label, card in zip(compared.failures, failures, strict=True):
            card["title"] = f"{label}: {card['title']}"
        self._compared_version, self._comparison_stale = self._adapter.version, False
        self.comparison = compared
        self._comparison = dict(wire.comparison(kind, compared, results, failures))

    def _show_partly(self, job: Job[Answer], attribution: Attribution, last: bool) -> None:
        if self._greeted:
            spec, id = self._specs[job], f"frame-{job.id}"
            self._frames.offer(lambda: wire.result(attribution, id, job.phase, spec), last)

    def _restore(self, id: str) -> None:
        """Shows an earlier result again, with the controls that led to it; computes nothing."""
        drawn, attribution = self._past.results.get(id), self._past.attributions.get(id)
        if drawn is None or attribution is None:
            raise InputError("This result is no longer kept.", "Run it again.")
        spec = drawn["spec"]
        with self._lock, self._mute(), self.hold_trait_notifications():
            held = getattr(attribution.method, "baseline", None)
            if isinstance(held, Baseline):
                self._full_baseline = held
                self.baseline = spec["baseline"]
            if "regions" in type(attribution.method).model_fields:
                self.regions = attribution.method.regions  # type: ignore[attr-defined]
            self.method, self.params, self.target = spec["method"], spec["params"], spec["target"]
            self.layer = spec["layer"] or self.layer
            self._asked = spec
            self._result, self.result = dict(drawn), attribution

    def _publish_history(self) -> None:
        with self._lock:
            self._history = [dict(item) for item in self._past.items]

    def _publish_baselines(self) -> None:
        assert self._study is not None
        tiles = self._study.baselines(self._full_baseline)
        with self._lock:
            self._baselines = [dict(tile) for tile in tiles]

    def _check_weights(self) -> None:
        """After each cell: were the weights changed since the results were computed?"""
        if self._seen_version is None:
            return
        now = self._adapter.version
        stale = now != self._seen_version
        compared = self._compared_version is not None and now != self._compared_version
        if (stale, compared) != (self._stale, self._comparison_stale):
            with self._lock:
                self._stale, self._comparison_stale = stale, compared

    def _post(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        with self._lock:
            if self.comm is not None:
                self.send(message, buffers)
