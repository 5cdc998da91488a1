"""compare(): several methods, or several classes, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isnan
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import ExplanationError, InputError
from nbxplain.core.passes import Passes
from nbxplain.core.setup import Precision
from nbxplain.core.tables import Categories
from nbxplain.core.target import TargetLike
from nbxplain.evaluation.similarity import rank_correlation, ssim, top_overlap
from nbxplain.explain import Setting, ask, attributions, suited
from nbxplain.figure import Drawing, encode, grid
from nbxplain.methods.base import Method, Methods, listed
from nbxplain.results import Attribution

Case = tuple[Method, Setting, str | None]
"""A method, what it is asked about, and the layer it should work at."""


@dataclass
class Comparison:
    """Attributions of one picture, and how far they agree.

    `failures` maps the label of what could not be computed to its error; `answered` says which of
    the cases the attributions belong to.
    """

    attributions: list[Attribution] = field(default_factory=list)
    failures: dict[str, ExplanationError] = field(default_factory=dict)
    answered: list[int] = field(default_factory=list)
    done: int = 0
    total: int = 1

    def matrix(self, measure: Callable[[Tensor, Tensor], float]) -> list[list[float]]:
        """A measure of agreement between every two maps."""
        maps = [attribution.drawn() for attribution in self.attributions]
        return [[measure(a, b) for b in maps] for a in maps]

    @property
    def rank(self) -> list[list[float]]:
        """Spearman correlations."""
        return self.matrix(rank_correlation)

    @property
    def overlap(self) -> list[list[float]]:
        """Shares that the strongest tenths have in common."""
        return self.matrix(top_overlap)

    @property
    def structure(self) -> list[list[float]]:
        """Structural similarities (SSIM) of the maps, each scaled to [0, 1]."""
        return self.matrix(ssim)

    def figure(self, **options: Any) -> Drawing:
        """The maps side by side, each relative to its own scale; options as in figure.grid."""
        return grid(self.attributions, **options)

    def encode(self, format: str, **options: Any) -> bytes:
        """A figure as png, svg or pdf, with the provenance of every map."""
        provenance = {"comparison": [a.provenance for a in self.attributions]}
        return encode(self.figure(**options), format, provenance)

    def save(self, path: str | Path, **options: Any) -> Path:
        """Writes the figure (.png, .svg, .pdf)."""
        path = Path(path)
        path.write_bytes(self.encode(path.suffix.lstrip(".").lower(), **options))
        return path

    def summary(self) -> str:
        """The rank correlations as text, and what failed."""
        names = [a.method.name for a in self.attributions]
        width = max((len(name) for name in names), default=0)
        lines = [
            f"{name:{width}}  " + "  ".join(f"{value:+.2f}" for value in row)
            for name, row in zip(names, self.rank, strict=True)
        ]
        return "\n".join([*lines, *(f"{name}: {e.title}" for name, e in self.failures.items())])

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(a.method.name for a in self.attributions)}>"

    def _repr_png_(self) -> bytes:
        return self.encode("png", dpi=110)


def compare(
    model: Any,
    image: Any,
    methods: Methods,
    *,
    target: TargetLike = None,
    layer: str | None = None,
    preprocess: Any = None,
    labels: Sequence[str] | Mapping[int, str] | None = None,
    output: str | int | Callable[[Any], Tensor] | None = None,
    device: str | torch.device | None = None,
    precision: Precision = "float32",
    background: Any = None,
    feature_names: Sequence[str] | None = None,
    categories: Categories | None = None,
) -> Comparison:
    """Explains one picture or table row by several methods, for one target.

    methods: names or method objects. The other arguments are those of explain.

    A method that cannot run on this model is listed under `failures` and does not stop the others.
    Raises ExplanationError for what concerns them all.
    """
    chosen = listed(methods)
    if not chosen:
        raise InputError("There is no method to compare.", "Name at least one.")
    adapter = ModelAdapter(
        model,
        preprocess,
        labels,
        output,
        device,
        background=background,
        feature_names=feature_names,
        categories=categories,
    )
    setting = ask(adapter, adapter.read(image), target)
    if len(setting.names) != 1:
        raise InputError("compare shows one input and one target.", "Give one of each.")
    cases = [(method, setting, layer) for method in chosen]
    (*_, last) = comparing(cases, lambda: Passes(adapter, precision=precision))
    return last


def comparing(cases: Sequence[Case], passes: Callable[[], Passes]) -> Iterator[Comparison]:
    """Computes one case after the other; yields after every step of each."""
    comparison = Comparison(total=len(cases))
    for number, (method, setting, layer) in enumerate(cases):
        last = None
        try:
            # What suits a method is said in its own notices.
            inputs = replace(setting.inputs, notices=list(setting.inputs.notices))
            chosen = suited(method, inputs)
            asked = replace(setting, inputs=inputs)
            for last in attributions(asked, chosen, passes(), layer):
                if not last.complete:
                    yield comparison
        except ExplanationError as error:
            comparison.failures[method.label] = error
        if last is not None and last.complete:
            comparison.attributions.append(last)
            comparison.answered.append(number)
        comparison.done = number + 1
        yield comparison


def finite(matrix: list[list[float]]) -> list[list[float]]:
    """A matrix for JSON, in which there is no nan: constant maps agree with nothing."""
    return [[0.0 if isnan(value) else round(value, 4) for value in row] for row in matrix]
