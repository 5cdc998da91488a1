"""The desk answers requests from the page: each on its own thread, none on the comm's."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from nbxplain.core.errors import ExplanationError, InputError
from nbxplain.widget.protocol import Failure

Reply = tuple[dict[str, Any], list[bytes]]
Handler = Callable[[dict[str, Any], list[bytes]], Reply | None]
"""Content and buffers -> fields and buffers of the answer; None answers with nothing but ok."""


def failure(error: BaseException) -> Failure:
    """An exception as a card: title, next step, traceback."""
    details = "".join(traceback.format_exception(error))
    if isinstance(error, ExplanationError):
        return {"title": error.title, "hint": error.hint, "details": details}
    return {
        "title": f"{type(error).__name__}: {error}",
        "hint": "This was not expected. Copy the report and open an issue.",
        "details": details,
    }


class Desk:
    """Runs handlers by the request's kind, one at a time, and sends their answers."""

    def __init__(self, send: Callable[..., None], handlers: dict[str, Handler]) -> None:
        self._send, self._handlers = send, handlers
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="nbxplain-desk")

    def take(self, content: dict[str, Any], buffers: list[memoryview | bytes]) -> None:
        """Enqueues a request; what is malformed is answered with an error."""
        self._thread.submit(self._answer, content, [bytes(buffer) for buffer in buffers])

    def close(self) -> None:
        """Drops what waits."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def answer(self, id: Any, error: BaseException | None = None, **fields: Any) -> None:
        """Sends an answer from elsewhere, such as the end of a draft."""
        self._reply(id, None if error is None else failure(error), fields, [])

    def _answer(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        id = content.get("id")
        try:
            handler = self._handlers.get(str(content.get("kind")))
            if handler is None:
                raise InputError(
                    f"The page asked for {content.get('kind')!r}, which is not known here.",
                    "Reload the page after updating nbxplain.",
                )
            reply = handler(content, buffers)
        except Exception as error:
            self._reply(id, failure(error), {}, [])
            return
        if reply is not None and id is not None:
            self._reply(id, None, *reply)

    def _reply(
        self, id: Any, error: Failure | None, fields: dict[str, Any], buffers: list[bytes]
    ) -> None:
        message = {"id": id, "kind": "answer", "ok": error is None, "error": error, **fields}
        self._send(message, buffers)
