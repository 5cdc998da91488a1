"""Earlier results: a few, small, in order, the pinned ones kept."""

from __future__ import annotations

import torch

from nbxplain.results import Attribution
from nbxplain.widget import wire
from nbxplain.widget.protocol import Checked, HistoryItem, Result, Spec

LENGTH = 12
LARGEST = 330_000
"""Items, and bytes of their maps together. A saved notebook holds them all in base64, and with the
bundle, the picture and the current result it stays under 1 MB."""


class History:
    """Results that were looked at, newest last, with the attributions behind them."""

    def __init__(self) -> None:
        self.items: list[HistoryItem] = []
        self.attributions: dict[str, Attribution] = {}
        self.results: dict[str, Result] = {}

    def add(self, result: Result, attribution: Attribution) -> None:
        """Remembers a result; an earlier one of the same spec is replaced."""
        same = next((i for i in self.items if i["result"]["spec"] == result["spec"]), None)
        name = same["name"] if same else _name(result)
        item: HistoryItem = {
            "id": result["id"],
            "name": name,
            "pinned": bool(same and same["pinned"]),
            "result": wire.small(result),
        }
        if same is not None:
            self.forget(same["id"])
        self.items = [*self.items, item]
        self.attributions[result["id"]] = attribution
        self.results[result["id"]] = result
        self._shrink()

    def check(self, id: str, found: list[Checked], small: list[Checked]) -> None:
        """Adds what was found out about a result; `small` is what travels with its item."""
        if id in self.results:
            self.results[id] = {**self.results[id], "checks": found}
            self.items = [
                {**item, "result": {**item["result"], "checks": small}}
                if item["id"] == id
                else item
                for item in self.items
            ]

    def same(self, spec: Spec, attribution: Attribution) -> HistoryItem | None:
        """The item of the same explanation, value for value."""
        for item in self.items:
            known = self.attributions[item["id"]]
            if item["result"]["spec"] == spec and torch.equal(known.values, attribution.values):
                return item
        return None

    def forget(self, id: str) -> None:
        """Drops an item and what is behind it."""
        self.items = [item for item in self.items if item["id"] != id]
        self.attributions.pop(id, None)
        self.results.pop(id, None)

    def change(self, id: str, **changes: object) -> None:
        """Renames or pins an item."""
        self.items = [
            {**item, **changes} if item["id"] == id else item  # type: ignore[typeddict-item]
            for item in self.items
        ]

    def _shrink(self) -> None:
        while len(self.items) > LENGTH or self._size() > LARGEST:
            loose = [item for item in self.items[:-1] if not item["pinned"]]
            if not loose and len(self.items) < 2:
                return
            self.forget((loose or self.items)[0]["id"])

    def _size(self) -> int:
        return sum(len(item["result"]["map"]["data"]) for item in self.items)


def _name(result: Result) -> str:
    short = {"Integrated Gradients": "IG"}.get(result["title"], result["title"])
    baseline = result["spec"]["baseline"]
    return f"{short} {baseline['kind']}" if baseline else short
