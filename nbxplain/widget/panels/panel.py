"""What the tabs that compute for themselves share: a trait, requests, and a worker of their own.

The explanation's worker lets the latest request win; what takes longer must not be lost to a slider
that moves meanwhile, so each panel works beside it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic

from nbxplain.core.jobs import Job, P, Worker
from nbxplain.widget.cells import weakly
from nbxplain.widget.desk import Handler

if TYPE_CHECKING:
    from nbxplain.explorer import Explorer


class Panel(ABC, Generic[P]):
    """One tab's Python side. Its trait is written under the Explorer's lock, in `tell` alone."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._worker: Worker[P] | None = None
        self._jobs = 0
        self._failed: Exception | None = None

    @abstractmethod
    def handlers(self) -> dict[str, Handler]:
        """The requests of the page that this panel answers, by kind. They run at the desk."""

    @abstractmethod
    def tell(self, job: Job[P]) -> None:
        """Writes what a job has come to into the trait. Called on the worker, under the lock."""

    @abstractmethod
    def renew(self) -> None:
        """Another picture or row is explained: drops what belonged to the last one."""

    def start(self, steps: Callable[[Callable[[], bool]], Iterator[P]]) -> None:
        """Works through the steps; what was running is superseded."""
        if self._worker is None:
            self._worker = Worker(weakly(self._told))
        self._jobs += 1
        self._failed = None
        self._worker.submit(Job(self._jobs, "final", steps))

    def stop(self) -> None:
        """Stops at the next step and keeps what there is."""
        job = None if self._worker is None else self._worker.stop()
        if job is not None:
            self._told(job)

    def wait(self, timeout: float | None = None) -> None:
        """Waits until nothing is computed here any more; raises what failed."""
        if self._worker is not None:
            self._worker.wait(timeout, self.stop)
        if self._failed is not None:
            raise self._failed

    def close(self) -> None:
        """Stops and ends the thread."""
        if self._worker is not None:
            self._worker.close()

    def _told(self, job: Job[P]) -> None:
        with self._explorer._lock:
            if self._explorer._closed:
                return
            if job.state == "error":
                self._failed = job.error
            self.tell(job)
