"""How sure is the prediction itself, and would others explain it alike?

MC dropout: Gal and Ghahramani 2016. Deep ensembles: Lakshminarayanan et al. 2017.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Unpack

import torch
from torch import Tensor

from nbxplain.core.errors import InputError, ModelError
from nbxplain.core.passes import Passes
from nbxplain.core.target import resolve
from nbxplain.evaluation.case import Case, Explained, Options, case, explained, spread
from nbxplain.evaluation.check import ACCENT, Check, finish, number, show, tidy
from nbxplain.evaluation.members import Draw, Moves, Thinned
from nbxplain.evaluation.similarity import mean, rank_correlation
from nbxplain.evidence import Verdict, graded, percent
from nbxplain.explain import Setting
from nbxplain.figure import Drawing, Style
from nbxplain.results import Prediction

SURE, UNSURE = 0.95, 0.75
"""Shares of members with the same class from which a prediction is sure, and under which not."""


@dataclass(frozen=True, repr=False)
class Uncertainty(Check):
    """What M members say about N inputs.

    `scores` (M, N, K) are the models' outputs. `maps` (m, N, H, W) or (m, N, F) are the
    explanations of some of the members, at the picture's size; m is 0 if none were asked for.
    """

    name: ClassVar[str] = "uncertainty"
    label: ClassVar[str] = "Uncertainty"

    scores: Tensor
    maps: Tensor
    names: tuple[str, ...]
    how: str

    @property
    def probabilities(self) -> Tensor | None:
        """(M, N, K), or None where the model gives one number only."""
        members, rows, _ = self.scores.shape
        shares = Prediction(self.scores.double().flatten(0, 1), self.names).probabilities
        return None if shares is None else shares.view(members, rows, -1)

    @property
    def values(self) -> Tensor:
        """Probabilities (M, N, K), or the scores where there are none."""
        shares = self.probabilities
        return self.scores.double() if shares is None else shares

    @property
    def mean(self) -> Tensor:
        """The members' mean (N, K); bit for bit theirs where all say the same."""
        values = self.values
        same = (values == values[:1]).all(0)
        return torch.where(same, values[0], values.mean(0))

    @property
    def interval(self) -> tuple[Tensor, Tensor]:
        """Between which values (N, K) nine tenths of the members lie."""
        low, high = self.values.quantile(torch.tensor([0.05, 0.95], dtype=torch.float64), dim=0)
        return low, high

    @property
    def winners(self) -> list[int]:
        """The class of each row with the highest mean."""
        return self.mean.argmax(1).tolist()

    @property
    def entropy(self) -> Tensor:
        """The entropy (N,) of the mean, in nats: all of the uncertainty. Zero without classes."""
        return (
            _entropy(self.mean) if self.probabilities is not None else torch.zeros(len(self.mean))
        )

    @property
    def mutual_information(self) -> Tensor:
        """What of it (N,) comes from the members' disagreement, in nats: never negative.

        The mean divergence of the members from their mean; zero for identical members.
        """
        shares = self.probabilities
        if shares is None:
            return torch.zeros(len(self.mean))
        ratio = shares.clamp(min=1e-300).log() - self.mean.clamp(min=1e-300).log()
        return (shares * ratio).sum(2).mean(0).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        """The variance (N, K) of the scores over members."""
        return self.scores.double().var(0)

    @property
    def agree(self) -> float:
        """The share of members whose class is that of the mean, a mean over rows."""
        if self.probabilities is None:
            return float("nan")
        winners = torch.tensor(self.winners)
        return float((self.values.argmax(2) == winners).double().mean())

    @property
    def score(self) -> float:
        """The standard deviation of the winner's probability (or score), a mean over rows."""
        deviations = self.values.std(0)
        return float(deviations[torch.arange(len(deviations)), self.winners].mean())

    @property
    def spread(self) -> Tensor:
        """The standard deviation (N, H, W) or (N, F) of the maps; empty without maps."""
        return self.maps.std(0) if len(self.maps) > 1 else self.maps.new_zeros(0)

    @property
    def matrix(self) -> list[list[float]]:
        """Rank correlations between the members' maps, means over rows."""
        return [
            [mean([rank_correlation(x, y) for x, y in zip(a, b, strict=True)]) for b in self.maps]
            for a in self.maps
        ]

    @property
    def maps_agree(self) -> float:
        """The mean rank correlation between the maps of different members."""
        matrix = self.matrix
        return mean([matrix[i][j] for i in range(len(matrix)) for j in range(i)])

    @property
    def verdict(self) -> Verdict:
        return graded(self.agree, SURE, UNSURE)

    @property
    def value(self) -> str:
        return f"± {number(self.score)}"

    @property
    def reading(self) -> str:
        winner = self.winners[0]
        low, high = (float(end[0, winner]) for end in self.interval)
        says = f"{self.names[winner]} {float(self.mean[0, winner]):.3g}"
        text = f"{self.how}, {len(self.scores)} members: {says} (90 %: {low:.3g} to {high:.3g})"
        if not math.isnan(self.agree):
            text += (
                f"; {percent(self.agree)} say the same class (sure from {percent(SURE)}, unsure "
                f"under {percent(UNSURE)}); mutual information "
                f"{float(self.mutual_information.mean()):.2g} nats"
            )
        if len(self.maps) > 1:
            text += f"; their maps correlate with {number(self.maps_agree)}"
        return text

    @property
    def rows(self) -> int:
        return len(self.mean)

    def draw(self, style: Style, row: int = 0) -> Drawing:
        shown = len(self.maps) > 1 and self.maps.ndim == 4
        figure = style.figure(0.42 if shown else 0.35, 8 * style.caption)
        axes = figure.subplots(1, 3 if shown else 1, squeeze=False)[0]
        best = self.mean[row].topk(min(5, self.mean.shape[1])).indices
        low, high = (end[row, best] for end in self.interval)
        middle, places = self.mean[row, best], range(len(best))[::-1]
        reach = torch.stack([middle - low, high - middle]).clamp(min=0).tolist()
        axes[0].barh(list(places), middle.tolist(), xerr=reach, color=ACCENT, height=0.7)
        axes[0].set_yticks(list(places), [self.names[int(i)] for i in best])
        tidy(axes[0], style, self.how, "mean and 90 % of the members")
        if shown:
            show(axes[1], self.maps.mean(0)[row], style, "mean of the maps")
            show(axes[2], self.spread[row], style, "their standard deviation")
        return figure


