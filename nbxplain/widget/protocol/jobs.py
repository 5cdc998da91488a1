"""What a worker is doing, and what went wrong."""

from __future__ import annotations

from typing import Literal, TypedDict

Phase = Literal["draft", "final"]


State = Literal["idle", "queued", "running", "cancelling", "done", "cancelled", "error"]


class Job(TypedDict):
    """What the worker is doing. `eta` is in seconds, None until it is known."""

    id: int
    state: State
    phase: Phase
    note: str
    done: int
    total: int
    seconds: float
    eta: float | None
    resumable: bool


class Failure(TypedDict):
    """An error in plain words: what was wrong, the next step, and the traceback to report."""

    title: str
    hint: str
    details: str
