"""The search: starts from rows that are as wished, walks towards the row, gives back what it can.

All queries, all candidates and all features are one tensor. `Hunt.walk` follows gradients,
`Hunt.evolve` needs none; both leave candidates that `Hunt.tidy` makes sparse and near. Each of them
yields the best candidates it has after every step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.passes import Passes
from nbxplain.counterfactuals.bounds import Bounds
from nbxplain.counterfactuals.causal import CausalGraph
from nbxplain.counterfactuals.wish import Wish

SHRINK = 0.03
"""Of a walk: the cost that each step takes from every feature, as a share of the step."""
HALVINGS = 10
FEWER = 2.0
"""What a changed feature costs beside its distance, where candidates are compared."""
CLEAR = 1e-6
"""The least margin that counts as valid: on the boundary itself nothing is decided."""


ALIKE = 0.1
"""Below which difference in every feature, in scales, two rows that change the same are one."""
REPEATED = 1e8
"""What a repetition costs: less than being invalid."""


@dataclass
class Hunt:
    """Queries (Q, F), what is allowed, and the model that must agree."""

    rows: Tensor
    bounds: Bounds
    wish: Wish
    adapter: ModelAdapter
    passes: Passes
    graph: CausalGraph
    names: tuple[str, ...]
    generator: torch.Generator

    def outcome(self, shift: Tensor) -> Tensor:
        """Rows (Q, C, F) after the shifts, with what follows from them.

        Adding a shift may end a rounding error beyond a bound: there the bound itself is meant.
        """
        others = self.graph.outcome(self.rows, shift, self.names)
        return torch.where(self.bounds.beyond(others), others, self.bounds.inside(others))

    def margins(self, others: Tensor) -> Tensor:
        """Margins (Q, C) of rows (Q, C, F); what is not allowed is not valid."""
        flat, margin = others.flatten(0, 1), others.new_zeros(others.shape[:2]).flatten()
        for index, part in self.passes.scores(
            len(flat), lambda r: flat[r], lambda output, _: self.wish.margin(output)
        ):
            margin[index] = part
        off = self.bounds.beyond(others).any(2)
        return torch.where(off, -torch.inf, margin.view(others.shape[:2]))

    def granted(self, shift: Tensor) -> Tensor:
        """Margins (Q, C) of the shifts' outcomes; a part of a whole number is not allowed."""
        value = self.rows.unsqueeze(1) + shift
        parts = (self.bounds.whole & (shift != 0) & (value != value.round())).any(2)
        return torch.where(parts, -torch.inf, self.margins(self.outcome(shift)))

    def cost(self, shift: Tensor) -> Tensor:
        """What the shifts (Q, C, F) cost (Q, C): what follows from them by itself costs nothing."""
        return self._costs(shift).sum(2)

    def _costs(self, shift: Tensor) -> Tensor:
        return self.bounds.change(torch.zeros_like(self.rows), shift)

    def clamped(self, shift: Tensor) -> Tensor:
        """The nearest shifts that keep what is acted on within its bounds."""
        rows = self.rows.unsqueeze(1)
        return self.bounds.inside(rows + shift) - rows

    @cached_property
    def least(self) -> Tensor:
        """The smallest shifts (Q, 1, F) that are allowed: none, or into a range."""
        return self.clamped(torch.zeros_like(self.rows).unsqueeze(1))

    def starts(self, count: int, background: Tensor) -> Tensor:
        """Shifts (Q, count, F) to the nearest background rows that are as wished, else to any."""
        scores = self.adapter.outputs(background.to(self.rows))
        margin = self.wish.margin(scores)
        wished = background[margin > CLEAR].to(self.rows)
        pool = wished if len(wished) else background[margin.topk(1).indices].to(self.rows)
        apart = self.bounds.change(self.rows, pool.expand(len(self.rows), -1, -1)).sum(2)
        near = apart.topk(min(count, len(pool)), largest=False).indices
        near = near.repeat(1, -(-count // near.shape[1]))[:, :count]
        return self.clamped(pool[near] - self.rows.unsqueeze(1))

    # With gradients

    def walk(self, shift: Tensor, steps: int) -> Iterator[Tensor]:
        """Along the margin's slope while it is negative, towards the row otherwise.

        Each candidate weighs features differently, by which candidates come to differ.
        """
        weight = self._drawn(shift.shape, 0.3, 1.7) * self.bounds.costs
        numbers = (~self.bounds.discrete).to(shift)
        scale, starts, best = self.bounds.scale, shift, shift.clone()
        lowest = torch.where(self.margins(self.outcome(shift)) > CLEAR, self.cost(shift), torch.inf)
        shift = torch.where(self.bounds.discrete, shift, self.least.lerp(shift, 0.5))
        for number in range(steps):
            margin, slope = self._slope(shift)
            cost = torch.where(margin > CLEAR, self.cost(shift), torch.inf)
            better = cost < lowest
            best[better], lowest[better] = shift[better], cost[better]
            size = 0.5 * (1 - number / steps) + 0.02
            # Steepest where a unit of cost buys most.
            slope = slope * scale * numbers / weight
            slope = slope / slope.abs().amax(2, keepdim=True).clamp(min=1e-30)
            ahead = shift / scale + size * slope * (margin <= CLEAR).unsqueeze(2)
            less = SHRINK * size * weight + size * 0.1 * weight * (margin > CLEAR).unsqueeze(2)
            near = ahead.sign() * (ahead.abs() - less * numbers).clamp(min=0)
            shift = self.clamped(torch.where(self.bounds.discrete, shift, near * scale))
            yield torch.cat([best, starts], 1)

    def _slope(self, shift: Tensor) -> tuple[Tensor, Tensor]:
        """Margins (Q, C) and their gradients with respect to the shifts."""
        with torch.enable_grad():
            acted = shift.detach().requires_grad_()
            others = self.graph.outcome(self.rows, acted, self.names)
        flat = others.detach().flatten(0, 1)
        margin, slope = flat.new_zeros(len(flat)), torch.zeros_like(flat)
        for part in self.passes.gradients(
            len(flat), lambda r: flat[r], lambda output, _: self.wish.margin(output)
        ):
            margin[part.rows], slope[part.rows] = part.scores, part.gradient
        slope = slope.view_as(others)
        if self.graph.effects:
            (slope,) = torch.autograd.grad(others, acted, slope)
        return margin.view(shift.shape[:2]), slope

    # Without

    def evolve(self, shift: Tensor, background: Tensor, generations: int) -> Iterator[Tensor]:
        """A child takes each feature from its mother, another parent, the row or the background,
        and replaces its mother where it is better.

        Every place in the population weighs features differently, or all would become one.
        """
        weight = self._drawn(shift.shape, 0.1, 1.9)
        fitness = self._fitness(shift, weight)
        for _ in range(generations):
            child = self._children(shift, background)
            worth = self._fitness(child, weight)
            better = worth < fitness
            shift = torch.where(better.unsqueeze(2), child, shift)
            fitness = torch.where(better, worth, fitness)
            yield shift

    def _children(self, mother: Tensor, background: Tensor) -> Tensor:
        queries, count, features = mother.shape
        pair = torch.randint(count, (queries, count), generator=self.generator)
        father = mother.gather(1, pair.unsqueeze(2).expand(-1, -1, features))
        chosen = torch.randint(len(background), (queries, count), generator=self.generator)
        other = background.to(mother)[chosen] - self.rows.unsqueeze(1)
        lot = self._drawn(mother.shape, 0, 1)
        child = torch.where(lot < 0.7, mother, father)
        # Part of the way back, all of the way back, or something new.
        child = torch.where((lot > 0.84) & ~self.bounds.discrete, child * 0.6, child)
        child = torch.where((lot > 0.92) & (lot <= 0.98), 0.0, child)
        return self.clamped(torch.where(lot > 0.98, other, child))

    def _fitness(self, shift: Tensor, weight: Tensor) -> Tensor:
        margin = self.margins(self.outcome(shift))
        return _ranked(margin, (weight * (self._costs(shift) + FEWER * (shift != 0))).sum(2))

    # Both

    def tidy(self, shift: Tensor) -> Iterator[Tensor]:
        """Whole numbers, as few changes as possible, each as small as possible, all still valid."""
        shift = self._rounded(shift)
        for improve in (self._sparse, self._near, self._sparse):
            for better in improve(shift):
                shift = better
                yield shift

    @property
    def tidying(self) -> int:
        """How many steps `tidy` takes."""
        return 2 * self.rows.shape[1] + HALVINGS

    def _if_valid(self, shift: Tensor, other: Tensor) -> Tensor:
        """`other` where it is valid, else `shift`."""
        valid = self.margins(self.outcome(other)) > CLEAR
        return torch.where(valid.unsqueeze(2), other, shift)

    def _rounded(self, shift: Tensor) -> Tensor:
        """Whole numbers where the background has only these: the nearest, else further out."""
        if not bool(self.bounds.whole.any()):
            return shift
        nearest = (self.rows.unsqueeze(1) + shift).round() - self.rows.unsqueeze(1)
        shift = self._if_valid(shift, self._outwards(shift))
        return self._if_valid(shift, self.clamped(torch.where(self.bounds.whole, nearest, shift)))

    def _outwards(self, shift: Tensor) -> Tensor:
        """The same with whole numbers, none nearer to the row than before."""
        value = self.rows.unsqueeze(1) + shift
        away = torch.where(shift > 0, value.ceil(), value.floor()) - self.rows.unsqueeze(1)
        return self.clamped(torch.where(self.bounds.whole & (shift != 0), away, shift))

    def _sparse(self, shift: Tensor) -> Iterator[Tensor]:
        """Gives features back, the cheapest change first, while that stays valid."""
        order, least = self._costs(shift).argsort(2), self.least.expand_as(shift)
        for place in range(shift.shape[2]):
            one = order[:, :, place : place + 1]
            without = shift.scatter(2, one, least.gather(2, one))
            shift = self._if_valid(shift, without)
            yield shift

    def _near(self, shift: Tensor) -> Iterator[Tensor]:
        """The shortest part of each shift that is valid, by bisection."""

        def part(share: Tensor) -> Tensor:
            return torch.where(
                self.bounds.discrete, shift, self._outwards(self.least.lerp(shift, share))
            )

        low, high = torch.zeros_like(shift[..., :1]), torch.ones_like(shift[..., :1])
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            valid = (self.margins(self.outcome(part(middle))) > CLEAR).unsqueeze(2)
            low, high = torch.where(valid, low, middle), torch.where(valid, middle, high)
            yield part(high)

    def chosen(self, shift: Tensor, count: int, diversity: float) -> Tensor:
        """The best `count` of the candidates: valid ones, near the row and far from each other.

        Fewer where there are no more that differ: what repeats another in every query, or all but
        repeats it, is left out.
        """
        margin = self.granted(shift)
        worth = _ranked(margin, self.cost(shift) + FEWER * (shift != 0).sum(2))
        apart = torch.full_like(worth, torch.inf)
        known = torch.zeros_like(worth, dtype=torch.bool)
        picked: list[Tensor] = []
        fresh: list[bool] = []
        rows = torch.arange(len(shift))
        for number in range(count):
            gain = diversity * apart.clamp(max=1e6) if number else torch.zeros_like(worth)
            gain = torch.where(known, -REPEATED, gain)
            best = (worth - gain).argmin(1)
            picked.append(shift[rows, best])
            fresh.append(not bool(known[rows, best].all()))
            other = picked[-1].unsqueeze(1)
            difference = (shift - other).abs() / self.bounds.scale
            difference = torch.where(self.bounds.discrete, (difference > 0).to(shift), difference)
            apart = apart.minimum(difference.sum(2))
            known |= (((shift != 0) == (other != 0)) & (difference < ALIKE)).all(2)
            worth[rows, best] = 1e15
        return torch.stack(picked, 1)[:, fresh]

    def _drawn(self, shape: torch.Size, low: float, high: float) -> Tensor:
        drawn = torch.rand(shape, generator=self.generator, dtype=self.rows.dtype)
        return low + (high - low) * drawn.to(self.rows.device)


def _ranked(margin: Tensor, cost: Tensor) -> Tensor:
    """Small is good: costs (Q, C), then what is invalid, the nearest to being valid first."""
    return torch.where(margin > CLEAR, cost, 1e9 - margin.clamp(min=-1e6))
