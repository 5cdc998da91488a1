"""The worker: the latest request wins, Stop stops at the next step, nothing kills the thread."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from nbxplain.core.errors import Cancelled
from nbxplain.core.jobs import DRAFT_INTERVAL, Job, Phase, Worker

PATIENCE = 10.0


@dataclass
class Step:
    done: int
    total: int


class Told:
    """What the worker said, in order: (job, state, steps done)."""

    def __init__(self) -> None:
        self.said: list[tuple[int, str, int]] = []

    def __call__(self, job: Job[Step]) -> None:
        self.said.append((job.id, job.state, job.latest.done if job.latest else 0))

    def states(self, id: int) -> list[str]:
        return [state for job, state, _ in self.said if job == id]


class Gated:
    """A computation that takes each step only when it is let."""

    def __init__(self, total: int = 3) -> None:
        self.total, self.begun, self.closed = total, threading.Event(), False
        self._gate = threading.Semaphore(0)

    def let(self, steps: int = 1) -> None:
        for _ in range(steps):
            self._gate.release()

    def __call__(self, cancelled: Callable[[], bool]) -> Iterator[Step]:
        try:
            for done in range(1, self.total + 1):
                self.begun.set()
                assert self._gate.acquire(timeout=PATIENCE), "the test lets no step be taken"
                yield Step(done, self.total)
        finally:
            self.closed = True


def at_once(cancelled: Callable[[], bool]) -> Iterator[Step]:
    yield Step(1, 1)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def worker(told: Told) -> Iterator[Worker[Step]]:
    worker: Worker[Step] = Worker(told)
    yield worker
    worker.close()
    worker._thread.join(PATIENCE)
    assert not worker._thread.is_alive(), "close() does not end the thread"


def job(id: int, start: Callable[..., Iterator[Step]], phase: Phase = "final") -> Job[Step]:
    return Job(id, phase, start)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.001)


def test_a_job_is_told_from_start_to_end(worker: Worker[Step], told: Told) -> None:
    steps = Gated(3)
    steps.let(3)
    worker.submit(job(1, steps))
    assert worker.wait(PATIENCE)
    assert told.said == [
        (1, "running", 0),
        (1, "running", 1),
        (1, "running", 2),
        (1, "done", 3),
    ]
    assert steps.closed


def test_the_latest_final_request_wins(worker: Worker[Step], told: Told) -> None:
    first = Gated()
    worker.submit(job(1, first))
    assert first.begun.wait(PATIENCE)
    for id in range(2, 50):
        worker.submit(job(id, at_once))
    first.let()
    assert worker.wait(PATIENCE)
    assert told.states(1)[-1] == "cancelled"
    assert first.closed, "a computation that is superseded is not closed"
    ran = {id for id, state, _ in told.said if state == "running"}
    assert ran == {1, 49}
    assert told.states(49)[-1] == "done"
    for id in range(2, 49):
        assert told.states(id) == ["cancelled"], f"nobody heard what became of job {id}"


def test_a_running_draft_is_let_finish(worker: Worker[Step], told: Told) -> None:
    draft = Gated(2)
    worker.submit(job(1, draft, "draft"))
    assert draft.begun.wait(PATIENCE)
    worker.submit(job(2, at_once, "draft"))
    worker.submit(job(3, at_once))
    draft.let(2)
    assert worker.wait(PATIENCE)
    assert told.states(1)[-1] == "done"
    assert told.states(2) == ["cancelled"]
    assert told.states(3)[-1] == "done"


def test_a_flood_of_drafts_is_thinned(worker: Worker[Step], told: Told) -> None:
    started = time.monotonic()
    for id in range(200):
        worker.submit(job(id, at_once, "draft"))
        time.sleep(0.002)
    assert worker.wait(PATIENCE)
    took = time.monotonic() - started
    done = [id for id, state, _ in told.said if state == "done"]
    assert len(done) <= took / DRAFT_INTERVAL + 2
    assert done[-1] == 199, "the last value is not drawn"


def test_a_final_job_does_not_wait_for_the_next_draft_slot(
    worker: Worker[Step], told: Told
) -> None:
    worker.submit(job(1, at_once, "draft"))
    assert worker.wait(PATIENCE)
    worker.submit(job(2, at_once))
    assert worker.wait(DRAFT_INTERVAL / 2)
    assert told.states(2)[-1] == "done"


def test_stop_takes_no_further_step(worker: Worker[Step], told: Told) -> None:
    steps = Gated(5)
    worker.submit(job(1, steps))
    steps.let()
    until(lambda: (1, "running", 1) in told.said)
    stopped = worker.stop()
    assert stopped is not None
    assert stopped.state == "cancelling"
    steps.let(4)
    assert worker.wait(PATIENCE)
    assert told.said[-1] == (1, "cancelled", 2), "more than the running step was taken"
    assert worker.resumable


def test_resume_goes_on_where_it_stopped(worker: Worker[Step], told: Told) -> None:
    steps = Gated(3)
    worker.submit(job(1, steps))
    assert steps.begun.wait(PATIENCE)
    worker.stop()
    steps.let(3)
    assert worker.wait(PATIENCE)
    assert told.said[-1] == (1, "cancelled", 1)
    assert worker.resume()
    assert worker.wait(PATIENCE)
    assert told.said[-1] == (1, "done", 3)
    assert not worker.resumable
    assert not worker.resume()


def test_a_new_job_ends_a_stopped_one(worker: Worker[Step], told: Told) -> None:
    steps = Gated(3)
    worker.submit(job(1, steps))
    assert steps.begun.wait(PATIENCE)
    worker.stop()
    steps.let()
    assert worker.wait(PATIENCE)
    worker.submit(job(2, at_once))
    assert worker.wait(PATIENCE)
    assert told.states(2)[-1] == "done"
    assert steps.closed
    assert not worker.resumable


def test_stop_drops_what_waits(worker: Worker[Step], told: Told) -> None:
    first = Gated(1)
    worker.submit(job(1, first))
    assert first.begun.wait(PATIENCE)
    worker.submit(job(2, at_once))
    worker.stop()
    first.let()
    assert worker.wait(PATIENCE)
    assert told.states(2) == ["cancelled"]


def test_stop_with_nothing_to_stop(worker: Worker[Step]) -> None:
    assert worker.stop() is None
    assert worker.idle


def test_an_error_is_told_and_the_worker_goes_on(worker: Worker[Step], told: Told) -> None:
    def fails(cancelled: Callable[[], bool]) -> Iterator[Step]:
        yield Step(1, 2)
        raise RuntimeError("the disk is on fire")

    failing = job(1, fails)
    worker.submit(failing)
    assert worker.wait(PATIENCE)
    assert told.states(1)[-1] == "error"
    assert str(failing.error) == "the disk is on fire"
    worker.submit(job(2, at_once))
    assert worker.wait(PATIENCE)
    assert told.states(2)[-1] == "done"


def test_a_computation_can_end_itself_when_asked(worker: Worker[Step], told: Told) -> None:
    begun, latest = threading.Event(), threading.Event()

    def polls(cancelled: Callable[[], bool]) -> Iterator[Step]:
        begun.set()
        until(cancelled)
        latest.set()
        raise Cancelled
        yield

    worker.submit(job(1, polls))
    assert begun.wait(PATIENCE)
    worker.stop()
    assert worker.wait(PATIENCE)
    assert latest.is_set()
    assert told.states(1)[-1] == "cancelled"


def test_close_ends_the_thread_and_what_was_stopped(told: Told) -> None:
    worker: Worker[Step] = Worker(told)
    steps = Gated(3)
    worker.submit(job(1, steps))
    assert steps.begun.wait(PATIENCE)
    worker.stop()
    steps.let()
    assert worker.wait(PATIENCE)
    worker.close()
    worker._thread.join(PATIENCE)
    assert not worker._thread.is_alive()
    assert steps.closed


def test_close_while_running(told: Told) -> None:
    worker: Worker[Step] = Worker(told)
    steps = Gated(3)
    worker.submit(job(1, steps))
    assert steps.begun.wait(PATIENCE)
    worker.close()
    steps.let()
    worker._thread.join(PATIENCE)
    assert not worker._thread.is_alive()
    assert steps.closed


def test_wait_gives_up(worker: Worker[Step]) -> None:
    steps = Gated(1)
    worker.submit(job(1, steps))
    assert not worker.wait(0.01)
    steps.let()
    assert worker.wait(PATIENCE)


def test_the_time_left_is_estimated(worker: Worker[Step]) -> None:
    steps = Gated(4)
    running = job(1, steps)
    assert running.eta is None
    worker.submit(running)
    steps.let()
    until(lambda: running.latest is not None and running.seconds > 0)
    assert running.eta == pytest.approx(3 * running.seconds)
    steps.let(3)
    assert worker.wait(PATIENCE)


LEAVES_EARLY = """
import torch
from nbxplain.core.jobs import Job, Worker

class Step:
    done, total = 0, 10**9

def steps(cancelled):
    x = torch.randn(1, 16, 96, 96)
    while True:
        for _ in range(20):
            torch.nn.functional.conv2d(x, torch.randn(16, 16, 3, 3))
        yield Step()

worker = Worker(lambda job: None)
worker.submit(Job(1, "final", steps))
import time; time.sleep(0.3)
assert not worker.idle
"""


def test_a_script_may_end_while_something_is_computed() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LEAVES_EARLY], capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr


def test_an_interrupted_wait_stops_the_job(
    worker: Worker[Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Gated()
    worker.submit(job(1, steps))
    assert steps.begun.wait(PATIENCE)

    def pressed(worker: Worker[Step]) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as keys:
        keys.setattr(Worker, "idle", property(pressed))
        with pytest.raises(KeyboardInterrupt):
            worker.wait(PATIENCE, worker.stop)
    steps.let()
    assert worker.wait(PATIENCE)
    assert worker.resumable
