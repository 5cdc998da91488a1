"""What a check is given: a map, the question it answers, and how to make it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypedDict

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from torch import Tensor

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import InputError, MethodError, TargetError
from nbxplain.core.inputs import Inputs
from nbxplain.core.pace import Layout
from nbxplain.core.passes import Passes
from nbxplain.core.setup import Precision
from nbxplain.core.target import Contrast, Probability, TargetLike
from nbxplain.evaluation.check import final, plainly
from nbxplain.explain import Setting, ask, attributions, suited
from nbxplain.methods.base import Method, Question, make, paint
from nbxplain.results import Attribution

Explained = Attribution | Method | str | Tensor
"""A finished attribution, a method that makes one, or a map of one's own: (h, w) or (N, h, w) for
pictures, (N, C, H, W) per pixel, (F,) or (N, F) for tables."""

Fill = Literal["baseline", "blur", "mean"] | Baseline
Unit = Literal["probability", "score"]


class Options(TypedDict, total=False):
    """Arguments of explain that every check takes as well."""

    target: TargetLike
    layer: str | None
    preprocess: Any
    labels: Sequence[str] | Mapping[int, str] | None
    output: str | int | Callable[[Any], Tensor] | None
    device: str | torch.device | None
    background: Any
    feature_names: Sequence[str] | None
    categories: Any
    precision: Precision
    chunk: int | None
    layout: Layout | None


@dataclass(frozen=True)
class Case:
    """A map of N inputs with the question it answers.

    `values` are its contributions: (N, C, H, W) per pixel, (N, 1, h, w) per cell, (N, F) per
    feature. `labels` (N, H, W) or (N, F) says whose a place is where it is a map of players.
    `method` is None for a map that came from elsewhere, which cannot be made again; `evaluations`
    is what the map took.
    """

    setting: Setting
    values: Tensor
    passes: Callable[[], Passes]
    method: Method | None = None
    layer: str | None = None
    labels: Tensor | None = None
    evaluations: int = 1

    @classmethod
    def of(cls, attribution: Attribution, setting: Setting, passes: Callable[[], Passes]) -> Case:
        """The case of an attribution and the setting it was computed in."""
        values, labels = attribution.values, None
        if attribution.players is not None:
            labels = attribution.players.labels
            values = _densities(values, labels)
        (took,) = attribution.evidence.get("evaluations", [1])
        method, layer = attribution.method, attribution.layer
        return cls(setting, values, passes, method, layer, labels, int(took))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def inputs(self) -> Inputs:
        return self.setting.inputs

    @property
    def label(self) -> str:
        return self.method.label if self.method else "the map"

    @cached_property
    def maps(self) -> Tensor:
        """The maps (N, h, w) as they are looked at, or (N, F)."""
        if self.labels is not None:
            return self.values.squeeze(1) * _sizes(self.labels).to(self.values)
        return self.values.sum(1) if self.values.ndim == 4 else self.values

    @property
    def constant(self) -> list[bool]:
        """Of which rows the map says nothing: all values are equal."""
        flat = self.maps.flatten(1)
        return (flat == flat[:, :1]).all(1).tolist()

    def question(self, unit: Unit = "score") -> Question:
        """The question, with a new count of evaluations; of probabilities if wanted."""
        target = self.setting.target
        if unit == "probability":
            target = Probability.of(target, self.setting.adapter.probabilities)
        return Question(self.setting.adapter, self.inputs, target, self.passes())

    def unit(self, wanted: Unit | None) -> Unit:
        """What is followed: by default probabilities, where the target is one class of several."""
        target = self.setting.target
        one = target.function is None and all(i < 0 for i in target.against)
        possible = one and self.setting.prediction.probabilities is not None
        if wanted == "probability" and not possible:
            raise TargetError(
                "This target has no probability.", "Use unit='score', or one class as the target."
            )
        return wanted or ("probability" if possible else "score")

    def fill(self, wanted: Fill) -> Baseline:
        """What is put where something is taken away."""
        if isinstance(wanted, Baseline):
            return wanted
        if wanted == "baseline":
            own = getattr(self.method, "baseline", None)
            # Who averages over a background does not look at its baseline.
            averages = getattr(self.method, "background", None) is not None
            return own if isinstance(own, Baseline) and not averages else self._usual
        try:
            return Baseline.model_validate(wanted)
        except ValidationError as error:
            raise InputError(
                f"There is no fill {wanted!r}.",
                "Take baseline, blur, mean, or a Baseline.",
            ) from error

    @property
    def _usual(self) -> Baseline:
        table = self.inputs.table
        known = table is not None and table.background is not None
        return Baseline.mean() if known else Baseline()

    def again(self, inputs: Inputs, repeats: int = 1, method: Method | None = None) -> Case:
        """The maps of other inputs (or by other parameters) for the same targets.

        `inputs` holds `repeats` variants of the batch, one after the other.
        """
        target = self.setting.target
        target = replace(target, index=target.index * repeats, against=target.against * repeats)
        names = self.setting.names * repeats
        setting = replace(self.setting, inputs=inputs, target=target, names=names)
        return explained(setting, method or self.remade(), self.passes, self.layer)

    def remade(self) -> Method:
        """The method of the map. Raises MethodError where there is none."""
        if self.method is None:
            raise MethodError(
                "A map alone cannot be made again.",
                "Give a method's name or an attribution instead.",
            )
        return self.method


def case(model: Any, inputs: Any, attribution: Explained | None, options: Options) -> Case:
    """The case of the user's arguments. Raises InputError for a map that does not fit.

    With an Attribution `inputs` may be None, for its own. Without any attribution there is no map.
    """
    target, layer = options.get("target"), options.get("layer")
    adapter = adapter_for(model, options)

    def passes() -> Passes:
        return Passes(
            adapter,
            precision=options.get("precision", "float32"),
            chunk=options.get("chunk"),
            layout=options.get("layout"),
        )

    if isinstance(attribution, Attribution):
        return _finished(adapter, inputs, attribution, passes, target)
    if inputs is None:
        raise InputError("There is no input.", "Only an Attribution brings its own.")
    with plainly():
        setting = ask(adapter, adapter.read(inputs), target)
        if isinstance(attribution, str | Method):
            return explained(setting, make(attribution), passes, layer)
    if attribution is None:
        return Case(setting, torch.empty(len(setting.inputs.tensor), 0), passes)
    return Case(setting, _fitting(attribution, setting.inputs), passes)


def adapter_for(model: Any, options: Options) -> ModelAdapter:
    """The adapter of the user's model."""
    names = (
        "preprocess", "labels", "output", "device", "background", "feature_names", "categories",
    )  # fmt: skip
    given: dict[str, Any] = {name: options.get(name) for name in names}
    return ModelAdapter(model, **given)


