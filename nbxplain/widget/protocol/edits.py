"""The Edit panel."""

from __future__ import annotations

from typing import TypedDict

from nbxplain.widget.protocol.jobs import Job


class Edits(TypedDict):
    """What was changed in the picture or row, and what the model then says."""

    job: Job
