"""One picture or row before one model: a spec from the page is computed. Knows no widget."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nbxplain.compare import Comparison, comparing
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import ExplanationError, InputError
from nbxplain.core.layers import Layer
from nbxplain.core.passes import Passes
from nbxplain.core.regions import Regions
from nbxplain.core.target import Contrast, TargetLike, resolve
from nbxplain.explain import ZERO_ASSUMED, Setting, ask, attributions, suited
from nbxplain.methods.base import REGISTRY, Method, make
from nbxplain.results import Attribution
from nbxplain.widget import catalog, rows, wire
from nbxplain.widget.held import Held
from nbxplain.widget.protocol import BaselineInfo, Catalog, Spec

Score = Callable[[Tensor], Tensor]
Passage = Callable[[], Passes]

FIRST = ("tree_shap", "shapley", "feature_ablation")
"""What a table is explained by unless a method was chosen, in order of preference."""


class Study:
    """The model's view of one picture or row, and everything that can be asked about it.

    `pace` is how many seconds the model takes for it, once the layers were looked at.
    Raises ExplanationError when it cannot be shown to the model.
    """

    def __init__(self, adapter: ModelAdapter, image: Any, function: Score | None) -> None:
        inputs = adapter.read(image)
        if len(inputs.tensor) != 1:
            raise InputError(
                f"The Explorer shows one picture or row; this has shape "
                f"{tuple(inputs.tensor.shape)}.",
                "Give one, or use nbxplain.explain for a batch.",
            )
        if inputs.table is not None and inputs.table.background is None:
            inputs.notices.append(ZERO_ASSUMED)
        self.adapter = adapter
        self.setting = ask(adapter, inputs, function)
        self.layers: list[Layer] | None = None
        self.attention = True
        self.pace = 0.0

    @property
    def row(self) -> dict[str, Any] | None:
        """The row of a table as raw values; None for a picture."""
        inputs = self.setting.inputs
        return None if inputs.table is None else inputs.table.row(inputs.tensor[0])

    def seen(self) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """What the page shows: a picture, or a row."""
        inputs = self.setting.inputs
        table = rows.table_info(inputs)
        if table is not None:
            return None, dict(table)
        return dict(wire.exact_picture(inputs.pictures[0])), None

    @property
    def absence(self) -> Baseline:
        """What stands for a feature that is not there: what is usual, if that is known."""
        table = self.setting.inputs.table
        known = table is not None and table.background is not None
        return Baseline.mean() if known else Baseline()

    @property
    def first_method(self) -> str:
        """The method to start with on a table: the most exact one that can run."""
        inputs = self.setting.inputs
        able = (n for n in FIRST if n in REGISTRY and not REGISTRY[n].lacks(self.adapter, inputs))
        return next(able)

    @property
    def labels(self) -> list[str]:
        return list(self.setting.prediction.labels)

    @property
    def classes(self) -> int:
        """How many classes can be picked: none where the output is not (N, classes)."""
        scores = self.setting.prediction.scores
        return int(scores.shape[1]) if scores.ndim == 2 else 0

    @property
    def suggested(self) -> str | None:
        """The layer to start with, once the layers were looked at."""
        return next((layer.name for layer in self.layers or [] if layer.suggested), None)

    def find_layers(self) -> None:
        """Lists the layers and times a pass; takes three passes, so it runs on the worker."""
        started = time.perf_counter()
        self.adapter.outputs(self.setting.inputs.tensor)
        self.pace = time.perf_counter() - started
        if self.setting.inputs.is_table:
            # No layer of a table's network has a map, and no method asks for another one.
            self.layers, self.attention = [], False
            return
        try:
            self.layers = self.adapter.layers(self.setting.inputs.tensor)
        except ExplanationError:
            # The methods that need no layer still work, and the others say what is missing.
            self.layers = []
        self.attention = self.adapter.attends(self.setting.inputs.tensor)

    def catalog(self, precision: str) -> Catalog:
        """What can be picked."""
        return catalog.catalog(
            self.adapter,
            self.setting.inputs,
            self.layers,
            self.labels,
            precision,
            self.attention,
        )

    def labels_of(self, regions: Regions) -> NDArray[np.int64]:
        """The region (H, W) of each pixel."""
        inputs = self.setting.inputs
        return regions.labels_for(inputs, torch.device("cpu"))[0].numpy()

    def baselines(self, held: Baseline) -> list[BaselineInfo]:
        """The tiles of the baseline chooser, with the user's picture if one is held."""
        return catalog.baselines(self.setting.inputs, held if held.kind == "image" else None)

    def attributions(
        self, spec: Spec, method: Method, function: Score | None, passes: Passes
    ) -> Iterator[Attribution]:
        """The computation behind a spec."""
        setting = self.targeted(spec, function)
        method = suited(method, setting.inputs)
        yield from attributions(setting, method, passes, spec["layer"])

    def comparing(
        self, specs: Sequence[Spec], held: Held, function: Score | None, passes: Passage
    ) -> Iterator[Comparison]:
        """The computations behind several specs, one after the other."""
        questions = [
            (method_of(spec, held), self.targeted(spec, function), spec["layer"]) for spec in specs
        ]
        yield from comparing(questions, passes)

    def targeted(self, spec: Spec, function: Score | None) -> Setting:
        """This picture with the target of a spec."""
        s = self.setting
        wanted = self.wanted(spec["target"], function)
        target = resolve(wanted, s.prediction.scores, self.labels)
        return Setting(s.adapter, s.inputs, s.prediction, target, target.names(self.labels))

    @staticmethod
    def wanted(target: Any, function: Score | None) -> TargetLike:
        """The target that a spec names."""
        if isinstance(target, dict):
            return Contrast(target["index"], target["against"])
        return function if isinstance(target, str) else target


def method_of(spec: Spec, held: Held) -> Method:
    """The method of a spec, in which pictures and label maps are only named."""
    # What is at its default was not told: a table may know better.
    fields = make(spec["method"]).model_dump(mode="json")
    parameters = {name: v for name, v in spec["params"].items() if v != fields.get(name)}
    if spec["baseline"]:
        parameters["baseline"] = held.reference(spec["baseline"])
    regions = held.division(spec["regions"])
    if regions is not None:
        parameters["regions"] = regions
    return make(spec["method"], **parameters)
