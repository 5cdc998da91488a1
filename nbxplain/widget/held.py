"""Baselines and regions as the page names them, and what stays here of them: pixels, label maps."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import InputError
from nbxplain.core.regions import Regions

OWN = {"baseline", "regions"}
"""Parameters of methods that are traits of their own: they outlast a change of the method."""


def plain_baseline(baseline: Baseline) -> dict[str, Any]:
    """A baseline as the page sees it: its kind and the one field that matters; data by a digest."""
    if baseline.data:
        return {"kind": baseline.kind, "digest": _digest(baseline.data)}
    fields = {"blur": ("sigma",), "noise": ("seed",)}.get(baseline.kind, ())
    return {"kind": baseline.kind, **{name: getattr(baseline, name) for name in fields}}


def plain_regions(regions: Regions | None) -> dict[str, Any]:
    """Regions as the page sees them: their kind and size; a map by its names and a digest."""
    if regions is None:
        return {}
    if regions.kind == "map":
        names = list(regions.names)
        return {"kind": "map", "names": names, "digest": _digest(regions.data)}
    fields = {"superpixels": ("count", "compactness"), "grid": ("rows", "columns")}[regions.kind]
    return {"kind": regions.kind, **{name: getattr(regions, name) for name in fields}}


def _digest(data: str) -> str:
    return hashlib.sha256(data.encode()).hexdigest()[:12]


class Held(NamedTuple):
    """What the page only names: the pixels of a baseline, the labels of a map of regions."""

    baseline: Baseline
    regions: Regions | None

    def reference(self, named: dict[str, Any]) -> Baseline:
        """The baseline of that name. Raises InputError."""
        if named.get("kind") not in ("image", "tensor") or "data" in named:
            return Baseline.model_validate(named)
        held = plain_baseline(self.baseline)
        if {**held, **named} != held:
            raise InputError("This picture is not kept here.", "Choose one for the baseline.")
        return self.baseline

    def division(self, named: dict[str, Any]) -> Regions | None:
        """The regions of that name, None where they are left to the method. Raises InputError."""
        if not named:
            return None
        if named.get("kind") != "map" or "data" in named:
            return Regions.model_validate(named)
        held = plain_regions(self.regions)
        if held.get("kind") != "map" or named.get("digest") != held["digest"]:
            raise InputError("These regions are no longer kept.", "Paint them again.")
        return self.regions