def explained(
    setting: Setting, method: Method, passes: Callable[[], Passes], layer: str | None
) -> Case:
    """The case of a method, run to its end, with a table's background for what is absent."""
    # What suits a method is said in its own notices.
    inputs = replace(setting.inputs, notices=list(setting.inputs.notices))
    setting = replace(setting, inputs=inputs)
    last = final(attributions(setting, suited(method, inputs), passes(), layer))
    return replace(Case.of(last, setting, passes), layer=layer or last.layer)


def part_of(setting: Setting, rows: slice) -> Setting:
    """The same question about some of the inputs."""
    inputs, target, prediction = setting.inputs, setting.target, setting.prediction
    several = len(prediction.scores) > 1
    return replace(
        setting,
        inputs=replace(inputs, tensor=inputs.tensor[rows]),
        target=replace(target, index=target.index[rows], against=target.against[rows]),
        prediction=replace(
            prediction, scores=prediction.scores[rows] if several else prediction.scores
        ),
        names=setting.names[rows],
    )


def _finished(
    adapter: ModelAdapter,
    inputs: Any,
    attribution: Attribution,
    passes: Callable[[], Passes],
    target: TargetLike,
) -> Case:
    own = replace(attribution.inputs, tensor=attribution.inputs.tensor.to(adapter.device))
    if inputs is not None:
        read = adapter.read(inputs).tensor
        if read.shape[1:] != own.tensor.shape[1:] or not torch.equal(
            read.expand_as(own.tensor) if len(read) == 1 else read, own.tensor
        ):
            differs = "other values" if read.shape == own.tensor.shape else "another shape"
            raise InputError(
                f"The attribution is of another input: {tuple(own.tensor.shape)}, this is "
                f"{tuple(read.shape)}, with {differs}.",
                "Give the picture and the preprocessing it was made with, or None for its own.",
            )
    setting = ask(adapter, own, _asked(attribution) if target is None else target)
    return Case.of(attribution, setting, passes)


