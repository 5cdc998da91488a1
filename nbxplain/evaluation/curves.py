"""Deletion and insertion: does the score move first where the map says that it should?

Petsiuk, Das, Saenko 2018 (RISE); the area over the deletion curve is Samek et al. 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, Unpack

import numpy as np
import torch
from torch import Tensor

from nbxplain.core.errors import InputError
from nbxplain.evaluation.case import Case, Explained, Fill, Options, Unit, case, spread
from nbxplain.evaluation.check import ACCENT, BAND, CANNOT_TELL, FAINT, Check, finish, tidy
from nbxplain.evidence import Verdict, graded
from nbxplain.figure import Drawing, Style
from nbxplain.methods.base import paint
from nbxplain.methods.coalitions import Masking

K = TypeVar("K", bound="Curve")

BEATS = 2.0
"""Standard deviations of a random order's area from which a map is said to beat it."""


@dataclass(frozen=True, repr=False)
class Curve(Check):
    """The score while places are taken away (deletion) or put back (insertion).

    `share` (n,) of the places are changed at each point, `curve` (N, n) is the score in the map's
    order, `random` (N, R, n) in the order of random maps of the same resolution; points that are
    not known yet are nan. `fill` is what was put where something was taken away.
    """

    gain: ClassVar[int]
    """1 where a large area is good, -1 where a small one is."""

    share: Tensor
    curve: Tensor
    random: Tensor
    unit: Unit
    fill: str
    constant: tuple[bool, ...]
    of: str

    @property
    def auc(self) -> Tensor:
        """The area (N,) under each curve, in RISE's convention."""
        return area(self.curve)

    @property
    def random_auc(self) -> Tensor:
        """The areas (N, R) of the random orders."""
        return area(self.random)

    @property
    def aopc(self) -> Tensor:
        """The mean fall (N,) of the score along the curve: the area over the perturbation curve."""
        return (self.curve[:, :1] - self.curve).mean(1)

    @property
    def sigmas(self) -> Tensor:
        """By how many standard deviations of the random orders each map (N,) beats them.

        nan for a constant map, and where every random order gives the same area.
        """
        spread = self.random_auc.std(1)
        gain = self.gain * (self.auc - self.random_auc.mean(1))
        # Differences in the last digits of float32 are none.
        same = spread <= 1e-6 * self.random_auc.abs().amax(1).clamp(min=1e-12)
        return (gain / spread).masked_fill(same | torch.tensor(self.constant), float("nan"))

    @property
    def score(self) -> float:
        """The mean area under the curves of the maps that are not constant."""
        known = self.auc[~torch.tensor(self.constant)]
        return float(known.mean()) if len(known) else float("nan")

    @property
    def beats(self) -> float:
        """The median of `sigmas`; nan where it cannot tell."""
        return float(self.sigmas.nanmedian())

    @property
    def verdict(self) -> Verdict:
        return graded(self.beats, BEATS, -BEATS)

    @property
    def value(self) -> str:
        return CANNOT_TELL if np.isnan(self.beats) else f"{self.beats:+.1f} σ against random"

    @property
    def reading(self) -> str:
        if not self.complete:
            return f"{self.done} of {self.total} evaluations"
        if all(self.constant):
            return f"{CANNOT_TELL}: {self.of} is constant, it puts nothing first"
        if np.isnan(self.beats):
            return f"{CANNOT_TELL}: every order gives the same area"
        many = f", the median of {len(self.curve)}" if len(self.curve) > 1 else ""
        words = {"good": "beats", "weak": "is no better than", "poor": "does worse than"}
        says = words[self.verdict]
        return (
            f"{self.of} {says} a random order: area {self.score:.3g} against "
            f"{float(self.random_auc.mean()):.3g}, {self.beats:+.1f} sigma{many} "
            f"(threshold {BEATS:g})"
        )

    @property
    def rows(self) -> int:
        return len(self.curve)

    def draw(self, style: Style, row: int = 0) -> Drawing:
        figure = style.figure(0.5)
        axis = figure.subplots()
        share, random = self.share.numpy(), self.random[row].numpy()
        whole = random[~np.isnan(random).any(1)]
        if len(whole):
            low, high = np.quantile(whole, (0.05, 0.95), axis=0)
            axis.fill_between(share, low, high, color=BAND, label="random, 90 %", linewidth=0)
            axis.plot(share, whole.mean(0), color=FAINT, linewidth=0.8, label="random, mean")
        axis.plot(share, self.curve[row].numpy(), color=ACCENT, linewidth=1.5, label=self.of)
        axis.legend(fontsize=style.text - 1, frameon=False)
        done = "put back" if self.gain > 0 else "taken away"
        tidy(axis, style, f"{self.label} (fill: {self.fill})", f"share {done}", self.unit)
        return figure


