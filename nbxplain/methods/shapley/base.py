"""What the Shapley methods share: players, absence, and estimates that improve while values come.

A method chooses coalitions and says what follows from the values of the first of them; the rest is
here. Estimates are made in float64 and for each row on its own, so that a row of a batch gets what
it gets alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nbxplain.core.background import Background
from nbxplain.core.regions import Regions
from nbxplain.core.target import Probability
from nbxplain.methods.base import Group, Partial, Players, Question, parameter, relative
from nbxplain.methods.coalitions import Game, Regional

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass
class Estimate:
    """Shapley values (n,) that sum to v(all) - v(none), and their standard errors (n,).

    `errors` is None where the values so far do not tell. When `exact`, nothing was estimated.
    """

    values: Floats
    errors: Floats | None = None
    exact: bool = False


class Design(ABC):
    """The coalitions (m, n) to ask for: the empty one, the full one, and then any.

    The estimate is renewed when there are `growth` times the coalitions of the last one.
    """

    coalitions: Bools
    growth: ClassVar[float] = 1.1

    @abstractmethod
    def estimate(self, values: Floats) -> Estimate:
        """What follows from v(S) - v(none) (k,) of the first k coalitions, 2 at least."""


class ShapleyMethod(Regional):
    """Base of the methods that share the score out among players: values (N, P).

    They sum to v(all) - v(none) exactly. The value v(S) of a coalition is the score, or the
    class's probability, of the input with the players outside S at the baseline, or its mean over
    a background (interventional).
    """

    group: ClassVar[Group] = "Shapley"
    cost: ClassVar[int] = 3
    resumable: ClassVar[bool] = True

    segments: int = parameter(
        14, "Superpixels, where no regions are given; a table has its features.", ge=2, le=1000,
        log=True,
    )  # fmt: skip
    background: Background | None = parameter(
        None, "Inputs to average over where a player is absent, instead of one baseline."
    )
    unit: Literal["score", "probability"] = parameter(
        "score", "What is shared out: the score or the class's probability."
    )

    @abstractmethod
    def design(self, game: Game, row: int) -> Design:
        """The coalitions for one row of the batch. Raises MethodError."""

    def game(self, question: Question) -> Game:
        if self.unit == "probability":
            shares = Probability.of(question.target, question.adapter.probabilities)
            question = replace(question, target=shares)
        absent = self.background or self.baseline
        return Game(question, absent, self.regions or Regions.superpixels(self.segments))

    def run(self, question: Question) -> Iterator[Partial]:
        """Yields the estimate so far after each chunk, with a standard error per player."""
        game = self.game(question)
        regions = self.regions or Regions.superpixels(self.segments)
        players = Players(game.labels, game.counts, regions.names_for(question.inputs, game.labels))
        designs = [self.design(game, row) for row in range(len(game.x))]
        growth, fitted = max(design.growth for design in designs), 0
        rows = [Estimate(np.zeros(n)) for n in game.counts.tolist()]
        for known in evaluate(game, [d.coalitions for d in designs]):
            last = known.done == known.total
            if known.coalitions >= max(2, growth * fitted) or last:
                rows = [
                    design.estimate(known.values[row, : known.coalitions][: len(design.coalitions)])
                    for row, design in enumerate(designs)
                ]
                fitted = known.coalitions
            yield _partial(game, players, rows, known)


@dataclass
class Known:
    """Values (N, m) of the first `coalitions` of each row, less v(none), which is `base` (N,)."""

    values: Floats
    base: Floats
    coalitions: int
    done: int
    total: int


def evaluate(game: Game, coalitions: list[Bools]) -> Iterator[Known]:
    """The values of each row's coalitions (m, n), chunk by chunk, every row at the same pace."""
    device, samples = game.x.device, game.samples
    sizes = torch.tensor([len(c) for c in coalitions], device=device)
    most = int(sizes.max())
    # Rows with equal coalitions, as those of one batch mostly are, share one table.
    kinds = {id(c): c for c in coalitions}
    table = torch.zeros(len(kinds), most, game.players, dtype=torch.bool, device=device)
    for kind, members in enumerate(kinds.values()):
        table[kind, : len(members), : members.shape[1]] = torch.tensor(members)
    kind_of = torch.tensor([list(kinds).index(id(c)) for c in coalitions], device=device)
    asked = torch.arange(most, device=device).unsqueeze(1) < sizes
    numbers, rows = asked.nonzero(as_tuple=True)

    def split(index: Tensor) -> tuple[Tensor, Tensor]:
        pair = index // samples
        return rows[pair], numbers[pair] * samples + index % samples

    sums = np.zeros((len(coalitions), most))
    done, total = 0, len(numbers) * samples
    for part in game.values(total, lambda row, number: table[kind_of[row], number], split):
        number = (part.number // samples).cpu().numpy()
        np.add.at(sums, (part.row.cpu().numpy(), number), part.scores.double().cpu().numpy())
        done += len(number)
        complete = most if done == total else int(numbers[done // samples])
        base = sums[:, 0] / samples if complete else np.zeros(len(sums))
        yield Known(sums / samples - base[:, None], base, complete, done, total)


def _partial(game: Game, players: Players, rows: list[Estimate], known: Known) -> Partial:
    values = _padded([row.values for row in rows], game)
    exact = torch.tensor([float(row.exact) for row in rows])
    errors = [np.zeros_like(row.values) if row.exact else row.errors for row in rows]
    known_errors = [row for row in errors if row is not None]
    evidence, spread, error = {}, None, None
    if bool(exact.any()):
        evidence["exact"] = exact
    if len(known_errors) == len(errors):
        spread = _padded(known_errors, game)
        share = spread.norm(dim=1) / values.norm(dim=1).clamp(min=1e-30)
        evidence["standard_error"], error = share, relative(spread, values)
    return Partial(
        values=values,
        done=known.done,
        total=known.total,
        error=error,
        base_value=torch.from_numpy(known.base).to(values),
        evidence=evidence,
        players=replace(players, errors=None if bool(exact.all()) else spread),
    )


def _padded(rows: list[Floats], game: Game) -> Tensor:
    """Rows (n,) as one tensor (N, P)."""
    result = game.x.new_zeros(len(rows), game.players)
    for row, values in enumerate(rows):
        result[row, : len(values)] = torch.from_numpy(values).to(result)
    return result


__all__ = [
    "Bools",
    "Design",
    "Estimate",
    "Floats",
    "ShapleyMethod",
]
