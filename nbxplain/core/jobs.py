"""One worker thread: the latest request wins, progress is told, Stop stops at the next chunk.

A job is a generator. Advancing it is computing, not advancing it is pausing, closing it is
cancelling; so a stopped job that can go on is simply kept.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

from nbxplain.core.errors import Cancelled


class Progress(Protocol):
    """What a generator must say of each step."""

    @property
    def done(self) -> int: ...

    @property
    def total(self) -> int: ...


P = TypeVar("P", bound=Progress)

Phase = Literal["draft", "final"]
State = Literal["queued", "running", "cancelling", "done", "cancelled", "error"]

LAST_STEP = 2.0
"""Seconds that the end of the interpreter waits for a step that runs."""
DRAFT_INTERVAL = 0.12
"""Seconds between the starts of two drafts: a flood of slider moves stays under ten a second."""


@dataclass(eq=False)
class Job(Generic[P]):
    """One computation. `start` gets a function that says whether to stop, and gives the steps."""

    id: int
    phase: Phase
    start: Callable[[Callable[[], bool]], Iterator[P]]
    state: State = "queued"
    latest: P | None = None
    error: Exception | None = None
    seconds: float = 0.0
    steps: Iterator[P] | None = field(default=None, repr=False)
    superseded: bool = False
    stopping: bool = False
    dropped: bool = False

    @property
    def eta(self) -> float | None:
        """Seconds left at the present pace, or None before the first step."""
        if self.latest is None or not self.latest.done:
            return None
        return self.seconds * (self.latest.total - self.latest.done) / self.latest.done


class Worker(Generic[P]):
    """Runs jobs one at a time on a daemon thread. `tell(job)` is called there after each step, and
    where `submit` was called for a job that was dropped before it ran.

    A new job supersedes the waiting one, and a running final one at its next step. A running draft
    is let finish, for it is short, and a hand that keeps moving a slider would otherwise never see
    one. Whoever holds the worker must `close` it.
    """

    def __init__(self, tell: Callable[[Job[P]], None], name: str = "nbxplain") -> None:
        self._tell = tell
        self._condition = threading.Condition()
        self._waiting: Job[P] | None = None
        self._running: Job[P] | None = None
        self._stopped: Job[P] | None = None
        self._closed = False
        self._last_draft = 0.0
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self._thread.start()
        _WORKERS.add(self)

    def submit(self, job: Job[P]) -> None:
        """Queues the job in place of whatever was waiting."""
        with self._condition:
            self._drop_stopped()
            unseen, self._waiting = self._waiting, job
            if self._running is not None and self._running.phase == "final":
                self._running.superseded = True
            self._condition.notify_all()
        self._drop(unseen)

    def stop(self) -> Job[P] | None:
        """Asks the running job to stop at its next step; returns it. The waiting one is dropped."""
        with self._condition:
            unseen, self._waiting = self._waiting, None
            if self._running is not None:
                self._running.stopping = True
                self._running.state = "cancelling"
            self._condition.notify_all()
            running = self._running
        self._drop(unseen)
        return running

    def resume(self) -> bool:
        """Goes on with the job that was stopped; False when there is none."""
        with self._condition:
            job, self._stopped = self._stopped, None
            if job is None:
                return False
            job.stopping, job.state = False, "queued"
            self._waiting = job
            self._condition.notify_all()
            return True

    @property
    def resumable(self) -> bool:
        return self._stopped is not None

    @property
    def idle(self) -> bool:
        """True when nothing runs or waits."""
        with self._condition:
            return self._running is None and self._waiting is None

    def wait(
        self, timeout: float | None = None, interrupted: Callable[[], object] | None = None
    ) -> bool:
        """Waits until idle; False after `timeout` seconds. From the keyboard it can be interrupted:
        then `interrupted` is called, and KeyboardInterrupt goes on its way."""
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            while not self.idle:
                if deadline is not None and time.monotonic() > deadline:
                    return False
                with self._condition:
                    # Short waits: KeyboardInterrupt reaches the main thread between them only.
                    self._condition.wait(0.05)
        except KeyboardInterrupt:
            if interrupted is not None:
                interrupted()
            raise
        return True

    def close(self) -> None:
        """Stops at the next step and ends the thread."""
        self.stop()
        with self._condition:
            self._closed = True
            self._drop_stopped()
            self._condition.notify_all()

    def _drop(self, unseen: Job[P] | None) -> None:
        if unseen is not None:
            unseen.state, unseen.dropped = "cancelled", True
            self._tell(unseen)

    def _drop_stopped(self) -> None:
        if self._stopped is not None:
            _close(self._stopped)
            self._stopped = None

    def _loop(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._run(job)
            except Exception:
                # Telling failed, not computing: an unreachable page must not end the work.
                logging.getLogger(__name__).exception("Could not report job %s", job.id)
            with self._condition:
                self._running = None
                self._condition.notify_all()

    def _next(self) -> Job[P] | None:
        with self._condition:
            while not self._closed:
                if self._waiting is not None:
                    pause = self._last_draft + DRAFT_INTERVAL - time.monotonic()
                    if self._waiting.phase == "final" or pause <= 0:
                        self._running, self._waiting = self._waiting, None
                        return self._running
                    self._condition.wait(pause)
                else:
                    self._condition.wait()
            return None

    def _run(self, job: Job[P]) -> None:
        if job.phase == "draft":
            self._last_draft = time.monotonic()
        before, started = job.seconds, time.monotonic()
        try:
            job.state = "running"
            self._tell(job)
            if job.steps is None:
                job.steps = job.start(lambda: job.superseded or (job.stopping and not job.latest))
            for step in job.steps:
                job.latest = step
                job.seconds = before + time.monotonic() - started
                if step.done >= step.total:
                    break
                if job.superseded or job.stopping:
                    self._halt(job)
                    return
                self._tell(job)
            job.state = "done"
            _close(job)
        except Cancelled:
            job.state = "cancelled"
        except Exception as error:
            job.state, job.error = "error", error
            _close(job)
        self._tell(job)

    def _halt(self, job: Job[P]) -> None:
        job.state = "cancelled"
        with self._condition:
            if job.superseded or self._closed:
                _close(job)
            else:
                self._stopped = job
        self._tell(job)


_WORKERS: weakref.WeakSet[Worker[Any]] = weakref.WeakSet()


@atexit.register
def _end() -> None:
    """Ends every worker with the interpreter: a thread that is killed inside torch aborts it."""
    working = list(_WORKERS)
    for worker in working:
        worker.close()
    for worker in working:
        worker._thread.join(LAST_STEP)


def _close(job: Job[P]) -> None:
    close = getattr(job.steps, "close", None)
    if close is not None:
        close()
