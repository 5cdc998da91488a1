"""counterfactuals(): the call."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import ExplanationError, InputError, MethodError, TargetError
from nbxplain.core.passes import Passes
from nbxplain.core.tables import Categories
from nbxplain.counterfactuals.bounds import Bounds, Monotone, Ranges
from nbxplain.counterfactuals.causal import CausalGraph
from nbxplain.counterfactuals.result import Counterfactuals
from nbxplain.counterfactuals.search import CLEAR, Hunt
from nbxplain.counterfactuals.wish import Desired, Wish

Search = Literal["auto", "gradient", "genetic", "nearest"]

CANDIDATES = 4
"""Candidates of a gradient search for each row that is wanted."""
POPULATION = 48
TOGETHER = 8192
"""Rows in a pass: tables are small."""


def counterfactuals(
    model: Any,
    row: Any,
    desired: Desired,
    *,
    background: Any,
    immutable: Sequence[str] = (),
    ranges: Ranges | None = None,
    monotone: Monotone | None = None,
    categories: Categories | None = None,
    costs: Mapping[str, float] | None = None,
    causal_graph: CausalGraph | None = None,
    k: int = 4,
    search: Search = "auto",
    steps: int = 60,
    diversity: float = 0.3,
    seed: int = 0,
    feature_names: Sequence[str] | None = None,
    labels: Sequence[str] | Mapping[int, str] | None = None,
    output: str | int | Callable[[Any], Tensor] | None = None,
) -> Counterfactuals:
    """k rows near `row` that the model decides as desired; several rows are asked at once.

    model, row, feature_names, categories, labels, output: as in explain. desired: a class, or an
    interval (low, high) for a model with one score. background: rows that say what is usual: ranges
    and scales come from it. immutable: features that never change. ranges: {name: (low, high)}.
    monotone: {name: "increase" or "decrease"}. costs: {name: weight}, 1 by default. causal_graph:
    what follows from an action. search: "gradient" follows slopes (torch modules; Wachter et al.
    2017, Mothilal et al. 2020), "genetic" and "nearest" need none; "auto" takes the first that the
    model allows. steps: of the walk, or generations. diversity: how much distance between the rows
    is worth beside nearness. Raises ExplanationError.
    """
    started = time.perf_counter()
    if k < 1 or steps < 1:
        raise MethodError(f"k = {k} and steps = {steps} find nothing.", "Give at least 1.")
    if search not in get_args(Search):
        raise MethodError(f"There is no search {search!r}.", f"Choose one of {get_args(Search)}.")
    adapter = ModelAdapter(
        model, None, labels, output,
        background=background, feature_names=feature_names, categories=categories,
    )  # fmt: skip
    inputs = adapter.read(row)
    table = inputs.table
    if table is None or table.background is None:
        raise InputError("There is no background.", "Give rows of the training data.")
    rows = inputs.tensor
    if bool(rows.isnan().any()):
        raise InputError("The row has missing values.", "Fill them in: a change needs a start.")
    graph = causal_graph or CausalGraph()
    graph.checked(table.names)
    scores = adapter.outputs(rows)
    names = adapter.labels(scores.shape[1])
    wish = Wish.of(desired, scores.shape[1], names)
    said = (
        names[wish.index]
        if wish.interval is None
        else f"{wish.interval[0]:g} to {wish.interval[1]:g}"
    )
    _refuse_granted(wish, scores, names, said)
    bounds = Bounds.of(rows, table, immutable, ranges or {}, monotone or {}, costs or {})
    generator = torch.Generator().manual_seed(seed)
    passes = Passes(adapter, chunk=TOGETHER, layout="contiguous")
    hunt = Hunt(rows, bounds, wish, adapter, passes, graph, table.names, generator)
    known = table.background[~table.background.isnan().any(1)]
    used, shift = _candidates(hunt, search, k, steps, known)
    shift = hunt.chosen(hunt.tidy(shift), k, diversity)
    found = hunt.outcome(shift)
    margin = hunt.granted(shift)
    result = Counterfactuals(
        original=rows.cpu(),
        rows=found.cpu(),
        actions=shift.cpu(),
        valid=(margin > CLEAR).cpu(),
        distance=hunt.cost(shift).cpu(),
        changed=(shift != 0).sum(2).cpu(),
        diversity=_spread(found, bounds).cpu(),
        margin=margin.cpu(),
        table=table,
        desired=said,
        search=used,
        evaluations=passes.evaluations,
        seconds=time.perf_counter() - started,
        provenance={
            "model": type(adapter.model).__name__,
            "search": used,
            "seed": seed,
            "immutable": list(immutable),
            "ranges": {name: list(ends) for name, ends in (ranges or {}).items()},
            "monotone": dict(monotone or {}),
            "costs": dict(costs or {}),
            "background": table.digest,
        },
    )
    result.notices += _shortfall(result)
    return result


def _candidates(
    hunt: Hunt, search: Search, k: int, steps: int, background: Tensor
) -> tuple[str, Tensor]:
    """Shifts (Q, C, F) by the search that is wanted, or the first that works."""
    if search in ("auto", "gradient"):
        try:
            starts = hunt.starts(CANDIDATES * k, background)
            return "gradient", torch.cat([hunt.walk(starts, steps), starts], 1)
        except ExplanationError:
            if search == "gradient":
                raise
    starts = hunt.starts(max(POPULATION, CANDIDATES * k), background)
    if search == "nearest":
        return "nearest", starts
    return "genetic", hunt.evolve(starts, background, steps)


def _refuse_granted(wish: Wish, scores: Tensor, names: Sequence[str], said: str) -> None:
    """Raises TargetError where a row is as desired already, and says what is nearest to it."""
    margin = wish.margin(scores)
    if not bool((margin > 0).any()):
        return
    row = int((margin > 0).nonzero()[0])
    hint = "Ask for something else."
    if wish.interval is None:
        order = scores[row].argsort(descending=True)
        hint = (
            f"The nearest boundary is that to {names[int(order[1])]}, {float(margin[row]):.3g} "
            f"away in score: ask for that."
        )
    raise TargetError(f"Row {row} is {said} already.", hint)


def _shortfall(result: Counterfactuals) -> list[str]:
    """What is said where the wish was not granted: the best that was found, and how far it is."""
    missed = ~result.valid.any(1)
    if not bool(missed.any()):
        return []
    best = float(result.margin[missed].amax())
    return [
        f"{int(missed.sum())} of {len(missed)} rows cannot be made {result.desired} within the "
        f"bounds: the best comes as near as {best:.3g} in score. Allow more to change."
    ]


def _spread(rows: Tensor, bounds: Bounds) -> Tensor:
    """The mean distance (Q,) between the rows (Q, k, F) of a query; 0 for one."""
    apart = (rows.unsqueeze(1) - rows.unsqueeze(2)).abs() / bounds.scale
    apart = torch.where(bounds.discrete, (apart > 0).to(apart), apart).sum(3)
    count = rows.shape[1]
    return apart.sum((1, 2)) / max(1, count * (count - 1))


__all__ = ["counterfactuals"]
