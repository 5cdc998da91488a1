"""The Check panel."""

from __future__ import annotations

from typing import TypedDict

from nbxplain.widget.protocol.jobs import Job


class Checks(TypedDict):
    """What was found out about the explanation that is shown."""

    job: Job
