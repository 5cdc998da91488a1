"""What can be picked, and what the model says."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from nbxplain.widget.protocol.data import Picture


class Choice(TypedDict):
    """A class that can be explained."""

    index: int
    label: str
    score: float
    probability: float | None


class Prediction(TypedDict):
    """What the model says of the picture: the most probable classes first, then those
    explained that are not among them."""

    top: list[Choice]
    classes: int


class Control(TypedDict):
    """One parameter of a method, from its JSON schema: enough to draw a control."""

    name: str
    label: str
    help: str
    type: Literal["integer", "number", "boolean", "choice"]
    default: Any
    draft: NotRequired[Any]
    minimum: NotRequired[float]
    maximum: NotRequired[float]
    step: NotRequired[float]
    logarithmic: NotRequired[bool]
    unit: NotRequired[str]
    choices: NotRequired[list[str]]


class MethodInfo(TypedDict):
    """One row of the method picker. `unavailable` says why it cannot run on this model."""

    name: str
    label: str
    group: str
    help: str
    cost: int
    needs_layer: bool
    needs_baseline: bool
    takes_regions: bool
    resumable: bool
    controls: list[Control]
    unavailable: str | None


class LayerInfo(TypedDict):
    """One row of the layer picker: `shape` is the output's, without the batch."""

    name: str
    type: str
    shape: list[int]
    grid: list[int] | None
    suggested: bool


class BaselineInfo(TypedDict):
    """One tile of the baseline chooser."""

    kind: str
    label: str
    thumbnail: Picture | None
    controls: list[Control]


class ModelInfo(TypedDict):
    """The line at the foot of the widget; of an estimator the precision is not known: empty."""

    name: str
    device: str
    precision: str
    input: str


class FillInfo(TypedDict):
    """What can stand in the place of painted pixels, with its parameters."""

    kind: str
    label: str
    controls: list[Control]


class EditTools(TypedDict):
    """What a picture can be edited with, and with which numbers a search for another begins: the
    probability of the class, at least, and the weights."""

    fills: list[FillInfo]
    adjustments: list[Control]
    search: dict[str, float]


class Catalog(TypedDict):
    """Everything that can be picked; rows of tables are not edited by these tools."""

    methods: list[MethodInfo]
    layers: list[LayerInfo]
    labels: list[str]
    model: ModelInfo
    edits: EditTools | None
