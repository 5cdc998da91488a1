"""explain(): an attribution in one call, without a widget."""

from __future__ import annotations

import datetime
import hashlib
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import ExplanationError, InputError
from nbxplain.core.estimator import Estimator
from nbxplain.core.inputs import Inputs
from nbxplain.core.layers import Layer
from nbxplain.core.pace import Layout
from nbxplain.core.passes import Passes
from nbxplain.core.setup import Precision
from nbxplain.core.tables import Categories, is_background
from nbxplain.core.target import Target, TargetLike, resolve
from nbxplain.methods.base import Method, Partial, Question, layer_for, make
from nbxplain.results import Attribution, Prediction, rows_of

LONG = 64
"""Evaluations from which a run shows its progress by itself."""

ZERO_ASSUMED = (
    "No background was given: 0 stands for a feature that is not there. Give background=, rows of "
    "the training data, for what is usual."
)


def explain(
    model: Any,
    inputs: Any,
    method: str | Method = "integrated_gradients",
    *,
    target: TargetLike = None,
    layer: str | None = None,
    preprocess: Any = None,
    labels: Sequence[str] | Mapping[int, str] | None = None,
    output: str | int | Callable[[Any], Tensor] | None = None,
    device: str | torch.device | None = None,
    precision: Precision = "float32",
    chunk: int | None = None,
    layout: Layout | None = None,
    progress: bool | None = None,
    background: Any = None,
    feature_names: Sequence[str] | None = None,
    categories: Categories | None = None,
    **parameters: Any,
) -> Attribution:
    """Explains why `model` gives `inputs` the scores it gives.

    model: any torch module; it is left bit for bit as it was found. For tables also a fitted
        scikit-learn estimator or pipeline, or a function (array (N, F)) -> scores.
    inputs: a PIL picture, a path, an array (H, W, 3), a tensor (fed as it is), or a batch of these.
        For tables a dict, Series, DataFrame, array (F,) or (N, F), a list of these, or a tensor.
    method: a name of `nbxplain.methods()` or a method object; `parameters` are its fields.
    target: what is explained, by default the predicted class: an index, a label, a Contrast, a
        callable on the output (N, ...) -> (N,), or a list with one per input (several for one).
    layer: for methods that work at a layer; by default the suggested one.
    preprocess, labels, output: see ModelAdapter.
    precision: "float32" or "bfloat16"; the latter reports how far it is from the former.
    chunk, layout: inputs per pass and memory layout; chosen when None, recorded in the provenance.
    progress: a progress bar; by default for runs of many evaluations.
    background: rows that are usual, for tables: what methods average over, or the mean of which is
        their baseline. For pictures a parameter of the methods that have one.
    feature_names, categories: the columns of a table, and the values of those that are no numbers;
        by default those that the background or the estimator brings along. An array (N, F) is a
        table if one of the three is given or the model is an estimator, else a picture.

    Raises ExplanationError (title and hint) for whatever cannot be explained.
    """
    if background is not None and not is_background(background):
        parameters["background"], background = background, None
    chosen = make(method, **parameters)
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
    passes = Passes(adapter, precision=precision, chunk=chunk, layout=layout)
    with (
        torch.inference_mode(False),
        # A caller's autocast would lower the precision, and reach into the backward pass too.
        torch.autocast(adapter.device.type, enabled=False),
        _Bar(chosen.label, progress) as bar,
    ):
        given = adapter.read(inputs)
        chosen = suited(chosen, given)
        with adapter.held():
            told = chosen.plain and passes.precision == "float32" and adapter.steady
            wanted = listen if told and not isinstance(target, _SEVERAL) else ask
            setting = wanted(adapter, given, target)
            for attribution in attributions(setting, chosen, passes, layer):
                bar.update(attribution.done, attribution.total)
    return attribution


