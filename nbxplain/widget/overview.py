"""A summary as a widget: what crosses to the page."""

from __future__ import annotations

import torch
from torch import Tensor

from nbxplain.summary import Summary
from nbxplain.widget import wire
from nbxplain.widget.alone import Alone
from nbxplain.widget.protocol import SummaryInfo

MOST = 1000
"""Rows that cross to the page, evenly spaced."""


def overview(summary: Summary) -> Alone:
    """The widget of a summary."""
    return Alone(
        summary.figure(),
        summary.provenance,
        f"{summary.method.label} for {summary.target}, {len(summary.values)} rows",
        _alone="summary",
        _summary=dict(info(summary)),
        _notices=list(summary.notices),
    )


def info(summary: Summary) -> SummaryInfo:
    """The summary as the page sees it."""
    some = slice(None, None, -(-len(summary.values) // MOST))
    known = {} if summary.columns is None else summary.columns.categories
    said: SummaryInfo = {
        "title": summary.method.label,
        "target": summary.target,
        "unit": summary.unit,
        "rows": len(summary.values),
        "names": summary.names,
        "mean": summary.mean.tolist(),
        "errors": summary.errors.nan_to_num().tolist(),
        "values": wire.grid(summary.values[some].double().numpy()),
        "features": None,
        "minimum": [],
        "maximum": [],
        "choices": [],
        "partners": [],
        "map": None if summary.labels is None else wire.grid(summary.map.double().numpy()),
        "picture": wire.picture(summary.pictures[0], 448) if summary.pictures else None,
    }
    if summary.features is None:
        return said
    low, high = _range(summary.features)
    places = _places(summary.features[some], low, high)
    return {
        **said,
        "features": wire.grid(places.double().numpy()),
        "minimum": low.tolist(),
        "maximum": high.tolist(),
        "choices": [[str(value) for value in known.get(name, ())] for name in summary.names],
        "partners": summary.partners,
    }


def _range(features: Tensor) -> tuple[Tensor, Tensor]:
    """The smallest and the largest value (P,) of each feature; 0 where none is known."""
    known = features.isfinite()
    low = features.where(known, torch.inf).amin(0)
    high = features.where(known, -torch.inf).amax(0)
    any_known = known.any(0)
    return low.where(any_known, 0), high.where(any_known, 0)


def _places(features: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """The values from 0 to 1 between the ends; -1 where one is missing."""
    width = (high - low).where(high > low, 1)
    return ((features - low) / width).where(features.isfinite(), -1)
