"""A method is parameters plus a generator.

Its fields are its parameters, with bounds, units and help; its `run` yields ever better Partials.
Controls, validation, hashing, JSON, progress, cancelling, refinement and resuming follow from that
shape and are written once, elsewhere.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self, get_args

from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from torch import Tensor

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import LayerError, MethodError, near
from nbxplain.core.inputs import Inputs
from nbxplain.core.layers import Layer, find
from nbxplain.core.parameters import Parameters, refused
from nbxplain.core.passes import Passes
from nbxplain.core.target import Target

Group = Literal[
    "gradient", "path", "CAM", "propagation", "perturbation", "Shapley", "attention", "concept"
]

INSIDE = ("gradient", "path", "CAM", "propagation", "attention")
"""Groups whose methods work with what happens inside the network."""


@dataclass
class Question:
    """What a method is asked: why these inputs got these scores.

    `tensor` is the batch on the device, one row per target; `row_of` says which row of the inputs
    each belongs to.
    """

    adapter: ModelAdapter
    inputs: Inputs
    target: Target
    passes: Passes
    layer: Layer | None = None

    @property
    def tensor(self) -> Tensor:
        return self.inputs.tensor

    def scores(self, tensor: Tensor) -> Tensor:
        """The target's scores of a batch whose rows repeat those of this question."""

        def score(output: Tensor, rows: Tensor) -> Tensor:
            return self.target.score(output, rows % len(self.tensor))

        parts = self.passes.scores(len(tensor), lambda rows: tensor[rows], score)
        result = tensor.new_zeros(len(tensor))
        for rows, scores in parts:
            result[rows] = scores
        return result


@dataclass
class Path:
    """f along the straight path from the baseline to each input, at increasing alpha.

    `alpha` is (n,), `score` and `accumulated` (N, n): the score at alpha, and the attribution
    summed up to it. For a single picture `maps` is (m, 1, H, W): the attribution accumulated at
    `map_alpha` (m,), summed over channels. `baseline` is the first one, as model input.
    """

    alpha: Tensor
    score: Tensor
    accumulated: Tensor
    baseline: Tensor
    map_alpha: Tensor | None = None
    maps: Tensor | None = None


@dataclass
class Attention:
    """The attention of one picture: weights (layers, heads, tokens, tokens), of which the first
    `prefix` tokens are class and register tokens and the others lie on `grid` (rows, columns)."""

    weights: Tensor
    prefix: int
    grid: tuple[int, int]


@dataclass
class Players:
    """The parts of the inputs among which the score is shared out, with values (N, P).

    `labels` (N, H, W) or (N, F) is the player of each place. Rows may have fewer players than P:
    `counts` (N,), the others have the value 0. `names` has a list a row. `errors` (N, P) are the
    standard errors of the values, None where they are exact or not known yet.
    """

    labels: Tensor
    counts: Tensor
    names: list[list[str]]
    errors: Tensor | None = None

    def row(self, index: int) -> Players:
        """The players of one row of the batch."""
        one, count = slice(index, index + 1), int(self.counts[index])
        errors = None if self.errors is None else self.errors[one, :count]
        return Players(self.labels[one], self.counts[one], self.names[one], errors)


def paint(values: Tensor, labels: Tensor) -> Tensor:
    """Values (N, P) of players at their places: of the shape of `labels`, (N, H, W) or (N, F)."""
    return values.gather(1, labels.flatten(1)).view_as(labels)


@dataclass
class Partial:
    """What a method knows so far.

    `values` has the final shape: (N, C, H, W), (N, 1, h, w), (N, F), or with `players` (N, P).
    `done` of `total` counts
    evaluations. `error` is the method's own estimate of how far off the values are, relative
    to their size, or None. `evidence` holds one number per input under names of evidence.py,
    `notices` sentences about what the values cannot say.
    """

    values: Tensor
    done: int
    total: int
    error: float | None = None
    base_value: Tensor | None = None
    evidence: dict[str, Tensor] = field(default_factory=dict)
    path: Path | None = None
    attention: Attention | None = None
    players: Players | None = None
    notices: list[str] = field(default_factory=list)