def suited(method: Method, inputs: Inputs) -> Method:
    """The method with what a table says of absence, where it was not told.

    The rows of the background, or, for a method that has none, their mean. Without a background 0
    stands for absence, which a notice says. Raises InputError where that would be meaningless.
    """
    table, told = inputs.table, method.model_fields_set
    fields = type(method).model_fields.keys() - told
    if table is None or not fields & {"background", "baseline"}:
        return method
    if table.background is None:
        if "background" in fields and method.needs_background():
            raise InputError(
                f"{method.label} averages over a background, and there is none.",
                "Give background=: some rows of the training data.",
            )
        if "baseline" in fields and "background" not in told:
            inputs.notices.append(ZERO_ASSUMED)
        return method
    if "background" in fields:
        return make(method, background=table.background)
    if "background" in told:
        return method
    inputs.notices.append(
        "The baseline is the mean of the background (of categories the most frequent value)."
    )
    return make(method, baseline="mean")


@dataclass
class Setting:
    """Inputs with the model's output for them, and the target that follows from both."""

    adapter: ModelAdapter
    inputs: Inputs
    prediction: Prediction
    target: Target
    names: list[str]


def ask(adapter: ModelAdapter, inputs: Inputs, target: TargetLike) -> Setting:
    """One forward pass: what the model says, and what is to be explained of it."""
    return _settled(adapter, inputs, target, adapter.outputs(inputs.tensor))


def listen(adapter: ModelAdapter, inputs: Inputs, target: TargetLike) -> Setting:
    """The same for a method whose own passes tell what the model says: it saves a pass."""
    heard = Overheard(adapter=adapter, inputs=inputs, wanted=target)
    return Setting(adapter, inputs, Prediction(torch.empty(0), ()), heard, [])


def _settled(adapter: ModelAdapter, inputs: Inputs, target: TargetLike, output: Tensor) -> Setting:
    labels = adapter.labels(output.shape[1])
    resolved = resolve(target, output, labels)
    if len(resolved) > len(inputs.tensor):
        inputs = replace(
            inputs, tensor=inputs.tensor.expand(len(resolved), *inputs.tensor.shape[1:])
        )
    prediction = Prediction(output.cpu(), tuple(labels), adapter.meaning)
    return Setting(adapter, inputs, prediction, resolved, resolved.names(labels))


_SEVERAL = (list, tuple, Tensor, np.ndarray)
"""Targets of this kind may be several for one input, which must be known before."""


@dataclass(frozen=True, kw_only=True)
class Overheard(Target):
    """A target that is settled by the first output of each row."""

    adapter: ModelAdapter
    inputs: Inputs
    wanted: TargetLike
    outputs: dict[int, Tensor] = field(default_factory=dict)

    def score(self, output: Tensor, rows: Tensor) -> Tensor:
        places, said = rows.tolist(), self.adapter.checked(output.detach(), len(rows))
        for place, one in zip(places, said, strict=True):
            self.outputs.setdefault(place, one)
        known = torch.stack([self.outputs[place] for place in places])
        target = resolve(self.wanted, known, self.adapter.labels(known.shape[1]))
        return target.score(output, torch.arange(len(rows), device=rows.device))

    def setting(self) -> Setting:
        """What has been heard so far."""
        known = torch.stack([self.outputs[place] for place in sorted(self.outputs)])
        return _settled(self.adapter, self.inputs, self.wanted, known)


def attributions(
    setting: Setting, method: Method, passes: Passes, layer: str | None
) -> Iterator[Attribution]:
    """The method's Partials as Attributions; the last one is complete."""
    adapter, inputs = setting.adapter, setting.inputs
    started = time.perf_counter()
    if method.looks_inside():
        adapter.check_inside()
    place = layer_for(method, layer, adapter, inputs.tensor[:1])
    question = Question(adapter, inputs, setting.target, passes, place)
    for partial in method.run(question):
        if isinstance(question.target, Overheard):
            setting = question.target.setting()
        yield _attribution(setting, method, passes, place, partial, time.perf_counter() - started)


