"""The page's end of the wire, without a page: a comm that remembers, and speaks as a browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import comm
import pytest
from comm.base_comm import BaseComm

from nbxplain import Explorer

PATIENCE = 20.0


class FakeComm(BaseComm):
    """Keeps what Python sends."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.sent: list[tuple[dict[str, Any], list[Any]]] = []
        super().__init__(*arguments, **options)

    def publish_msg(
        self,
        msg_type: str,
        data: Any = None,
        metadata: Any = None,
        buffers: Any = None,
        **keys: Any,
    ) -> None:
        self.sent.append((data or {}, list(buffers or [])))


class FakePage:
    """One view of an Explorer."""

    def __init__(self, explorer: Explorer) -> None:
        assert isinstance(explorer.comm, FakeComm)
        self.comm, self._asked = explorer.comm, 0

    def _deliver(self, data: dict[str, Any], buffers: list[bytes]) -> None:
        content = {"comm_id": self.comm.comm_id, "data": data}
        self.comm.handle_msg({"content": content, "buffers": buffers})

    def set(self, **traits: Any) -> None:
        """Controls were moved."""
        self._deliver({"method": "update", "state": traits, "buffer_paths": []}, [])

    def tell(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        """A message that nobody answers."""
        self._deliver({"method": "custom", "content": content}, buffers or [])

    def ask(self, kind: str, buffers: list[bytes] | None = None, **fields: Any) -> dict[str, Any]:
        """A request; its answer, with the buffers as `buffers`."""
        self._asked += 1
        id = f"q{self._asked}"
        self.tell({"id": id, "kind": kind, **fields}, buffers)
        return until(lambda: self._answer(id), f"{kind} is not answered")

    def _answer(self, id: str) -> dict[str, Any] | None:
        return next((m for m in self.messages("answer") if m.get("id") == id), None)

    def messages(self, kind: str) -> list[dict[str, Any]]:
        """The custom messages of a kind, oldest first."""
        return [
            {**data["content"], "buffers": buffers}
            for data, buffers in list(self.comm.sent)
            if data.get("method") == "custom" and data["content"].get("kind") == kind
        ]


def until(condition: Callable[[], Any], what: str) -> Any:
    """The first true value of the condition."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.002)
    return value


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> None:
    """Widgets of this test speak through FakeComms."""
    monkeypatch.setattr(comm, "create_comm", FakeComm)


@pytest.fixture
def page(explorer: Explorer) -> FakePage:
    """A view of the `explorer` of the test."""
    return FakePage(explorer)
