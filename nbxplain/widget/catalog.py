"""What can be picked, drawn from the methods' own schemas."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.baseline import Baseline
from nbxplain.core.estimator import Estimator
from nbxplain.core.inputs import Inputs
from nbxplain.core.layers import Layer
from nbxplain.core.parameters import Parameters
from nbxplain.counterfactuals.editing import Adjustments, Clone, Colour, Inpaint
from nbxplain.counterfactuals.pictures.parameters import PictureSearch
from nbxplain.methods.base import Method, registered
from nbxplain.widget import wire
from nbxplain.widget.protocol import (
    BaselineInfo,
    Catalog,
    Control,
    EditTools,
    LayerInfo,
    MethodInfo,
)

BASELINES = {"black": (), "blur": ("sigma",), "mean": (), "white": (), "noise": ("seed",)}
"""The baselines that can be chosen by a click, and the fields each one uses."""

WISHES = ("probability", "l1", "l2", "smoothness", "likeness")
"""Parameters of a picture search that the page sets."""

FILLS: dict[str, tuple[str, type[Parameters], tuple[str, ...]]] = {
    "blur": ("blur", Baseline, ("sigma",)),
    "mean": ("mean colour", Baseline, ()),
    "noise": ("noise", Baseline, ("seed",)),
    "colour": ("colour", Colour, ()),
    "clone": ("from elsewhere in it", Clone, ("dx", "dy")),
    "image": ("from another picture", Baseline, ()),
    "inpaint": ("what is around it", Inpaint, ()),
}
"""What can stand in the place of painted pixels: its name in words, and its fields."""

PLAIN = ("integer", "number", "boolean")
"""Types of JSON schemas that a control can be drawn for; a list, say, is set from Python."""


@cache
def _properties(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model's fields; making it takes about a millisecond."""
    properties: dict[str, Any] = model.model_json_schema()["properties"]
    return properties


def controls(model: type[BaseModel], names: tuple[str, ...] | None = None) -> list[Control]:
    """One control per plain field of a parameter model, from its JSON schema."""
    return [
        _control(name, schema)
        for name, schema in _properties(model).items()
        if ("enum" in schema or schema.get("type") in PLAIN) and (names is None or name in names)
    ]


def _control(name: str, schema: dict[str, Any]) -> Control:
    control: Control = {
        "name": name,
        "label": name.replace("_", " "),
        "help": schema.get("description", ""),
        "type": "choice" if "enum" in schema else schema["type"],
        "default": schema["default"],
    }
    if "enum" in schema:
        control["choices"] = schema["enum"]
    if "minimum" in schema:
        control["minimum"] = schema["minimum"]
    if "maximum" in schema:
        control["maximum"] = schema["maximum"]
    if "draft" in schema:
        control["draft"] = schema["draft"]
    if "unit" in schema:
        control["unit"] = schema["unit"]
    if schema.get("log"):
        control["logarithmic"] = True
    if schema["type"] == "integer":
        control["step"] = 1
    return control


def methods(
    adapter: ModelAdapter, inputs: Inputs, layers: list[Layer] | None, attention: bool
) -> list[MethodInfo]:
    """Every registered method; those that cannot run on a model with these layers say why."""
    spatial = layers is None or any(layer.grid for layer in layers)
    found = []
    for method in registered():
        lacks = method.lacks(adapter, inputs)
        if lacks is None and method.needs_layer and not spatial:
            lacks = "needs a layer with a spatial map: this model has none"
        if lacks is None and method.needs_attention and not attention:
            lacks = "needs attention over the whole picture: this model has none"
        found.append(_method(method, lacks))
    return found


def _method(method: type[Method], lacks: str | None) -> MethodInfo:
    return {
        "name": method.name,
        "label": method.label,
        "group": method.group,
        "help": (method.__doc__ or "").strip().split("\n\n")[0].replace("\n    ", " "),
        "cost": method.cost,
        "needs_layer": method.needs_layer,
        "needs_baseline": method.needs_baseline(),
        "takes_regions": "regions" in method.model_fields,
        "resumable": method.resumable,
        "controls": controls(method),
        "unavailable": lacks,
    }


def layer_rows(layers: list[Layer]) -> list[LayerInfo]:
    """The layers as rows of the picker."""
    return [
        {
            "name": layer.name,
            "type": layer.type,
            "shape": list(layer.shape),
            "grid": None if layer.grid is None else list(layer.grid),
            "suggested": layer.suggested,
        }
        for layer in layers
    ]


def baselines(inputs: Inputs, image: Baseline | None) -> list[BaselineInfo]:
    """The tiles of the baseline chooser; the last one takes a picture of the user's.

    For a table what is usual, where a background says so, and zero.
    """
    if inputs.table is not None:
        usual = [] if inputs.table.background is None else [("mean", "mean of the background")]
        return [_plain_tile(kind, label) for kind, label in [*usual, ("black", "zero")]]
    tiles = [_tile(Baseline(kind=kind), kind, inputs, fields) for kind, fields in BASELINES.items()]
    if image is not None:
        return [*tiles, _tile(image, "image…", inputs, ())]
    return [*tiles, _plain_tile("image", "image…")]


def _plain_tile(kind: str, label: str) -> BaselineInfo:
    return {"kind": kind, "label": label, "thumbnail": None, "controls": []}


def _tile(baseline: Baseline, label: str, inputs: Inputs, fields: tuple[str, ...]) -> BaselineInfo:
    assert inputs.view is not None
    tensor = baseline.tensor_for(inputs, inputs.tensor.device)
    thumbnail = wire.picture(inputs.view.picture(tensor[0]), longest=120, quality=75)
    return {
        "kind": baseline.kind,
        "label": label,
        "thumbnail": thumbnail,
        "controls": controls(Baseline, fields) if fields else [],
    }


def catalog(
    adapter: ModelAdapter,
    inputs: Inputs,
    layers: list[Layer] | None,
    labels: list[str],
    precision: str,
    attention: bool = True,
) -> Catalog:
    """Everything that can be picked for this model and picture; layers are None while unknown."""
    return {
        "methods": methods(adapter, inputs, layers, attention),
        "layers": layer_rows(layers or []),
        "labels": labels,
        "model": {
            "name": adapter.name,
            "device": str(adapter.device),
            "precision": _precision(adapter, precision),
            "input": _size(inputs),
        },
        "edits": None if inputs.is_table else edit_tools(),
    }


def edit_tools() -> EditTools:
    """What a picture is edited with."""
    return {
        "fills": [
            {"kind": kind, "label": label, "controls": controls(model, names) if names else []}
            for kind, (label, model, names) in FILLS.items()
        ],
        "adjustments": controls(Adjustments),
        "search": {name: getattr(PictureSearch(), name) for name in WISHES},
    }


def _precision(adapter: ModelAdapter, asked: str) -> str:
    """What the passes compute in; an estimator does not say what it computes in."""
    if asked != "float32":
        return asked
    estimator = isinstance(adapter.model, Estimator)
    return "" if estimator else str(adapter.dtype).removeprefix("torch.")


def _size(inputs: Inputs) -> str:
    if inputs.is_table:
        return f"{inputs.tensor.shape[1]} features"
    return " × ".join(str(side) for side in inputs.tensor.shape[2:])