def _attribution(
    setting: Setting,
    method: Method,
    passes: Passes,
    layer: Layer | None,
    partial: Partial,
    seconds: float,
) -> Attribution:
    evidence = rows_of(partial.evidence)
    if passes.fidelity is not None:
        evidence["bfloat16_cosine"] = [passes.fidelity]
    evidence["evaluations"] = [float(passes.evaluations)]
    evidence["seconds"] = [seconds]
    name = None if layer is None else layer.name
    final = partial.done >= partial.total
    base = partial.base_value
    return Attribution(
        values=partial.values.detach().cpu().contiguous(),
        prediction=setting.prediction,
        target=setting.names,
        method=method,
        layer=name,
        evidence=evidence,
        provenance=provenance(setting, method, passes, name) if final else {},
        inputs=replace(setting.inputs, tensor=setting.inputs.tensor.cpu()),
        base_value=None if base is None else base.detach().cpu(),
        path=_on_cpu(partial.path),
        attention=_on_cpu(partial.attention),
        players=_on_cpu(partial.players),
        done=partial.done,
        total=partial.total,
        error=partial.error,
        notices=[*setting.adapter.notices, *setting.inputs.notices, *partial.notices],
    )


def _on_cpu(record: Any) -> Any:
    """A dataclass with its tensors on the CPU; None stays None."""
    if record is None:
        return None
    tensors = {k: v.detach().cpu() for k, v in vars(record).items() if isinstance(v, Tensor)}
    return replace(record, **tensors)


def provenance(
    setting: Setting, method: Method, passes: Passes, layer: str | None
) -> dict[str, Any]:
    """What is needed to get the same numbers again, as JSON."""
    return {
        **sources(setting.adapter, setting.inputs, passes),
        "method": method.name,
        "parameters": _brief(method.model_dump(mode="json")),
        "target": setting.names,
        "layer": layer,
    }


def sources(adapter: ModelAdapter, inputs: Inputs, passes: Passes) -> dict[str, Any]:
    """Of the provenance what every method shares: versions, model, input and passes."""
    return {
        "nbxplain": _version(),
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "model": adapter.name,
        "weights": adapter.weight_hash,
        **_about(adapter, inputs),
        "preprocessing": adapter.preprocessing_name,
        "input": list(inputs.tensor.shape),
        "device": str(adapter.device),
        "precision": passes.precision,
        "chunk": passes.chunk,
        "layout": passes.layout or "contiguous",
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _about(adapter: ModelAdapter, inputs: Inputs) -> dict[str, Any]:
    """What takes the place of weights in an estimator, and the columns of a table."""
    model, table = adapter.model, inputs.table
    about: dict[str, Any] = {}
    if isinstance(model, Estimator):
        about |= {"settings": model.settings, "scikit-learn": version("scikit-learn")}
    if table is not None:
        about |= {"features": list(table.names), "background": table.digest}
    return about


def _brief(value: Any) -> Any:
    """The same JSON with embedded pictures and tensors replaced by their hashes."""
    if isinstance(value, dict):
        return {key: _brief(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_brief(item) for item in value]
    if isinstance(value, str) and len(value) > 200:
        return f"sha256 {hashlib.sha256(value.encode()).hexdigest()[:16]}"
    return value


def _version() -> str:
    try:
        return version("nbxplain")
    except PackageNotFoundError:
        return "unknown"


class _Bar:
    """A tqdm bar that appears when the first chunk says that the run is long, or when asked for."""

    def __init__(self, label: str, wanted: bool | None) -> None:
        self._label, self._wanted = label, wanted
        self._bar: Any = None

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def update(self, done: int, total: int) -> None:
        # A run that ends within a second leaves no bar behind in a saved notebook.
        delay = 0 if self._wanted else 1
        wanted = self._wanted if self._wanted is not None else total >= LONG
        if self._bar is None and wanted:
            self._bar = tqdm(total=total, desc=self._label, unit="eval", leave=False, delay=delay)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)


__all__ = ["ExplanationError", "ask", "attributions", "explain", "suited"]
