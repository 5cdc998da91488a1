"""Checks in the form in which they cross to the browser: words, numbers, small maps."""

from __future__ import annotations

import math
from functools import singledispatch
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from nbxplain.evaluation.check import Check
from nbxplain.evaluation.curves import Curve
from nbxplain.evaluation.sanity import ALIKE, CHANGED, Sanity
from nbxplain.evaluation.steadiness import STABLE, UNSTABLE, Stability
from nbxplain.widget import protocol, wire

LONGEST, SMALLER = 56, 28
"""Cells a side of maps as large as stamps: of the result that is shown, and of earlier ones."""


def checked(check: Check, longest: int = LONGEST) -> protocol.Checked:
    """The result of a check as drawn."""
    return {
        **wire.evidence(check.finding()),
        "done": check.done,
        "total": check.total,
        "removed": None,
        "cascade": None,
        "spread": None,
        **_drawn(check, longest),  # type: ignore[typeddict-item]
    }


@singledispatch
def _drawn(check: Check, longest: int) -> dict[str, Any]:
    return {}


@_drawn.register
def _(check: Curve, longest: int) -> dict[str, Any]:
    random = check.random[0]
    whole = random[~random.isnan().any(1)]
    some = len(whole) > 0
    bounds = [whole.quantile(q, dim=0).tolist() if some else [] for q in (0.05, 0.95)]
    low, high = bounds
    removed: protocol.Removed = {
        "moved": "put back" if check.gain > 0 else "taken away",
        "unit": check.unit,
        "fill": check.fill,
        "share": _rounded(check.share.tolist()),
        "score": [_known(value) for value in check.curve[0].tolist()],
        "orders": len(whole),
        "mean": _rounded(whole.mean(0).tolist() if some else []),
        "low": _rounded(low),
        "high": _rounded(high),
    }
    return {"removed": removed}


@_drawn.register
def _(check: Sanity, longest: int) -> dict[str, Any]:
    cascade: protocol.Cascade = {
        "map": _small(check.maps[0], longest),
        "signed": bool((check.maps < 0).any()),
        "stages": [
            {
                "title": stage.title,
                "map": None if stage.maps is None else _small(stage.maps[0], longest),
                "similarity": _known(stage.similarity["signed"]),
            }
            for stage in check.cascade
        ],
        "changed": CHANGED,
        "alike": ALIKE,
    }
    return {"cascade": cascade}


@_drawn.register
def _(check: Stability, longest: int) -> dict[str, Any]:
    spread: protocol.Spread = {
        "map": _small(check.maps[0], longest),
        "signed": bool((check.maps < 0).any()),
        "spread": _small(check.spread[0], longest),
        "changes": [
            {"kind": kind, "similarity": [_known(value) for value in values]}
            for kind, values in check.similarity.items()
        ],
        "stable": STABLE,
        "unstable": UNSTABLE,
    }
    return {"spread": spread}


def _small(values: Tensor, longest: int) -> protocol.Grid:
    """A map (h, w) of at most `longest` cells a side; of a table a line (1, F)."""
    if values.ndim == 1:
        return wire.grid(values.double().unsqueeze(0).numpy(), bits=8)
    rows, columns = values.shape
    shrink = max(1.0, max(rows, columns) / longest)
    size = max(1, round(rows / shrink)), max(1, round(columns / shrink))
    reduced = F.adaptive_avg_pool2d(values.double()[None, None], size)[0, 0]
    return wire.grid(reduced.numpy(), bits=8)


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 5) for value in values]


def _known(value: float) -> float | None:
    """A number for JSON, which has no nan."""
    return round(value, 5) if math.isfinite(value) else None


__all__ = ["LONGEST", "SMALLER", "checked"]
