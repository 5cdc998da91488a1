"""Waterfall: how one score came about, as a widget of its own."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from nbxplain.contributions import contributions
from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import InputError
from nbxplain.figure import Drawing, draw
from nbxplain.results import Attribution
from nbxplain.widget import protocol, rows, wire
from nbxplain.widget.alone import Alone
from nbxplain.widget.held import plain_baseline, plain_regions
from nbxplain.widget.traits import params_of


class Waterfall(Alone):
    """What each part adds to the score, from E[f] to f(x).

    `Waterfall(explanation)` shows itself in a notebook, with the same rows, bars and forces as the
    Explorer's tab, and needs neither the model nor a kernel once it is shown. `row` picks one of a
    batch. Raises InputError for a row that is not there, and for explanations whose parts do not
    add up to the score: maps, and methods without a baseline.
    """

    def __init__(self, explanation: Attribution, row: int = 0) -> None:
        if not isinstance(explanation, Attribution):
            raise InputError(
                f"A Waterfall shows an explanation, not {type(explanation).__name__}.",
                "Give what nbxplain.explain returns.",
            )
        contributions(explanation, row)
        self.explanation = one = explanation.row(row)
        spec = _spec(one)
        table = rows.table_info(one.inputs)
        super().__init__(
            self.figure(),
            one.provenance,
            f"{one.method.label} for {one.target[0]}",
            _alone="waterfall",
            _result=dict(wire.result(one, uuid4().hex[:12], "final", spec)),
            _prediction=dict(wire.prediction(one.prediction)),
            _image=None if table else dict(wire.exact_picture(one.inputs.pictures[0])),
            _table=None if table is None else dict(table),
            _notices=list(one.notices),
        )

    def figure(self, **options: Any) -> Drawing:
        """The waterfall as a matplotlib figure; options as in nbxplain.figure.draw."""
        return draw(self.explanation, **{"kind": "waterfall", **options})


def _spec(one: Attribution) -> protocol.Spec:
    """What was computed, as the page says it."""
    method = one.method
    baseline = getattr(method, "baseline", None)
    return {
        "method": method.name,
        "params": params_of(method),
        "baseline": plain_baseline(baseline) if isinstance(baseline, Baseline) else {},
        "regions": plain_regions(getattr(method, "regions", None)),
        "target": one.target[0],
        "layer": one.layer,
    }
