"""The Edit panel: what was changed in the picture or row, and what the model then says."""

from __future__ import annotations

from nbxplain.core.jobs import Job, Progress
from nbxplain.widget import protocol, wire
from nbxplain.widget.desk import Handler
from nbxplain.widget.panel import Panel


class Edits(Panel[Progress]):
    """The panel's Python side."""

    def handlers(self) -> dict[str, Handler]:
        return {}

    def tell(self, job: Job[Progress]) -> None:
        told: protocol.Edits = {"job": wire.job(job)}
        self._explorer._edits = dict(told)

    def renew(self) -> None:
        self._explorer._edits = None