def _asked(attribution: Attribution) -> TargetLike:
    """The target of each row, which an attribution knows by name. Raises TargetError."""
    prediction = attribution.prediction
    scores = prediction.scores.expand(len(attribution.target), -1)

    def index(name: str, row: Tensor) -> int | None:
        found = [i for i, label in enumerate(prediction.labels) if label == name]
        return max(found, key=lambda i: float(row[i]), default=None)

    def one(name: str, row: Tensor) -> int | Contrast:
        whole = index(name, row)
        if whole is not None:
            return whole
        first, _, second = name.partition(" rather than ")
        pair = index(first, row), index(second, row)
        if pair[0] is None or pair[1] is None:
            raise TargetError(f"What {name!r} was is not known here.", "Give target= again.")
        return Contrast(pair[0], pair[1])

    return [one(name, row) for name, row in zip(attribution.target, scores, strict=True)]


def _fitting(given: Any, inputs: Inputs) -> Tensor:
    """A map of the user's as values, one a row. Raises InputError."""
    values = torch.as_tensor(np.asarray(given)) if not isinstance(given, Tensor) else given
    values, x = values.detach().cpu(), inputs.tensor
    if not values.is_floating_point():
        values = values.float()
    if values.ndim == (1 if inputs.is_table else 2):
        values = values.unsqueeze(0)
    if values.ndim == 3 and not inputs.is_table:
        values = values.unsqueeze(1)
    if not _fits(values, x):
        raise InputError(
            f"The map has shape {tuple(values.shape)}, the input {tuple(x.shape)}.",
            "Give one map for each input: (N, h, w), (N, C, H, W), or (N, F) for tables.",
        )
    if not bool(values.isfinite().all()):
        raise InputError("The map has values that are NaN or infinite.", "Replace them first.")
    return values


def _fits(values: Tensor, x: Tensor) -> bool:
    if x.ndim == 2 or values.ndim != 4:
        return values.shape == x.shape
    height, width = values.shape[2:]
    if len(values) != len(x) or values.shape[1] not in (1, x.shape[1]):
        return False
    # A coarser map must have the picture's proportions, up to one cell.
    return height <= x.shape[2] and width <= x.shape[3] and _proportion(values, x)


def _proportion(values: Tensor, x: Tensor) -> bool:
    height, width = values.shape[2:]
    return abs(height / width - x.shape[2] / x.shape[3]) <= 1 / width + 1e-9


def _sizes(labels: Tensor) -> Tensor:
    """The number of places of the player of each place."""
    counts = torch.zeros(len(labels), int(labels.max()) + 1)
    counts.scatter_add_(1, labels.flatten(1).cpu(), torch.ones(labels.flatten(1).shape))
    return paint(counts, labels.cpu())


def _densities(values: Tensor, labels: Tensor) -> Tensor:
    """The values (N, P) of players, each spread over its places: (N, 1, H, W) or (N, F)."""
    spread = paint(values, labels.cpu()) / _sizes(labels).to(values)
    return spread.unsqueeze(1) if spread.ndim == 3 else spread


def spread(values: Tensor, inputs: Inputs) -> Tensor:
    """Maps (N, h, w) on the grid of the pictures (N, H, W), smoothly; (N, F) as they are."""
    if values.ndim == 2:
        return values
    size = inputs.tensor.shape[2:]
    if values.shape[1:] == size:
        return values
    wanted = (int(size[0]), int(size[1]))
    return F.interpolate(values.unsqueeze(1), wanted, mode="bilinear").squeeze(1)


def draws(count: int, like: Tensor, seed: int) -> Iterator[Tensor]:
    """`count` standard normal tensors of the shape of one row of `like`, each from its own seed."""
    for index in range(count):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + index)
        yield torch.randn(like.shape[1:], generator=generator).to(like)
