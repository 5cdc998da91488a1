"""Earlier results: a few, small, in order, the pinned ones kept."""

from __future__ import annotations

import json
from typing import Any

import torch

from nbxplain.results import Attribution
from nbxplain.widget import wire
from nbxplain.widget.protocol import Checked, HistoryItem, Result, Spec

LENGTH = 12
LARGEST = 450_000
"""Items, and bytes of them together as a saved notebook holds them. With the bundle, the picture
and the current result it stays under 1 MB."""


class History:
    """Results that were looked at, newest last, with what is behind them: attributions of the
    explanations, and in `found` what the panels that search made of their items."""

    def __init__(self) -> None:
        self.items: list[HistoryItem] = []
        self.attributions: dict[str, Attribution] = {}
        self.results: dict[str, Result] = {}
        self.found: dict[str, Any] = {}

    def add(self, result: Result, attribution: Attribution) -> None:
        """Remembers a result; an earlier one of the same spec is replaced."""
        same = next((i for i in self._explained() if i["result"]["spec"] == result["spec"]), None)
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

    def keep(self, item: HistoryItem, found: Any) -> None:
        """Remembers something that was searched, or what its search has come to since."""
        if item["id"] in self.found:
            kept = ("id", "name", "pinned")
            news = {name: value for name, value in item.items() if name not in kept}
            self.change(item["id"], **news)
        else:
            self.items = [*self.items, item]
        self.found[item["id"]] = found
        self._shrink()

    def clear(self) -> None:
        """Another picture or row is explained: maps and pictures of the last one do not hold. Of
        the rows that were found their panel decides."""
        for item in self.items:
            if "rows" not in item:
                self.forget(item["id"])

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
        for item in self._explained():
            known = self.attributions[item["id"]]
            if item["result"]["spec"] == spec and torch.equal(known.values, attribution.values):
                return item
        return None

    def forget(self, id: str) -> None:
        """Drops an item and what is behind it."""
        self.items = [item for item in self.items if item["id"] != id]
        self.attributions.pop(id, None)
        self.results.pop(id, None)
        self.found.pop(id, None)

    def change(self, id: str, **changes: object) -> None:
        """Renames or pins an item."""
        self.items = [
            {**item, **changes} if item["id"] == id else item  # type: ignore[typeddict-item]
            for item in self.items
        ]

    def _shrink(self) -> None:
        while len(self.items) > LENGTH or sum(map(_size, self.items)) > LARGEST:
            loose = [item for item in self.items[:-1] if not item["pinned"]]
            if not loose and len(self.items) < 2:
                return
            self.forget((loose or self.items)[0]["id"])

    def _explained(self) -> list[HistoryItem]:
        return [item for item in self.items if "result" in item]


def _size(item: HistoryItem) -> int:
    """The bytes of an item as JSON, where those of pictures and maps are base64."""
    return len(json.dumps(item, default=lambda data: "." * (len(data) * 4 // 3)))


def _name(result: Result) -> str:
    short = {"Integrated Gradients": "IG"}.get(result["title"], result["title"])
    baseline = result["spec"]["baseline"]
    return f"{short} {baseline['kind']}" if baseline else short
