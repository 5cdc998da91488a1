"""The Concepts panel."""

from __future__ import annotations

from typing import TypedDict

from nbxplain.widget.protocol.jobs import Job


class Concepts(TypedDict):
    """The concepts that were built, and what they were found to do."""

    job: Job