class Method(Parameters, ABC):
    """Base of every method: a frozen set of parameters and a generator of Partials.

    A subclass is registered under its snake_case name by being defined. Class variables say what
    the method picker shows; `label` is its name in words and `cost` its price in three dots. A
    `plain` one passes every input through the model as it is before anything else of it is scored,
    so that its passes tell the prediction too.
    """

    name: ClassVar[str] = ""
    label: ClassVar[str]
    group: ClassVar[Group]
    cost: ClassVar[int]
    plain: ClassVar[bool] = False
    needs_picture: ClassVar[bool] = False
    needs_gradient: ClassVar[bool] = False
    needs_layer: ClassVar[bool] = False
    needs_attention: ClassVar[bool] = False
    needs_trees: ClassVar[bool] = False
    needs_concept: ClassVar[bool] = False
    resumable: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" in cls.__dict__:
            REGISTRY[cls.name] = cls

    @abstractmethod
    def run(self, question: Question) -> Iterator[Partial]:
        """Yields a Partial at least once a chunk; the last one is the result."""

    @classmethod
    def needs_baseline(cls) -> bool:
        return "baseline" in cls.model_fields

    @classmethod
    def needs_background(cls) -> bool:
        """Whether there is nothing but a background to stand for absence: of pictures there are
        always some, black and white, of table rows those that are given."""
        field = cls.model_fields.get("background")
        return field is not None and field.default is not None and not cls.needs_baseline()

    @classmethod
    def looks_inside(cls) -> bool:
        """Whether it needs the network's gradients or layers, and not its scores alone."""
        needs = cls.needs_gradient or cls.needs_layer or cls.needs_attention
        return needs or cls.group in INSIDE

    @property
    def bound(self) -> str | None:
        """The layer that its parameters belong to, where they belong to one."""
        return None

    @classmethod
    def lacks(cls, adapter: ModelAdapter, inputs: Inputs) -> str | None:
        """What it needs and this model or input does not have; None if nothing."""
        if cls.looks_inside() and not adapter.has_inside:
            return "needs gradients or layers: this model has none"
        if not inputs.is_table:
            return None
        if cls.needs_picture or cls.needs_layer or cls.needs_attention:
            return "needs a picture: this is a row of a table"
        assert inputs.table is not None
        if cls.needs_background() and inputs.table.background is None:
            return "needs a background: give background=, rows of the training data"
        return None

    def draft(self) -> Self:
        """The same method with the cheap parameters used while a control is dragged."""
        cheap = {
            name: draft
            for name, info in type(self).model_fields.items()
            if (draft := draft_value(info)) is not None and draft < getattr(self, name)
        }
        return self.model_copy(update=cheap)


REGISTRY: dict[str, type[Method]] = {}
"""Every method by name, in order of definition."""


def registered() -> list[type[Method]]:
    """Every method, by group and then in order of definition."""
    groups = get_args(Group)
    return sorted(REGISTRY.values(), key=lambda method: groups.index(method.group))


SCHEMA_KEYS = ("unit", "draft", "log", "step")
"""What a field says beyond its bounds, for the controls made from it."""


def parameter(default: Any, help: str, **options: Any) -> Any:
    """A field of a method: bounds go to pydantic, unit, draft value and log scale to the schema."""
    extra: dict[str, Any] = {key: options.pop(key) for key in SCHEMA_KEYS if key in options}
    return Field(default, description=help, json_schema_extra=extra or None, **options)


def draft_value(info: FieldInfo) -> Any:
    """The field's value while dragging, or None."""
    extra = info.json_schema_extra
    return extra.get("draft") if isinstance(extra, dict) else None


Methods = str | Method | Sequence[str | Method]
"""Names or method objects, or a single one."""


def make(method: str | Method, **parameters: Any) -> Method:
    """The method object for a registry name and parameters.

    Raises MethodError, and InputError for a baseline or regions that cannot be.
    """
    given: dict[str, Any] = {}
    if isinstance(method, Method):
        given = {name: getattr(method, name) for name in method.model_fields_set}
    name = method.name if isinstance(method, Method) else method
    if name not in REGISTRY:
        raise MethodError(
            f"There is no method {name!r}.",
            near(str(name), REGISTRY) or "See nbxplain.methods().",
        )
    cls = REGISTRY[name]
    for key in parameters:
        if key not in cls.model_fields:
            raise MethodError(
                f"{name} has no parameter {key!r}.",
                near(key, cls.model_fields)
                or f"It has: {', '.join(cls.model_fields) or 'no parameters'}.",
            )
    try:
        return cls.model_validate({**given, **parameters})
    except ValidationError as error:
        raise refused(error, name, MethodError) from error


def listed(methods: Methods) -> list[Method]:
    """The method objects for several names or method objects, or for a single one.

    Raises MethodError, as make does.
    """
    if isinstance(methods, str | Method):
        return [make(methods)]
    if not isinstance(methods, Sequence):
        raise MethodError(
            f"{methods!r} names no methods.", "Give a list of names: see nbxplain.methods()."
        )
    return [make(method) for method in methods]


def layer_for(
    method: Method, layer: str | None, adapter: ModelAdapter, example: Tensor
) -> Layer | None:
    """The layer a method works at: the given one, its own, or the suggested. Raises LayerError."""
    if not method.needs_layer:
        return None
    layer = method.bound if layer is None else layer
    if layer is not None:
        return find(layer, adapter.layers(example, suggest=False), adapter.replica())
    for candidate in adapter.layers(example):
        if candidate.suggested:
            return candidate
    raise LayerError(
        f"{method.label} needs a layer with a spatial map: this model has none.",
        "Use a gradient or path method instead.",
    )


def add_rows(sums: Tensor, rows: Tensor, values: Tensor) -> None:
    """Adds values (n, ...) to the rows (n,) of `sums`, always in the same order.

    index_put_ and, on CUDA, index_add_ add in whatever order threads arrive: the last bits of two
    equal runs would differ.
    """
    for row, value in zip(rows.tolist(), values, strict=True):
        sums[row] += value


def relative(error: Tensor, values: Tensor) -> float:
    """The size of `error` relative to that of `values`, as a share."""
    size = float(values.norm())
    return float(error.norm()) / size if size > 0 else math.inf if bool(error.any()) else 0.0


__all__ = [
    "REGISTRY",
    "Attention",
    "Baseline",
    "Method",
    "Methods",
    "Partial",
    "Path",
    "Players",
    "Question",
    "add_rows",
    "layer_for",
    "listed",
    "make",
    "paint",
    "parameter",
    "registered",
    "relative",
]
