"""The Check panel."""

from __future__ import annotations

from typing import Literal, TypedDict

from nbxplain.widget.protocol.evidence import Checked
from nbxplain.widget.protocol.jobs import Job


class Offer(TypedDict):
    """A check that the result which is shown can be put through: what it does, and about how many
    seconds it takes. `obstacle` says why it cannot; a suggested one is ticked at first."""

    name: str
    label: str
    does: str
    seconds: float
    suggested: bool
    obstacle: str | None


class Underway(TypedDict):
    """A check of the battery that runs, or ran last. `checked` is what it has come to, until it
    belongs to the result; `trouble` says why it failed."""

    name: str
    label: str
    state: Literal["queued", "running", "done", "stopped", "failed"]
    checked: Checked | None
    trouble: str


class Checks(TypedDict):
    """What can be found out about the result that is shown, and what is being found out about
    `result`, which may be another one. What was found is part of the results."""

    job: Job
    offers: list[Offer]
    result: str | None
    underway: list[Underway]
