"""The Concepts panel: the concepts that were built, and what they were found to do."""

from __future__ import annotations

from nbxplain.core.jobs import Job, Progress
from nbxplain.widget import protocol, wire
from nbxplain.widget.desk import Handler
from nbxplain.widget.panel import Panel


class Concepts(Panel[Progress]):
    """The panel's Python side."""

    def handlers(self) -> dict[str, Handler]:
        return {}

    def tell(self, job: Job[Progress]) -> None:
        told: protocol.Concepts = {"job": wire.job(job)}
        self._explorer._concepts = dict(told)

    def renew(self) -> None:
        self._explorer._concepts = None
