"""Which pictures stand against which: the concept's own sets and those that chance would make.

Every problem is a set of `size` pictures against `others` pictures of the random pool. Problem 0 is
the concept; problems 1 to R take a set of the same size from the pool in its place. All have the
same number of runs, each with its own draw of the others, so that their statistics are alike in
everything but the concept.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nbxplain.core.errors import InputError

FEWEST = 4
"""Pictures on a side below which there is nothing to hold out."""


@dataclass(frozen=True)
class Sets:
    """Problems (B, n) as rows of a pool, and their sides (B, n), +1 or -1.

    `run` (B,) and `problem` (B,) say which run of which problem each is; problem 0 is the concept.
    """

    rows: Tensor
    sides: Tensor
    problem: Tensor
    run: Tensor

    def of_concept(self) -> Sets:
        """The concept's own runs."""
        return self.where(self.problem == 0)

    def where(self, chosen: Tensor) -> Sets:
        """Some of the problems."""
        return Sets(self.rows[chosen], self.sides[chosen], self.problem[chosen], self.run[chosen])


def draw(
    concept: Tensor,
    pool: Tensor,
    permutations: int,
    runs: int,
    seed: int,
    against: Tensor | None = None,
) -> Sets:
    """The problems of one concept.

    concept, pool: rows of its examples and of the random pictures. against: rows of another
    concept, for relative concepts; then chance draws both sides from the pool. Raises InputError
    when the pool is too small.
    """
    size = len(concept)
    others = len(against) if against is not None else min(size, len(pool) - size)
    if others < FEWEST or size + others > len(pool):
        raise InputError(
            f"There are {len(pool)} random pictures for a concept of {size}.",
            f"Give at least {size + max(others, FEWEST)}: chance is measured by sets of the "
            "concept's size drawn from them.",
        )
    generator = torch.Generator().manual_seed(seed)
    rows, problems = [], []
    for problem in range(permutations + 1):
        order = pool[torch.randperm(len(pool), generator=generator)]
        taken, rest = (concept, order) if problem == 0 else (order[:size], order[size:])
        for _ in range(runs):
            if problem == 0 and against is not None:
                other = against
            else:
                other = rest[torch.randperm(len(rest), generator=generator)[:others]]
            rows.append(torch.cat([taken, other]))
            problems.append(problem)
    sides = torch.cat([torch.ones(size), -torch.ones(others)]).double()
    number = torch.tensor(problems)
    run = torch.arange(len(number)) % runs
    return Sets(torch.stack(rows), sides.expand(len(number), -1), number, run)


def folds(sides: Tensor, count: int) -> list[Tensor]:
    """Booleans (n,), True where a row is held out: each fold takes its share of both sides."""
    place = torch.zeros(len(sides), dtype=torch.long)
    for side in (sides > 0, sides < 0):
        place[side] = torch.arange(int(side.sum())) % count
    return [place == fold for fold in range(count)]
