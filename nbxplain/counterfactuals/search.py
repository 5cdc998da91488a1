"""The search: starts from rows that are as wished, walks towards the row, gives back what it can.

All queries, all candidates and all features are one tensor. `Hunt.walk` follows gradients,
`Hunt.evolve` needs none; both leave candidates that `Hunt.tidy` makes sparse and near. Each of them
yields the best candidates it has after every step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.passes import Passes
from nbxplain.counterfactuals.bounds import Bounds
from nbxplain.counterfactuals.causal import CausalGraph
from nbxplain.counterfactuals.wish import Wish

BEYOND = 0.03
"""Of a walk: how far its first step aims beyond the boundary, as a share of the way to it."""
PATIENCE = 2
"""Steps without a candidate that gets cheaper by GAIN, after which a walk ends."""
GAIN = 0.01
FINE = 1e-3
"""The share of a change down to which its shortest valid part is found."""
AT_ONCE, CUTS = 4096, 31
"""Rows and parts of a change that are tried in one go."""
FEWER = 2.0
"""What a changed feature costs beside its distance, where candidates are compared."""
CLEAR = 1e-6
"""The least margin that counts as valid: on the boundary itself nothing is decided."""
ALIKE = 0.1
"""Below which difference in every feature, in scales, two rows that change the same are one."""
REPEATED = 1e8
"""What a repetition costs: less than being invalid."""


Part = Callable[[Tensor], Tensor]
"""Shares (Q, C, n) of a change -> parts of it (Q, C, n, F); the whole for 1."""


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
        """Rows (Q, C, F) after the shifts, with what follows from them."""
        return self._outcome(shift)[0]

    def _outcome(self, shift: Tensor) -> tuple[Tensor, Tensor]:
        """Rows after the shifts, and where they lie beyond what is allowed (Q, C, F).

        Adding a shift may end a rounding error beyond a bound: there the bound itself is meant.
        """
        others = self.graph.outcome(self.rows, shift, self.names)
        inside, beyond = self.bounds.inside(others), self.bounds.beyond(others)
        return torch.where(beyond, others, inside), beyond

    def margins(self, shift: Tensor) -> Tensor:
        """Margins (Q, C) of shifts (Q, C, F); what is not allowed is not valid."""
        others, beyond = self._outcome(shift)
        flat, margin = others.flatten(0, 1), others.new_zeros(others.shape[:2]).flatten()
        for index, part in self.passes.scores(
            len(flat), lambda r: flat[r], lambda output, _: self.wish.margin(output)
        ):
            margin[index] = part
        return torch.where(beyond.any(2), -torch.inf, margin.view(others.shape[:2]))

    def granted(self, shift: Tensor) -> Tensor:
        """Margins (Q, C) of the shifts' outcomes; a part of a whole number is not allowed."""
        value = self.rows.unsqueeze(1) + shift
        parts = (self.bounds.whole & (shift != 0) & (value != value.round())).any(2)
        return torch.where(parts, -torch.inf, self.margins(shift))

    def cost(self, shift: Tensor) -> Tensor:
        """What the shifts (Q, C, F) cost (Q, C): what follows from them by itself costs nothing."""
        return self._costs(shift).sum(2)

    def _worth(self, shift: Tensor) -> Tensor:
        return self.cost(shift) + FEWER * (shift != 0).sum(2)

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
        """To the cheapest point on the boundary that the model would have if it were linear as it
        is at a candidate, and again from there, until no candidate gets cheaper (sequential linear
        programming).

        Each candidate weighs features differently, by which candidates come to differ.
        """
        weight = self._drawn(shift.shape, 0.3, 1.7) * self.bounds.costs
        starts, best, lowest = shift, shift, shift.new_full(shift.shape[:2], torch.inf)
        still, beyond = 0, BEYOND
        for _ in range(steps):
            margin, slope = self._slope(shift)
            worth = torch.where(margin > CLEAR, self._worth(shift), torch.inf)
            still = 0 if (worth < (1 - GAIN) * lowest).any() else still + 1
            best = torch.where((worth < lowest).unsqueeze(2), shift, best)
            lowest = lowest.minimum(worth)
            yield torch.cat([best, starts], 1)
            if still >= PATIENCE and lowest.isfinite().any(1).all():
                return
            shift = self._cheapest(shift, margin, slope, weight, 1 + beyond)
            beyond /= 2

    def _cheapest(
        self, shift: Tensor, margin: Tensor, slope: Tensor, weight: Tensor, reach: float
    ) -> Tensor:
        """Where a model of this slope (Q, C, F) everywhere would have a margin, at the least
        weighted cost: the numbers that buy most of it one after the other, each to its end.
        """
        held = torch.where(self.bounds.discrete, shift, self.least)
        needed = ((slope * (shift - held)).sum(2) - margin) * reach + CLEAR
        ends = torch.where(slope > 0, self._ends[1], self._ends[0])
        ends = torch.where(self.bounds.discrete, 0.0, ends - held)
        order = (slope.abs() * self.bounds.scale / weight).argsort(2, descending=True)
        gain = (slope * ends).gather(2, order)
        before = gain.cumsum(2) - gain
        share = ((needed.unsqueeze(2) - before) / gain.clamp(min=1e-30)).clamp(0, 1)
        return held + torch.zeros_like(shift).scatter(2, order, share) * ends

    @cached_property
    def _ends(self) -> tuple[Tensor, Tensor]:
        """The smallest and the largest shifts (Q, 1, F)."""
        low, high = self.bounds.low - self.rows, self.bounds.high - self.rows
        return low.unsqueeze(1), high.unsqueeze(1)

    def _slope(self, shift: Tensor) -> tuple[Tensor, Tensor]:
        """Margins (Q, C) and their gradients with respect to the shifts."""
        acts = bool(self.graph.effects)
        with torch.set_grad_enabled(acts):
            acted = shift.detach().requires_grad_(acts)
            others = self.graph.outcome(self.rows, acted, self.names)
        flat = others.detach().flatten(0, 1)
        margin, slope = flat.new_zeros(len(flat)), torch.zeros_like(flat)
        for part in self.passes.gradients(
            len(flat), lambda r: flat[r], lambda output, _: self.wish.margin(output)
        ):
            margin[part.rows], slope[part.rows] = part.scores, part.gradient
        slope = slope.view_as(others)
        if acts:
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
        margin = self.margins(shift)
        return _ranked(margin, (weight * (self._costs(shift) + FEWER * (shift != 0))).sum(2))

    # Both

    def tidy(self, shift: Tensor) -> Iterator[Tensor]:
        """Whole numbers, as few changes as possible, each as small as possible, all still valid."""
        shift = self._rounded(shift)
        for improve in (self._sparse, self._near):
            for better in improve(shift):
                shift = better
                yield shift

    def _margins(self, shifts: Tensor) -> Tensor:
        """Margins (Q, C, n) of shifts (Q, C, n, F), in one go."""
        return self.margins(shifts.flatten(1, 2)).view(shifts.shape[:3])

    def _if_valid(self, shift: Tensor, other: Tensor) -> Tensor:
        """`other` where it is valid, else `shift`."""
        valid = self.margins(other) > CLEAR
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
        """Gives features back while that stays valid: those first that save most for what they add
        to the margin, as many together as can be, and again.
        """
        one = torch.eye(shift.shape[2], dtype=torch.bool, device=shift.device)
        while True:
            costs = self._costs(shift - self.least)
            most = int((costs > 0).sum(2).amax())
            cost, places = costs.topk(most, 2)
            given = torch.cat(
                [torch.zeros_like(shift, dtype=torch.bool).unsqueeze(2), one[places]], 2
            )
            some = given.split(max(1, AT_ONCE // shift[..., 0].numel()), 2)
            margin = torch.cat([self._margins(self._without(shift, each)) for each in some], 2)
            spare = (cost > 0) & (margin[..., 1:] > CLEAR)
            if not spare.any():
                return
            loss = (margin[..., :1] - margin[..., 1:]).nan_to_num(0.0)
            saved = torch.where(spare, (cost + FEWER) / loss.clamp(min=1e-9), -1.0)
            rank = saved.argsort(2, descending=True).argsort(2).masked_fill(~spare, most)
            ranks = torch.full(shift.shape, most, device=shift.device).scatter(2, places, rank)
            for fewer in self._shortest(self._fewer(shift, ranks, most), shift, 1 / most):
                yield fewer
            shift = fewer

    def _fewer(self, shift: Tensor, ranks: Tensor, most: int) -> Part:
        """Without the features of the lowest ranks: of the whole without one, of nothing `most`."""

        def part(share: Tensor) -> Tensor:
            last = ((1 - share) * most).round().clamp(max=most - 1).unsqueeze(3)
            return self._without(shift, ranks.unsqueeze(2) <= last)

        return part

    def _near(self, shift: Tensor) -> Iterator[Tensor]:
        """The shortest part of each shift that is valid."""

        def part(share: Tensor) -> Tensor:
            shifts = self.least.unsqueeze(2).lerp(shift.unsqueeze(2), share.unsqueeze(3))
            outwards = self._outwards(shifts.flatten(1, 2)).view_as(shifts)
            return torch.where(self.bounds.discrete, shift.unsqueeze(2), outwards)

        yield from self._shortest(part, shift, FINE)

    def _without(self, shift: Tensor, given: Tensor) -> Tensor:
        """Shifts (Q, C, n, F) that give back n sets of features."""
        return torch.where(given, self.least.unsqueeze(2), shift.unsqueeze(2))

    def _shortest(self, part: Part, shift: Tensor, fine: float) -> Iterator[Tensor]:
        """The smallest valid part of each shift (Q, C, F), the whole where none is smaller, to a
        share of `fine`: by as many cuts at once as make a pass."""
        cuts = max(1, min(CUTS, AT_ONCE // shift[..., 0].numel(), math.ceil(1 / fine) - 1))
        between = torch.arange(1, cuts + 1).to(shift) / (cuts + 1)
        low, high = torch.zeros_like(shift[..., :1]), torch.ones_like(shift[..., :1])
        for _ in range(max(1, math.ceil(-math.log(fine) / math.log(cuts + 1) - 1e-9))):
            shares = low + (high - low) * between
            valid = self._margins(part(shares)) > CLEAR
            missed = (~valid).int().cumprod(2).sum(2, keepdim=True)
            ends = torch.cat([low, shares, high], 2)
            low, high = ends.gather(2, missed), ends.gather(2, missed + 1)
            yield part(high).squeeze(2)

    def chosen(self, shift: Tensor, count: int, diversity: float) -> tuple[Tensor, Tensor]:
        """The best `count` of the candidates, valid ones, near the row and far from each other, and
        their margins (Q, count).

        Fewer where there are no more that differ: what repeats another in every query, or all but
        repeats it, is left out.
        """
        margin = self.granted(shift)
        worth = _ranked(margin, self._worth(shift))
        apart = torch.full_like(worth, torch.inf)
        known = torch.zeros_like(worth, dtype=torch.bool)
        picked: list[Tensor] = []
        margins: list[Tensor] = []
        fresh: list[bool] = []
        rows = torch.arange(len(shift))
        for number in range(count):
            gain = diversity * apart.clamp(max=1e6) if number else torch.zeros_like(worth)
            gain = torch.where(known, -REPEATED, gain)
            best = (worth - gain).argmin(1)
            picked.append(shift[rows, best])
            margins.append(margin[rows, best])
            fresh.append(not bool(known[rows, best].all()))
            other = picked[-1].unsqueeze(1)
            difference = (shift - other).abs() / self.bounds.scale
            difference = torch.where(self.bounds.discrete, (difference > 0).to(shift), difference)
            apart = apart.minimum(difference.sum(2))
            known |= (((shift != 0) == (other != 0)) & (difference < ALIKE)).all(2)
            worth[rows, best] = 1e15
        return torch.stack(picked, 1)[:, fresh], torch.stack(margins, 1)[:, fresh]

    def _drawn(self, shape: torch.Size, low: float, high: float) -> Tensor:
        drawn = torch.rand(shape, generator=self.generator, dtype=self.rows.dtype)
        return low + (high - low) * drawn.to(self.rows.device)


def _ranked(margin: Tensor, cost: Tensor) -> Tensor:
    """Small is good: costs (Q, C), then what is invalid, the nearest to being valid first."""
    return torch.where(margin > CLEAR, cost, 1e9 - margin.clamp(min=-1e6))
