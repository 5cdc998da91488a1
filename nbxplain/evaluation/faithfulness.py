"""Does the map say by how much the score changes? Infidelity and sensitivity-n.

Both compare the change that the map foretells with the one the model makes, over random
perturbations. Infidelity: Yeh et al. 2019. Sensitivity-n: Ancona et al. 2018.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Unpack

import torch
from torch import Tensor

from nbxplain.core.errors import InputError
from nbxplain.core.regions import Regions
from nbxplain.evaluation.case import Case, Explained, Fill, Options, case, spread
from nbxplain.evaluation.check import ACCENT, CANNOT_TELL, Check, finish, tidy
from nbxplain.evidence import Verdict, graded, percent
from nbxplain.figure import Drawing, Style
from nbxplain.methods.coalitions import Draws, Game
from nbxplain.methods.gradient import Noise

Perturbation = Literal["noise", "remove"]

FORETELLS, SAYS = 0.5, 0.1
"""Shares of the changes from which a map foretells them, and under which it says nothing."""


@dataclass(frozen=True, repr=False)
class Infidelity(Check):
    """What the map foretells and what the model does, (N, draws) each; nan if not known yet."""

    name: ClassVar[str] = "infidelity"
    label: ClassVar[str] = "Infidelity"

    foretold: Tensor
    happened: Tensor
    of: str

    @property
    def score(self) -> float:
        """The mean squared difference (Yeh et al., eq. 2), in squared units of the score."""
        if not bool((self.happened.nan_to_num() != 0).any()):
            return float("nan")
        return float((self.foretold - self.happened).square().nanmean())

    @property
    def shares(self) -> Tensor:
        """The share (N,) of the changes foretold by each map at its best scale; nan without any.

        1 less the infidelity of the map times the best factor, over the mean squared change: it
        does not depend on the units of the map, of which the score does.
        """
        u, y = self.foretold.nan_to_num().double(), self.happened.nan_to_num().double()
        both, one, other = (u * y).sum(1), u.square().sum(1), y.square().sum(1)
        shares = both.clamp(min=0).square() / (one * other).clamp(min=1e-300)
        constant = self.foretold.isnan().all(1)
        return shares.where((other > 0) & ~constant, float("nan"))

    @property
    def share(self) -> float:
        """The mean of `shares` over rows."""
        return float(self.shares.nanmean())

    @property
    def verdict(self) -> Verdict:
        return graded(self.share, FORETELLS, SAYS)

    @property
    def value(self) -> str:
        return CANNOT_TELL if math.isnan(self.share) else f"{percent(self.share)} foretold"

    @property
    def reading(self) -> str:
        if math.isnan(self.share):
            return f"{CANNOT_TELL}: the score does not change, or the map is constant"
        return (
            f"{self.of} foretells {percent(self.share)} of the score's changes at its best scale "
            f"(well from {percent(FORETELLS)}, nothing under {percent(SAYS)}); "
            f"infidelity {self.score:.3g}"
        )

    @property
    def rows(self) -> int:
        return len(self.foretold)

    def draw(self, style: Style, row: int = 0) -> Drawing:
        return _scatter(style, self.foretold[row], self.happened[row])


def infidelity(
    model: Any,
    inputs: Any,
    attribution: Explained,
    *,
    perturbation: Perturbation = "remove",
    noise: float = 0.1,
    fill: Fill = "baseline",
    cells: int = 14,
    draws: int = 64,
    seed: int = 0,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> Infidelity:
    """The mean squared difference between foretold and real changes of the score.

    perturbation: "remove" takes random halves of cells x cells squares (or features) away and
    expects the sum of their values: for maps of contributions. "noise" subtracts Gaussian noise I
    of `noise` times the input's range and expects I . map: for maps of slopes, such as gradients.
    """
    steps = infidelity_steps(
        case(model, inputs, attribution, options), perturbation=perturbation, noise=noise,
        fill=fill, cells=cells, draws=draws, seed=seed,
    )  # fmt: skip
    return finish(steps, "Infidelity", progress)


def infidelity_steps(
    case: Case,
    *,
    perturbation: Perturbation = "remove",
    noise: float = 0.1,
    fill: Fill = "baseline",
    cells: int = 14,
    draws: int = 64,
    seed: int = 0,
) -> Iterator[Infidelity]:
    """The steps of infidelity, chunk by chunk."""
    if draws < 2:
        raise InputError(f"{draws} perturbations say nothing.", "Take at least two.")
    if perturbation == "noise":
        parts = _under_noise(case, noise, draws, seed)
    else:
        parts = _removed(case, fill, cells, [0.5], draws, seed)
    for foretold, happened, done in parts:
        # What a constant map foretells is the size of what is taken away alone.
        foretold[torch.tensor(case.constant)] = float("nan")
        yield Infidelity(
            foretold.flatten(1), happened.flatten(1), case.label, done=done, total=draws * len(case)
        )


@dataclass(frozen=True, repr=False)
class SensitivityN(Check):
    """The correlation (N, sizes) of foretold and real changes for subsets of each size.

    `sizes` are shares of the places. nan where all subsets change the score alike.
    """

    name: ClassVar[str] = "sensitivity_n"
    label: ClassVar[str] = "Sensitivity-n"

    sizes: tuple[float, ...]
    correlations: Tensor
    of: str

    @property
    def score(self) -> float:
        """The mean correlation over sizes and rows, in [-1, 1]; 1 is best."""
        return float(self.correlations.nanmean())

    @property
    def verdict(self) -> Verdict:
        return graded(self.score, 0.5, 0.2)

    @property
    def reading(self) -> str:
        if math.isnan(self.score):
            return f"{CANNOT_TELL}: all subsets change the score alike, or the map is constant"
        return (
            f"the sum of {self.of} over a random subset and the change of the score without it "
            f"correlate with {self.score:.2f} (well from 0.5, hardly under 0.2)"
        )

    def draw(self, style: Style, row: int = 0) -> Drawing:
        figure = style.figure(0.45)
        axis = figure.subplots()
        axis.plot(self.sizes, self.correlations.nanmean(0).tolist(), color=ACCENT, marker="o")
        axis.set_ylim(-1.05, 1.05)
        axis.axhline(0, color="#888888", linewidth=0.5)
        tidy(axis, style, self.of, "share taken away", "correlation")
        return figure


def sensitivity_n(
    model: Any,
    inputs: Any,
    attribution: Explained,
    *,
    sizes: int = 6,
    draws: int = 32,
    fill: Fill = "baseline",
    cells: int = 14,
    seed: int = 0,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> SensitivityN:
    """How the map's sum over random subsets goes with the change of the score without them.

    Subsets are of cells x cells squares of a picture, or of features; their sizes grow from one to
    four fifths of all by a constant factor, with `draws` subsets each.
    """
    steps = sensitivity_n_steps(
        case(model, inputs, attribution, options),
        sizes=sizes, draws=draws, fill=fill, cells=cells, seed=seed,
    )  # fmt: skip
    return finish(steps, "Sensitivity-n", progress)


def sensitivity_n_steps(
    case: Case,
    *,
    sizes: int = 6,
    draws: int = 32,
    fill: Fill = "baseline",
    cells: int = 14,
    seed: int = 0,
) -> Iterator[SensitivityN]:
    """The steps of sensitivity_n, chunk by chunk; all sizes grow together."""
    if sizes < 1 or draws < 3:
        raise InputError(
            f"{draws} subsets of {sizes} sizes say nothing.", "Take at least three of one size."
        )
    x = case.inputs.tensor
    count = x.shape[1] if x.ndim == 2 else min(cells, x.shape[2]) * min(cells, x.shape[3])
    steps = torch.logspace(0, math.log10(max(1.0, 0.8 * count)), sizes).round().unique()
    shares = (steps / count).tolist()
    total = len(shares) * draws * len(case)
    for foretold, happened, done in _removed(case, fill, cells, shares, draws, seed):
        correlations = _correlation(foretold, happened)
        correlations[torch.tensor(case.constant)] = float("nan")
        yield SensitivityN(tuple(shares), correlations, case.label, done=done, total=total)


Parts = Iterator[tuple[Tensor, Tensor, int]]
"""Foretold and real changes (N, sizes, draws), nan if not known yet, and evaluations so far."""


def _under_noise(case: Case, share: float, draws: int, seed: int) -> Parts:
    question = case.question()
    x, rows = question.tensor, len(case)
    noise, intact = Noise(x, share, seed), question.scores(x)
    slopes = case.values.to(x)
    if slopes.ndim == 4 and slopes.shape[2:] != x.shape[2:]:
        slopes = spread(slopes.squeeze(1), case.inputs).unsqueeze(1)
    foretold, happened = torch.full((2, rows, 1, draws), float("nan"), dtype=torch.float64)

    def build(index: Tensor) -> Tensor:
        step, row = noise.take(index), index % rows
        sums = (step * slopes[row]).flatten(1).double().sum(1)
        foretold[row.cpu(), 0, (index // rows).cpu()] = sums.cpu()
        return x[row] - step

    def score(output: Tensor, index: Tensor) -> Tensor:
        return question.target.score(output, index % rows)

    done = 0
    for index, scores in question.passes.scores(draws * rows, build, score):
        change = (intact[index % rows] - scores).double().cpu()
        happened[(index % rows).cpu(), 0, (index // rows).cpu()] = change
        done += len(index)
        yield foretold.where(happened.isfinite(), float("nan")), happened.clone(), done


def _removed(
    case: Case, fill: Fill, cells: int, shares: list[float], draws: int, seed: int
) -> Parts:
    """Random subsets of each share of the cells are taken away."""
    x = case.inputs.tensor
    squares = Regions.grid(*(min(cells, int(s)) for s in x.shape[2:])) if x.ndim == 4 else Regions()
    question = case.question()
    game = Game(question, case.fill(fill), squares)
    intact, rows, players = question.scores(x), len(case), game.players
    worth = _worth(case, game).to(x.device)
    source = Draws(players, seed, x.device)
    sizes = torch.tensor(shares, device=x.device).mul(players).round().clamp(min=1).long()
    foretold, happened = torch.full((2, rows, len(shares), draws), float("nan"), dtype=torch.double)

    def gone(number: Tensor) -> Tensor:
        ranks = source.take(number).argsort(1).argsort(1)
        return ranks < sizes[number % len(sizes)].unsqueeze(1)

    done = 0
    for part in game.values(len(shares) * draws * rows, lambda row, number: ~gone(number)):
        sums = (gone(part.number) * worth[part.row]).sum(1)
        draw = part.number.div(len(sizes), rounding_mode="floor")
        place = part.row.cpu(), (part.number % len(sizes)).cpu(), draw.cpu()
        foretold[place] = sums.double().cpu()
        happened[place] = (intact[part.row] - part.scores).double().cpu()
        done += len(part.scores)
        yield foretold.clone(), happened.clone(), done


def _worth(case: Case, game: Game) -> Tensor:
    """The map's sum (N, P) over each square; a coarse map's cells are spread over their pixels."""
    values = case.values.double()
    if values.ndim == 4:
        values = spread(values.sum(1), case.inputs)
    worth = torch.zeros(len(values), game.players, dtype=torch.float64)
    return worth.scatter_add_(1, game.labels.flatten(1).cpu(), values.flatten(1))


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    """Pearson's correlation over the last dimension, of what is known; nan if one is constant."""
    known = a.isfinite() & b.isfinite()
    count = known.sum(-1, keepdim=True).clamp(min=1)

    def centred(values: Tensor) -> Tensor:
        values = values.where(known, 0.0)
        return (values - values.sum(-1, keepdim=True) / count) * known

    first, second = centred(a), centred(b)
    one, other = first.norm(dim=-1), second.norm(dim=-1)
    # Rounding of equal float32 scores is no variation.
    size = 1e-6 * b.where(known, 0.0).norm(dim=-1)
    result: Tensor = (first * second).sum(-1) / (one * other)
    unknown = (one == 0) | (other <= size) | (count[..., 0] < 3)
    return result.masked_fill(unknown, float("nan"))


def _scatter(style: Style, foretold: Tensor, happened: Tensor) -> Drawing:
    figure = style.figure(0.6)
    axis = figure.subplots()
    axis.scatter(foretold.tolist(), happened.tolist(), s=8, color=ACCENT)
    tidy(axis, style, "", "change foretold by the map", "change of the score")
    return figure


__all__ = [
    "Infidelity",
    "SensitivityN",
    "infidelity",
    "infidelity_steps",
    "sensitivity_n",
    "sensitivity_n_steps",
]
