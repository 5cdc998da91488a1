"""ROAR and KAR: what is important is missed, or enough, when the network is trained again.

Hooker et al. 2019. Inputs lose (ROAR) or keep (KAR) the places that a method ranks highest, in the
training and in the test set; a network trained on what is left shows what was in it. Two controls
stand beside the methods: "random" draws an order for each input, "uniform" one order for all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Unpack

import torch
from torch import Tensor

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import InputError
from nbxplain.core.passes import Passes
from nbxplain.evaluation.case import Options, adapter_for, explained, spread
from nbxplain.evaluation.check import CANNOT_TELL, FAINT, Check, finish, tidy
from nbxplain.evaluation.sanity import Train, matching, trained
from nbxplain.explain import ask
from nbxplain.figure import Drawing, Style
from nbxplain.methods.base import Method, Methods, listed

Kind = Literal["remove", "keep"]
CONTROLS = ("random", "uniform")
BATCH = 512
"""Inputs explained in one call, so that their maps fit in memory beside the data."""
BEATS = 2.0
"""Standard errors by which a method must differ from the random control to beat it."""

Dataset = tuple[Any, Any, Any, Any]
"""Training inputs (N, ...) and labels (N,), test inputs and labels."""


@dataclass(frozen=True, repr=False)
class Retraining(Check):
    """Test accuracies (methods and controls, fractions, seeds); nan where not known yet.

    `intact` (seeds,) are those of networks trained on the data as they are.
    """

    name: ClassVar[str] = "roar"
    label: ClassVar[str] = "ROAR"

    names: tuple[str, ...]
    fractions: tuple[float, ...]
    accuracy: Tensor
    intact: Tensor
    kind: Kind

    @property
    def mean(self) -> Tensor:
        """The mean accuracy (names, fractions) over seeds."""
        return self.accuracy.nanmean(2)

    @property
    def error(self) -> Tensor:
        """The standard error (names, fractions) of the mean over seeds."""
        known = self.accuracy.isfinite().sum(2)
        variance = (self.accuracy - self.mean.unsqueeze(2)).square().nansum(2) / (known - 1)
        return (variance / known).sqrt()

    @property
    def gain(self) -> dict[str, float]:
        """By how much each method's accuracy differs from the random control's, in the good
        direction (lower under ROAR, higher under KAR), a mean over fractions and seeds."""
        each = self._gains()
        return {name: float(each[i].nanmean()) for i, name in enumerate(self.names)}

    @property
    def sigmas(self) -> dict[str, float]:
        """The same in standard errors over seeds; nan for fewer than two seeds, and without any
        variation."""
        each = self._gains()
        error = each.std(1) / math.sqrt(each.shape[1])
        result = (each.mean(1) / error).masked_fill(~(error > 0), float("nan"))
        return {name: float(result[i]) for i, name in enumerate(self.names)}

    def _gains(self) -> Tensor:
        """The gain (names, seeds): seeds are paired with the control of the same seed."""
        random = self.accuracy[self.names.index("random")]
        gains = self.accuracy - random
        return (-gains if self.kind == "remove" else gains).nanmean(1)

    @property
    def score(self) -> float:
        """The gain of the best method over the random control."""
        return max((g for n, g in self.gain.items() if n not in CONTROLS), default=float("nan"))

    @property
    def value(self) -> str:
        return CANNOT_TELL if math.isnan(self.score) else f"{100 * self.score:+.1f} points"

    @property
    def reading(self) -> str:
        if not self.complete:
            return f"{self.done} of {self.total} trainings"
        if bool((self.accuracy == self.accuracy.flatten()[0]).all()):
            return f"{CANNOT_TELL}: every training ends with the same accuracy"
        side = "below" if self.kind == "remove" else "above"
        gain, sigmas = self.gain, self.sigmas
        parts = []
        for name in (n for n in self.names if n not in CONTROLS):
            sure = sigmas[name] >= BEATS
            words = f"{100 * gain[name]:+.1f} points ({sigmas[name]:+.1f} sigma)"
            parts.append(f"{name} {'beats random' if sure else 'does not beat random'}: {words}")
        return (
            f"accuracy {side} the random control: "
            + "; ".join(parts)
            + (f" (threshold {BEATS:g} sigma)")
        )

    def draw(self, style: Style, row: int = 0) -> Drawing:
        figure = style.figure(0.55)
        axis = figure.subplots()
        for name, middle, error in zip(self.names, self.mean, self.error, strict=True):
            control = name in CONTROLS
            look: dict[str, Any] = {"color": FAINT} if control else {}
            dashes = {"random": "--", "uniform": ":"}.get(name, "-")
            reach = error.nan_to_num().tolist()
            axis.errorbar(
                self.fractions, middle.tolist(), reach, label=name, linestyle=dashes, marker="o",
                markersize=3, capsize=2, linewidth=1, **look,
            )  # fmt: skip
        axis.axhline(float(self.intact.nanmean()), color="#bbbbbb", linewidth=0.8)
        axis.legend(fontsize=style.text - 1, frameon=False)
        done = "taken away" if self.kind == "remove" else "kept"
        tidy(axis, style, "ROAR" if self.kind == "remove" else "KAR", f"share {done}", "accuracy")
        return figure


def roar(
    train: Train,
    dataset: Dataset,
    methods: Methods,
    fractions: Sequence[float] = (0.1, 0.3, 0.5, 0.7, 0.9),
    seeds: int | Sequence[int] = 3,
    *,
    kind: Kind = "remove",
    absolute: bool = False,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> Retraining:
    """Remove (or keep) and retrain: whether what a method ranks highest is what is needed.

    train: (inputs, labels, seed) -> model, called for every method, fraction and seed.
    dataset: training inputs (N, C, H, W) or (N, F) and labels (N,), test inputs and labels.
    methods: names or method objects; their maps explain the class that the network of the same
        seed, trained on the data as they are, predicts.
    fractions: of the places that are replaced (kind="remove", ROAR) by the training set's mean of
        each channel or feature, or that alone are kept (kind="keep", KAR).
    absolute: rank by magnitude.
    background: for tables, rows that methods average over, as in explain.

    Raises ModelError for a training function that returns no model, InputError for data that do
    not match.
    """
    steps = roar_steps(
        train, dataset, methods, fractions, seeds, kind=kind, absolute=absolute, **options
    )
    return finish(steps, "ROAR" if kind == "remove" else "KAR", progress)


def roar_steps(
    train: Train,
    dataset: Dataset,
    methods: Methods,
    fractions: Sequence[float],
    seeds: int | Sequence[int],
    *,
    kind: Kind = "remove",
    absolute: bool = False,
    **options: Unpack[Options],
) -> Iterator[Retraining]:
    """The steps of roar: one for each training."""
    data = _checked(dataset)
    chosen = listed(methods)
    names = tuple(method.label for method in chosen)
    numbers = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    if not chosen or not numbers or not fractions or len(set(names)) < len(names):
        raise InputError(
            "Methods, fractions and seeds cannot be empty, and no method can come twice.",
            "Name at least one of each.",
        )
    if not all(0 < f < 1 for f in fractions):
        raise InputError(f"A fraction of {list(fractions)} is not a share.", "Take 0 < f < 1.")
    every = (*names, *CONTROLS)
    accuracy = torch.full((len(every), len(fractions), len(numbers)), float("nan"))
    intact = torch.full((len(numbers),), float("nan"))
    done, total = 0, len(numbers) * (1 + accuracy[..., 0].numel())

    def result() -> Retraining:
        known = accuracy.clone(), intact.clone()
        return Retraining(every, tuple(fractions), *known, kind, done=done, total=total)

    x, y, x_test, y_test = data
    average = x.mean((0, *range(2, x.ndim)), keepdim=True)
    for s, seed in enumerate(numbers):
        adapter = adapter_for(trained(train, x, y, seed), options)
        intact[s] = _accuracy(adapter, x_test, y_test)
        done += 1
        yield result()
        for m in range(len(every)):
            ranks = [
                _ranks(part, adapter, chosen, m, seed, absolute, which, options)
                for which, part in enumerate((x, x_test))
            ]
            for f, fraction in enumerate(fractions):
                changed = [
                    _without(part, rank, fraction, average, kind)
                    for part, rank in zip((x, x_test), ranks, strict=True)
                ]
                model = trained(train, changed[0], y, seed)
                accuracy[m, f, s] = _accuracy(adapter.of(model), changed[1], y_test)
                done += 1
                yield result()


def _ranks(
    x: Tensor,
    adapter: ModelAdapter,
    methods: Sequence[Method],
    which: int,
    seed: int,
    absolute: bool,
    part: int,
    options: Options,
) -> Tensor:
    """The rank (N, places) of each place under a method, or under the controls that follow them."""
    places = x[0].numel() if x.ndim == 2 else x.shape[2] * x.shape[3]
    generator = torch.Generator().manual_seed(seed * 1_000_003 + 2 * which + part)
    if which == len(methods) + CONTROLS.index("uniform"):
        # The same places of every input, in both parts of the data.
        generator = torch.Generator().manual_seed(seed)
        return torch.randperm(places, generator=generator).expand(len(x), -1)
    noise = torch.rand(len(x), places, generator=generator)
    if which == len(methods):
        return noise.argsort(1).argsort(1)
    maps = torch.cat([_maps(rows, adapter, methods[which], options) for rows in x.split(BATCH)])
    values = maps.flatten(1).abs() if absolute else maps.flatten(1)
    # Ties fall as they come in a random order.
    shuffled = noise.argsort(1)
    order = values.gather(1, shuffled).argsort(dim=1, descending=True, stable=True)
    sequence = shuffled.gather(1, order)
    return sequence.argsort(1)


def _maps(x: Tensor, adapter: ModelAdapter, method: Method, options: Options) -> Tensor:
    setting = ask(adapter, adapter.read(x), None)
    found = explained(setting, method, lambda: Passes(adapter), options.get("layer"))
    return spread(found.maps, found.inputs)


def _without(x: Tensor, ranks: Tensor, fraction: float, average: Tensor, kind: Kind) -> Tensor:
    """The inputs whose highest places are replaced by the average, or are all that is left."""
    high = ranks < round(fraction * ranks.shape[1])
    gone = high if kind == "remove" else ~high
    gone = gone.view(len(x), 1, *x.shape[2:]) if x.ndim == 4 else gone
    return torch.where(gone, average, x)


def _accuracy(adapter: ModelAdapter, x: Tensor, y: Tensor) -> float:
    found = adapter.outputs(adapter.read(x).tensor).argmax(1).cpu()
    return float((found == y.cpu()).double().mean())


def _checked(dataset: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The data as tensors. Raises InputError."""
    try:
        x, y, x_test, y_test = dataset
    except (TypeError, ValueError) as error:
        raise InputError(
            "The data set has not four parts.",
            "Give (training inputs, labels, test inputs, labels).",
        ) from error
    x, y = matching((x, y))
    x_test, y_test = matching((x_test, y_test))
    if x.shape[1:] != x_test.shape[1:] or x.ndim not in (2, 4):
        raise InputError(
            f"Inputs of shape {tuple(x.shape)} are trained on, {tuple(x_test.shape)} tested.",
            "Give pictures (N, C, H, W) or rows (N, F), of one shape.",
        )
    return x, y, x_test, y_test


__all__ = ["Retraining", "roar", "roar_steps"]
