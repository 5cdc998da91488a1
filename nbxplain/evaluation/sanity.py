"""Sanity checks: a map of what a network has learned must change when it is made to forget.

Adebayo et al. 2018. Weights are shuffled from the top layer down (cascading) and group by group
(independent), on copies; or the network is trained on shuffled labels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Unpack

import torch
from torch import Tensor, nn

from nbxplain.core.errors import InputError, ModelError
from nbxplain.core.passes import Passes
from nbxplain.evaluation.case import Case, Explained, Options, case, explained
from nbxplain.evaluation.check import CANNOT_TELL, Check, finish, number, show, tidy
from nbxplain.evaluation.randomised import randomised, stages_of, weighted_layers
from nbxplain.evaluation.similarity import MEASURES, WORDS, mean
from nbxplain.evidence import Verdict
from nbxplain.figure import Drawing, Style

CHANGED, ALIKE = 0.3, 0.5
"""Rank correlations up to which a map has changed, and from which it hardly has."""


@dataclass(frozen=True)
class Stage:
    """The maps (N, h, w) of one network that was made to forget; None where they are not finite.

    `similarity` to the maps of the trained network, a mean over rows for each measure.
    """

    title: str
    layers: tuple[str, ...]
    maps: Tensor | None
    similarity: dict[str, float]


@dataclass(frozen=True, repr=False)
class Sanity(Check):
    """How alike a map and those of networks without what was learned are.

    `cascade` has a stage for each step down from the top layer, `independent` one for each group
    of layers alone; after random labels `cascade` has a stage a training and the other none.
    """

    name: ClassVar[str] = "sanity"
    label: ClassVar[str] = "Sanity"

    maps: Tensor
    cascade: tuple[Stage, ...]
    independent: tuple[Stage, ...]
    of: str
    forgot: str = "the weights"

    def similarity(self, measure: str = "signed") -> float:
        """The mean over the cascade of one of: signed, absolute, ssim, hog."""
        return mean([stage.similarity[measure] for stage in self.cascade])

    @property
    def score(self) -> float:
        """The mean rank correlation (signed) over the cascade; low is good."""
        return self.similarity()

    @property
    def verdict(self) -> Verdict:
        if math.isnan(self.score):
            return "plain"
        return "good" if self.score <= CHANGED else "weak" if self.score < ALIKE else "poor"

    @property
    def value(self) -> str:
        words = {"good": "changes", "weak": "changes a little", "poor": "hardly changes"}
        return words.get(self.verdict, CANNOT_TELL)

    @property
    def reading(self) -> str:
        if math.isnan(self.score):
            return f"{CANNOT_TELL}: the maps are constant"
        others = ", ".join(f"{WORDS[m]} {number(self.similarity(m))}" for m in list(MEASURES)[1:])
        blind = (
            "; its magnitudes hardly do: look at its signs"
            if self.verdict == "good" and self.similarity("absolute") >= ALIKE
            else ""
        )
        return (
            f"{self.of} {self.value} with {self.forgot}: rank correlation {self.score:.2f} "
            f"({others}){blind} (changes up to {CHANGED:g}, hardly from {ALIKE:g})"
        )

    @property
    def rows(self) -> int:
        return len(self.maps)

    def draw(self, style: Style, row: int = 0) -> Drawing:
        if self.maps.ndim == 2:
            return self._lines(style)
        bands = [stages for stages in (self.cascade, self.independent) if stages]
        columns = 1 + max(map(len, bands), default=0)
        figure = style.figure(1.25 * max(1, len(bands)) / columns, 8 * style.caption)
        axes = figure.subplots(max(1, len(bands)), columns, squeeze=False)
        for line in axes:
            for axis in line:
                axis.set_axis_off()
        for line, stages in zip(axes, bands, strict=False):
            show(line[0], self.maps[row], style, "trained")
            for axis, stage in zip(line[1:], stages, strict=False):
                title = f"{stage.title}\nρ {number(stage.similarity['signed'])}"
                if stage.maps is None:
                    axis.set_title(title, loc="left", fontsize=style.text)
                else:
                    show(axis, stage.maps[row], style, title)
        return figure

    def _lines(self, style: Style) -> Drawing:
        figure = style.figure(0.4)
        axis = figure.subplots()
        for measure in ("signed", "absolute"):
            values = [stage.similarity[measure] for stage in self.cascade]
            axis.plot(range(len(values)), values, marker="o", label=WORDS[measure])
        axis.set_xticks(range(len(self.cascade)), [stage.title for stage in self.cascade])
        axis.axhline(CHANGED, color="#888888", linewidth=0.5)
        axis.legend(fontsize=style.text - 1, frameon=False)
        tidy(axis, style, "Similarity to the trained network's")
        return figure


def sanity_check(
    model: Any,
    inputs: Any,
    attribution: Explained,
    *,
    stages: int = 4,
    independent: bool = True,
    seed: int = 0,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> Sanity:
    """Whether the map changes as weights are shuffled, from the top layer down.

    stages: steps of the cascade; the first shuffles the top layer, the last all of them.
    independent: shuffle each step's layers alone as well. The model itself is never changed.
    Raises MethodError for a bare map, ModelError for a model without weights.
    """
    steps = sanity_check_steps(
        case(model, inputs, attribution, options), stages=stages, independent=independent, seed=seed
    )
    return finish(steps, "Sanity check", progress)


def sanity_check_steps(
    case: Case, *, stages: int = 4, independent: bool = True, seed: int = 0
) -> Iterator[Sanity]:
    """The steps of sanity_check: one for each copy of the model."""
    if stages < 1:
        raise InputError("A cascade has at least one stage.", "Raise stages.")
    case.remade()
    adapter = case.setting.adapter
    layers = weighted_layers(adapter, case.inputs.tensor[:1])
    groups = stages_of(layers, stages)
    ends = [sum(map(len, groups[: i + 1])) for i in range(len(groups))]
    result = Sanity(case.maps, (), (), case.label, total=len(groups) * (1 + independent))
    for end in ends:
        title = "all layers" if end == len(layers) else f"top {end}" if end > 1 else "top layer"
        copied = randomised(adapter.model, layers[:end], seed)
        stage = _stage(case, copied, title, layers[:end])
        result = replace(result, cascade=(*result.cascade, stage))
        yield replace(result, done=len(result.cascade))
    for group in groups if independent else []:
        title = group[0] if len(group) == 1 else f"{len(group)} alone"
        stage = _stage(case, randomised(adapter.model, group, seed), title, group)
        result = replace(result, independent=(*result.independent, stage))
        yield replace(result, done=len(groups) + len(result.independent))


def _stage(case: Case, model: nn.Module, title: str, layers: Sequence[str]) -> Stage:
    """The same question to another model."""
    adapter = case.setting.adapter.of(model)
    setting = replace(case.setting, adapter=adapter)
    precision, chunk = case.passes().precision, case.passes().chunk

    def passes() -> Passes:
        return Passes(adapter, precision=precision, chunk=chunk)

    try:
        maps = explained(setting, case.remade(), passes, case.layer).maps
    except ModelError:
        # Without what it has learned a network may overflow; that is no map, and no similarity.
        return Stage(title, tuple(layers), None, dict.fromkeys(MEASURES, float("nan")))
    pairs = list(zip(case.maps, maps, strict=True))
    similarity = {name: mean([f(a, b) for a, b in pairs]) for name, f in MEASURES.items()}
    return Stage(title, tuple(layers), maps, similarity)


Train = Callable[[Tensor, Tensor, int], nn.Module]
"""(inputs (N, ...), labels (N,), seed) -> a trained model."""


def random_label_check(
    train: Train,
    dataset: tuple[Tensor, Tensor],
    inputs: Any,
    method: Explained,
    *,
    seeds: int = 1,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> Sanity:
    """Whether the map changes when the network is trained on shuffled labels.

    train: (inputs, labels, seed) -> model; it is called once with the labels of `dataset` (inputs
    (N, ...), labels (N,)) and `seeds` times with shuffled ones. Raises ModelError where it returns
    no model, InputError where inputs and labels do not match.
    """
    steps = random_label_check_steps(train, dataset, inputs, method, seeds=seeds, **options)
    return finish(steps, "Random labels", progress)


def random_label_check_steps(
    train: Train,
    dataset: tuple[Tensor, Tensor],
    inputs: Any,
    method: Explained,
    *,
    seeds: int = 1,
    **options: Unpack[Options],
) -> Iterator[Sanity]:
    """The steps of random_label_check: one for each training."""
    x, y = matching(dataset)
    told = case(trained(train, x, y, 0), inputs, method, options)
    result = Sanity(told.maps, (), (), told.label, "the labels", total=seeds)
    for seed in range(seeds):
        order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
        stage = _stage(told, trained(train, x, y[order], seed), f"shuffled {seed + 1}", ())
        result = replace(result, cascade=(*result.cascade, stage), done=seed + 1)
        yield result


def trained(train: Train, x: Tensor, y: Tensor, seed: int) -> nn.Module:
    """What the user's function returns for a copy of the data. Raises ModelError."""
    model = train(x.clone(), y.clone(), seed)
    if not isinstance(model, nn.Module):
        raise ModelError(
            f"The training function returned {type(model).__name__}, not a model.",
            "It gets (inputs, labels, seed) and must return a torch.nn.Module.",
        )
    return model


def matching(dataset: Any) -> tuple[Tensor, Tensor]:
    """Inputs and labels as tensors of one length. Raises InputError."""
    try:
        x, y = (torch.as_tensor(part) for part in dataset)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The data set is no pair of inputs and labels: {error}",
            "Give (inputs (N, ...), labels (N,)).",
        ) from error
    if len(x) != len(y) or y.ndim != 1 or not len(y):
        raise InputError(
            f"{len(x)} inputs have labels of shape {tuple(y.shape)}.", "Give one label an input."
        )
    return x, y


__all__ = [
    "Sanity",
    "Stage",
    "random_label_check",
    "random_label_check_steps",
    "sanity_check",
    "sanity_check_steps",
]
