"""Partial results on their way to the page: a few a second, dropped freely, never piling up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from nbxplain.widget.protocol import Result

INTERVAL = 0.12
IN_FLIGHT = 2
PATIENCE = 2.0
"""Seconds between frames, how many may be unacknowledged, and for how many seconds that counts:
a page that was closed acknowledges nothing."""


class Frames:
    """Sends frames while somebody acknowledges them."""

    def __init__(self, post: Callable[[dict[str, Any], list[bytes]], None]) -> None:
        self._post = post
        self._sent, self._unacknowledged, self._last = 0, 0, 0.0

    def acknowledge(self) -> None:
        """The page drew a frame."""
        self._unacknowledged = max(0, self._unacknowledged - 1)

    def offer(self, draw: Callable[[], Result], last: bool) -> None:
        """Sends what `draw` gives, if the page can take it now, or if it is the last of its job."""
        waited = time.monotonic() - self._last
        if waited > PATIENCE:
            self._unacknowledged = 0
        if not last and (waited < INTERVAL or self._unacknowledged >= IN_FLIGHT):
            return
        result = draw()
        buffers = [result["map"]["data"]]
        result = {**result, "map": {**result["map"], "data": b""}}
        players = result["players"]
        if players is not None and players["labels"] is not None:
            buffers.append(players["labels"]["data"])
            result["players"] = {**players, "labels": {**players["labels"], "data": b""}}
        self._sent, self._last = self._sent + 1, time.monotonic()
        self._unacknowledged += 1
        self._post({"kind": "frame", "seq": self._sent, "result": result}, buffers)
