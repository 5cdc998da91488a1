"""The Check panel: what was found out about the explanation that is shown."""

from __future__ import annotations

from nbxplain.core.jobs import Job, Progress
from nbxplain.widget import protocol, wire
from nbxplain.widget.desk import Handler
from nbxplain.widget.panel import Panel


class Checks(Panel[Progress]):
    """The panel's Python side."""

    def handlers(self) -> dict[str, Handler]:
        return {}

    def tell(self, job: Job[Progress]) -> None:
        told: protocol.Checks = {"job": wire.job(job)}
        self._explorer._checks = dict(told)

    def renew(self) -> None:
        self._explorer._checks = None