def _entropy(shares: Tensor) -> Tensor:
    return -(shares * shares.clamp(min=1e-300).log()).sum(1)


def mc_dropout(
    model: Any,
    inputs: Any,
    attribution: Explained | None = None,
    *,
    members: int = 32,
    maps: int = 8,
    seed: int = 0,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> Uncertainty:
    """The prediction of `members` networks thinned by the model's own dropout.

    attribution: a method whose maps of the first `maps` members are compared. Only dropout is
    active: batch norm and everything else run as in evaluation. Raises ModelError for a model
    without dropout, InputError for fewer than two members.
    """
    steps = mc_dropout_steps(
        case(model, inputs, attribution, options), members=members, maps=maps, seed=seed
    )
    return finish(steps, "MC dropout", progress)


def mc_dropout_steps(
    case: Case, *, members: int = 32, maps: int = 8, seed: int = 0
) -> Iterator[Uncertainty]:
    """The steps of mc_dropout: predictions chunk by chunk, then one map after the other."""
    draw, x = Draw(), case.inputs.tensor
    rows = len(x)
    adapter = case.setting.adapter.of(Thinned(case.setting.adapter.model, draw, seed))

    def build(index: Tensor) -> Tensor:
        draw.members = index // rows
        return x[index % rows]

    def explain(member: int) -> Tensor:
        draw.members = torch.tensor([member])
        layer = case.layer and f"model.{case.layer}"
        setting = replace(case.setting, adapter=adapter)
        found = explained(setting, case.remade(), lambda: Passes(adapter), layer)
        return spread(found.maps, case.inputs)

    for found in _members(case, "MC dropout", members, maps, Passes(adapter), build, explain):
        if not draw.calls:
            raise ModelError(
                "The model has no dropout, so its thinned copies would all be the same.",
                "Use ensemble with several models, or augmentation.",
            )
        yield found


def augmentation(
    model: Any,
    inputs: Any,
    attribution: Explained | None = None,
    *,
    members: int = 16,
    maps: int = 8,
    shift: float = 0.05,
    gain: float = 0.1,
    seed: int = 0,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> Uncertainty:
    """The prediction for the picture mirrored, moved and brighter: test-time augmentation.

    shift: how far it is moved at most, as a share of its sides. gain: by which share its brightness
    changes at most. Maps are put back in place before they are compared. Raises InputError for
    tables.
    """
    steps = augmentation_steps(
        case(model, inputs, attribution, options),
        members=members, maps=maps, shift=shift, gain=gain, seed=seed,
    )  # fmt: skip
    return finish(steps, "Augmentation", progress)


def augmentation_steps(
    case: Case,
    *,
    members: int = 16,
    maps: int = 8,
    shift: float = 0.05,
    gain: float = 0.1,
    seed: int = 0,
) -> Iterator[Uncertainty]:
    """The steps of augmentation: predictions chunk by chunk, then one map after the other."""
    moves = Moves(case.inputs, shift, gain, seed)
    x = case.inputs.tensor
    rows = len(x)

    def build(index: Tensor) -> Tensor:
        return torch.cat([moves.apply(x[i % rows][None], i // rows) for i in index.tolist()])

    def explain(member: int) -> Tensor:
        seen = replace(case.inputs, tensor=moves.apply(x, member))
        return moves.undo(spread(case.again(seen).maps, case.inputs), member)

    yield from _members(case, "Augmentation", members, maps, case.passes(), build, explain)


def _members(
    case: Case,
    how: str,
    members: int,
    maps: int,
    passes: Passes,
    build: Callable[[Tensor], Tensor],
    explain: Callable[[int], Tensor],
) -> Iterator[Uncertainty]:
    """Predictions of all members and maps of the first ones."""
    if members < 2 or maps < 2:
        raise InputError("One member agrees with itself.", "Take at least two members, two maps.")
    rows, names = len(case.inputs.tensor), case.setting.prediction.labels
    maps = 0 if case.method is None else min(maps, members)
    total, parts = members * rows + maps, list[Tensor]()
    found = list[Tensor]()

    def result() -> Uncertainty:
        scores = torch.cat(parts)
        scores = scores[: len(scores) // rows * rows].view(-1, rows, scores.shape[1])
        drawn = torch.stack(found) if found else torch.empty(0)
        return Uncertainty(
            scores, drawn, names, how, done=sum(map(len, parts)) + len(found), total=total
        )

    for _, output in passes.scores(members * rows, build, lambda output, rows: output):
        parts.append(output.cpu())
        if sum(map(len, parts)) >= 2 * rows:
            yield result()
    for member in range(maps):
        found.append(explain(member).cpu())
        yield result()


def ensemble(
    models: Sequence[Any],
    inputs: Any,
    attribution: Explained | None = None,
    *,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> Uncertainty:
    """The prediction of several models that were trained apart, and how far their maps agree.

    attribution: a method; each model's map explains the class with the highest mean probability,
    unless `target` is given. Raises InputError for fewer than two models, ModelError where they
    have different classes.
    """
    if isinstance(models, torch.nn.Module) or len(models) < 2:
        raise InputError(
            "An ensemble needs at least two models.", "Give a list, or use mc_dropout for one."
        )
    first = case(models[0], inputs, attribution, options)
    steps = ensemble_steps(first, models[1:], fixed=options.get("target") is not None)
    return finish(steps, "Ensemble", progress)


def ensemble_steps(
    case: Case, others: Sequence[Any], *, fixed: bool = False
) -> Iterator[Uncertainty]:
    """The steps of ensemble: one a prediction, then one a map. `case` is the first model's.

    fixed: keep the case's target; otherwise it is the class with the highest mean.
    """
    first, x = case.setting.adapter, case.inputs.tensor
    adapters = [first, *(first.of(model) for model in others)]
    names = case.setting.prediction.labels
    count = 0 if case.method is None else len(adapters)
    found, maps = [case.setting.prediction.scores[: len(x)].expand(len(x), -1)], list[Tensor]()

    def result() -> Uncertainty:
        drawn = torch.stack(maps) if maps else torch.empty(0)
        done, total = len(found) + len(maps), len(adapters) + count
        return Uncertainty(torch.stack(found), drawn, names, "Ensemble", done=done, total=total)

    for adapter in adapters[1:]:
        output = adapter.outputs(x).cpu()
        if output.shape != found[0].shape:
            raise ModelError(
                f"One model has outputs {tuple(output.shape)}, the first {tuple(found[0].shape)}.",
                "An ensemble's members know the same classes.",
            )
        found.append(output)
        yield result()
    setting = case.setting if fixed else _of_the_mean(case.setting, result())
    for adapter in adapters[:count]:
        layer = case.layer if case.layer in dict(adapter.model.named_modules()) else None
        member = replace(setting, adapter=adapter)
        each = explained(member, case.remade(), partial(Passes, adapter), layer)
        maps.append(spread(each.maps, case.inputs).cpu())
        yield result()


def _of_the_mean(setting: Setting, found: Uncertainty) -> Setting:
    """The same question about the class with the highest mean."""
    target = resolve(found.winners, found.mean, found.names)
    return replace(setting, target=target, names=target.names(found.names))


__all__ = [
    "Uncertainty",
    "augmentation",
    "augmentation_steps",
    "ensemble",
    "ensemble_steps",
    "mc_dropout",
    "mc_dropout_steps",
]