class Deletion(Curve):
    """Places are taken away, the map's highest first: a small area is good."""

    name: ClassVar[str] = "deletion"
    label: ClassVar[str] = "Deletion"
    gain: ClassVar[int] = -1


class Insertion(Curve):
    """Places are put back, the map's highest first: a large area is good."""

    name: ClassVar[str] = "insertion"
    label: ClassVar[str] = "Insertion"
    gain: ClassVar[int] = 1


def area(curve: Tensor) -> Tensor:
    """The area under curves (..., n): (sum - (first + last) / 2) / (n - 1)."""
    ends = (curve[..., 0] + curve[..., -1]) / 2
    return (curve.sum(-1) - ends) / (curve.shape[-1] - 1)


def deletion(
    model: Any,
    inputs: Any,
    attribution: Explained,
    *,
    fill: Fill = "baseline",
    points: int = 33,
    random: int = 10,
    unit: Unit | None = None,
    absolute: bool = False,
    seed: int = 0,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> Deletion:
    """The score while places are taken away, the map's highest first. Low areas are good.

    fill: what is put there: the method's own baseline (if it has none black, for tables the mean
        of the background), blur, mean, or a Baseline.
    points: of the curve, with both ends. random: orders of random maps of the same resolution.
    unit: "probability" of the class (the default where there is one) or "score".
    absolute: order by magnitude. Ties are broken at random from `seed`.
    """
    steps = deletion_steps(
        case(model, inputs, attribution, options),
        fill=fill, points=points, random=random, unit=unit, absolute=absolute, seed=seed,
    )  # fmt: skip
    return finish(steps, "Deletion", progress)


def insertion(
    model: Any,
    inputs: Any,
    attribution: Explained,
    *,
    fill: Fill | None = None,
    points: int = 33,
    random: int = 10,
    unit: Unit | None = None,
    absolute: bool = False,
    seed: int = 0,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> Insertion:
    """The score while places are put back, the map's highest first. High areas are good.

    The fill is by default blur for pictures, the baseline for tables. Arguments are those of
    deletion.
    """
    steps = insertion_steps(
        case(model, inputs, attribution, options),
        fill=fill, points=points, random=random, unit=unit, absolute=absolute, seed=seed,
    )  # fmt: skip
    return finish(steps, "Insertion", progress)


def deletion_steps(case: Case, *, fill: Fill = "baseline", **options: Any) -> Iterator[Deletion]:
    """The steps of deletion: the map's curve first, then one random order after the other."""
    yield from _curves(case, Deletion, fill, **options)


def insertion_steps(case: Case, *, fill: Fill | None = None, **options: Any) -> Iterator[Insertion]:
    """The steps of insertion."""
    usual: Fill = "baseline" if case.inputs.is_table else "blur"
    yield from _curves(case, Insertion, fill or usual, **options)


def _curves(
    case: Case,
    kind: type[K],
    fill: Fill,
    *,
    points: int = 33,
    random: int = 10,
    unit: Unit | None = None,
    absolute: bool = False,
    seed: int = 0,
) -> Iterator[K]:
    if points < 2 or random < 2:
        raise InputError(
            f"A curve of {points} points beside {random} random orders cannot be judged.",
            "Take at least two of each.",
        )
    baseline = case.fill(fill)
    orders = _Orders(case, absolute, seed)
    points = min(points, orders.places + 1)
    unit = case.unit(unit)
    masking = Masking(case.question(unit), baseline)
    removed = torch.linspace(0, orders.places, points).round().long()
    device, rows, inner = masking.x.device, len(case), points - 2
    levels, insert = removed.to(device), kind.gain > 0

    def place(number: Tensor) -> tuple[Tensor, Tensor]:
        """The order and the point of a number: both ends, which all orders share, come first."""
        inside = number - 2
        ends = number < 2
        order = torch.where(ends, 0, inside.div(max(inner, 1), rounding_mode="floor"))
        point = torch.where(ends, number * (points - 1), 1 + inside % max(inner, 1))
        return order, point

    def mask(row: Tensor, number: Tensor) -> Tensor:
        order, point = place(number)
        kept = orders.changed(order, row, levels[point])
        kept = kept if insert else ~kept
        return kept.view(len(row), 1, *masking.x.shape[2:]) if masking.x.ndim == 4 else kept

    scores = torch.full((rows, 1 + random, points), float("nan"))
    total, done = rows * (2 + inner * (1 + random)), 0
    share = removed / orders.places
    for part in masking.scores(total, mask):
        order, point = (found.cpu() for found in place(part.number))
        scores[part.row.cpu(), order, point] = part.scores.float().cpu()
        done += len(part.scores)
        scores[:, :, [0, -1]] = scores[:, :1, [0, -1]]
        yield kind(
            share, scores[:, 0].clone(), scores[:, 1:].clone(), unit,
            baseline.kind, tuple(case.constant), case.label, done=done, total=total,
        )  # fmt: skip


class _Orders:
    """Orders of the places of each input: 0 is the map's, the others those of random maps.

    A random map has the resolution of the map (its regions, where it has any), so that what is
    taken away is as coarse: scattered single pixels destroy a picture sooner than any map could.
    """

    def __init__(self, case: Case, absolute: bool, seed: int) -> None:
        self._case, self._seed = case, seed
        self._maps = case.maps.abs() if absolute else case.maps
        self._device = case.inputs.tensor.device
        self.places = spread(self._maps[:1], case.inputs).numel()
        self._ranks: dict[int, Tensor] = {}

    def changed(self, order: Tensor, row: Tensor, level: Tensor) -> Tensor:
        """True (n, places) for the first `level` (n,) places of rows (n,) in these orders (n,)."""
        wanted = order.unique().tolist()
        self._ranks = {o: self._ranks[o] if o in self._ranks else self._rank(o) for o in wanted}
        result = torch.empty(len(row), self.places, dtype=torch.bool, device=self._device)
        for o in wanted:
            here, ranks = order == o, self._ranks[o]
            rank = ranks if len(ranks) == 1 else ranks[row[here]]
            result[here] = rank < level[here].unsqueeze(1)
        return result

    def _rank(self, order: int) -> Tensor:
        """The place in the order (N, places) of each place; one row where all rows have the same.

        Ties fall as they come in a random permutation.
        """
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + order)
        maps = self._random(generator) if order else self._maps
        values = spread(maps, self._case.inputs).flatten(1)
        shuffled = torch.randperm(self.places, generator=generator)
        sequence = shuffled[values[:, shuffled].argsort(dim=1, descending=True, stable=True)]
        ranks = torch.empty_like(sequence)
        ranks.scatter_(1, sequence, torch.arange(self.places).expand_as(sequence))
        return ranks.to(self._device, torch.int32)

    def _random(self, generator: torch.Generator) -> Tensor:
        labels = self._case.labels
        if labels is None:
            return torch.rand(self._maps.shape[1:], generator=generator).unsqueeze(0)
        values = torch.rand(int(labels.max()) + 1, generator=generator)
        return paint(values.expand(len(labels), -1), labels)


__all__ = [
    "Deletion",
    "Insertion",
    "area",
    "deletion",
    "deletion_steps",
    "insertion",
    "insertion_steps",
]
