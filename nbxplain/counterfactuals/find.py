"""counterfactuals(): the call."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.counting import counted
from nbxplain.core.errors import ExplanationError, InputError, MethodError, TargetError
from nbxplain.core.inputs import Inputs
from nbxplain.core.passes import Passes
from nbxplain.core.tables import Categories
from nbxplain.counterfactuals.bounds import Allowed, Bounds, Monotone, Ranges
from nbxplain.counterfactuals.causal import CausalGraph
from nbxplain.counterfactuals.result import Counterfactuals
from nbxplain.counterfactuals.search import CLEAR, Hunt
from nbxplain.counterfactuals.wish import Desired, Wish
from nbxplain.explain import sources

Search = Literal["auto", "gradient", "genetic", "nearest"]

CANDIDATES = 4
"""Candidates of a gradient search for each row that is wanted."""
POPULATION = 48
TIDYING = 8
"""About how many steps follow those of the search."""
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
    """k rows near `row` that the model decides as desired (fewer if no more differ); several rows
    are asked at once.

    model, row, feature_names, categories, labels, output: as in explain. desired: a class, or an
    interval (low, high) for a model with one score. background: rows that say what is usual: ranges
    and scales come from it. immutable: features that never change. ranges: {name: (low, high)},
    which hold for the rows found even where the row itself lies outside. monotone: {name:
    "increase" or "decrease"}. costs: {name: weight}, 1 by default. causal_graph: what follows from
    an action. search: "gradient" follows slopes (torch modules; Wachter et al. 2017, Mothilal et
    al. 2020), "genetic" and "nearest" need none; "auto" takes the first that the model allows.
    steps: of the walk at most, or generations. diversity: how much distance between the rows is
    worth beside nearness. Raises ExplanationError.
    """
    adapter = ModelAdapter(
        model, None, labels, output,
        background=background, feature_names=feature_names, categories=categories,
    )  # fmt: skip
    graph = causal_graph or CausalGraph()
    allowed = Allowed(immutable, ranges or {}, monotone or {}, costs or {}, graph)
    plan = Plan(search, k, steps, diversity, seed)
    *_, found = searching(adapter, adapter.read(row), desired, allowed, plan)
    return found


@dataclass(frozen=True)
class Plan:
    """How to search; see `counterfactuals`. Raises MethodError."""

    search: Search = "auto"
    k: int = 4
    steps: int = 60
    diversity: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        counted("k", self.k)
        counted("steps", self.steps)
        if self.search not in get_args(Search):
            raise MethodError(
                f"There is no search {self.search!r}.", f"Choose one of {get_args(Search)}."
            )


def searching(
    adapter: ModelAdapter,
    inputs: Inputs,
    desired: Desired,
    allowed: Allowed,
    plan: Plan,
    *,
    cancelled: Callable[[], bool] = lambda: False,
    every: float = math.inf,
) -> Iterator[Counterfactuals]:
    """The search of `counterfactuals`, for inputs of an adapter: ever better results.

    After each `every` seconds the best so far is yielded, and at last what was found.
    """
    started = shown = time.perf_counter()
    table, rows = inputs.table, inputs.tensor
    if table is None or table.background is None:
        raise InputError("There is no background.", "Give rows of the training data.")
    if bool(rows.isnan().any()):
        raise InputError("The row has missing values.", "Fill them in: a change needs a start.")
    bounds = Bounds.of(rows, table, allowed)
    scores = adapter.outputs(rows)
    names = adapter.labels(scores.shape[1])
    wish = Wish.of(desired, scores.shape[1], names)
    _refuse_granted(wish, scores, names)
    passes = Passes(adapter, chunk=TOGETHER, layout="contiguous", cancelled=cancelled)
    generator = torch.Generator().manual_seed(plan.seed)
    hunt = Hunt(rows, bounds, wish, adapter, passes, allowed.graph, table.names, generator)
    known = table.background[~table.background.isnan().any(1)]
    used, candidates = _candidates(hunt, plan, known)
    total = TIDYING + (1 if used == "nearest" else plan.steps)

    def result(shift: Tensor, done: int, total: int) -> Counterfactuals:
        shift, margin = hunt.chosen(shift, plan.k, plan.diversity)
        found = hunt.outcome(shift)
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
            desired=wish.said(names),
            search=used,
            evaluations=passes.evaluations,
            seconds=time.perf_counter() - started,
            provenance={
                **sources(adapter, inputs, passes),
                "method": "counterfactuals",
                "desired": wish.index if wish.interval is None else wish.interval,
                **asdict(plan),
                "search": used,
                **allowed.describe(),
                "background": table.digest,
            },
            done=done,
            total=total,
        )
        result.notices += _shortfall(result)
        if result.rows.shape[1] < plan.k:
            count = result.rows.shape[1]
            result.notices.append(f"{count} instead of {plan.k}: no others that differ were found.")
        return result

    done, shift = 0, rows
    for better in _tidied(hunt, candidates):
        if done and time.perf_counter() - shown > every:
            yield result(shift, done, max(total, done + 1))
            shown = time.perf_counter()
        done, shift = done + 1, better
    yield result(shift, done, done)


def _candidates(hunt: Hunt, plan: Plan, background: Tensor) -> tuple[str, Iterator[Tensor]]:
    """Ever better shifts (Q, C, F) by the search that is wanted, or the first that works."""
    if plan.search in ("auto", "gradient"):
        try:
            walk = hunt.walk(hunt.starts(CANDIDATES * plan.k, background), plan.steps)
            return "gradient", chain([next(walk)], walk)
        except ExplanationError:
            if plan.search == "gradient":
                raise
    starts = hunt.starts(max(POPULATION, CANDIDATES * plan.k), background)
    if plan.search == "nearest":
        return "nearest", iter([starts])
    return "genetic", hunt.evolve(starts, background, plan.steps)


def _tidied(hunt: Hunt, candidates: Iterator[Tensor]) -> Iterator[Tensor]:
    for shift in candidates:
        yield shift
    yield from hunt.tidy(shift)


def _refuse_granted(wish: Wish, scores: Tensor, names: Sequence[str]) -> None:
    """Raises TargetError where a row is as desired already, and says what is nearest to it."""
    margin = wish.margin(scores)
    if not bool((margin > 0).any()):
        return
    row = int((margin > 0).nonzero()[0])
    if wish.interval is None:
        order = scores[row].argsort(descending=True)
        boundary = f"that to {names[int(order[1])]}"
    else:
        boundary = f"{min(wish.interval, key=lambda end: abs(end - float(scores[row, 0]))):g}"
    which = f"Row {row}" if len(scores) > 1 else "The row"
    raise TargetError(
        f"{which} is {wish.said(names)} already.",
        f"The nearest boundary is {boundary}, {float(margin[row]):.3g} away in score: ask for what "
        "lies beyond it.",
    )


def _shortfall(result: Counterfactuals) -> list[str]:
    """What is said where the wish was not granted: the best that was found, and how far it is."""
    missed = ~result.valid.any(1)
    if not bool(missed.any()):
        return []
    best = float(result.margin[missed].amax())
    which = "The row" if len(missed) == 1 else f"{int(missed.sum())} of {len(missed)} rows"
    return [
        f"{which} cannot be made {result.desired} within the bounds: the best is {-best:.3g} "
        "short in score. Allow more to change."
    ]


def _spread(rows: Tensor, bounds: Bounds) -> Tensor:
    """The mean distance (Q,) between the rows (Q, k, F) of a query; 0 for one."""
    apart = (rows.unsqueeze(1) - rows.unsqueeze(2)).abs() / bounds.scale
    apart = torch.where(bounds.discrete, (apart > 0).to(apart), apart).sum(3)
    count = rows.shape[1]
    return apart.sum((1, 2)) / max(1, count * (count - 1))


__all__ = ["counterfactuals"]
