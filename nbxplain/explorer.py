"""Explorer: the widget's Python face. Traits in, jobs out, no mathematics.

Facts are traits, events are messages (widget/protocol.py). Every trait write from the worker and
every change from the page happens under one lock, because ipywidgets' own bookkeeping is not
thread-safe. Message handlers only enqueue: computing happens on the worker, files and code are
written at the desk, a second thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import torch
from PIL import Image
from torch import Tensor

from nbxplain.compare import Comparison
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import InputError
from nbxplain.core.jobs import Job, Worker
from nbxplain.core.passes import Passes
from nbxplain.core.setup import Precision
from nbxplain.core.tables import Categories
from nbxplain.core.target import TargetLike
from nbxplain.methods.base import REGISTRY, Method, listed, make
from nbxplain.results import Attribution
from nbxplain.widget import protocol, wire
from nbxplain.widget.answers import Answers
from nbxplain.widget.cells import after_each_cell, beside_cells, weakly
from nbxplain.widget.desk import Desk, failure
from nbxplain.widget.held import OWN
from nbxplain.widget.history import History
from nbxplain.widget.keeping import Keeping
from nbxplain.widget.panels.alternatives import Alternatives
from nbxplain.widget.panels.checks import Checks
from nbxplain.widget.panels.concepts import Concepts
from nbxplain.widget.panels.edits import Edits
from nbxplain.widget.panels.interventions import Interventions, bottleneck_of, inside
from nbxplain.widget.panels.panel import Panel
from nbxplain.widget.study import Study, method_of
from nbxplain.widget.telling import Answer
from nbxplain.widget.traits import checked_params, params_of

COMPUTED = ("method", "target", "layer", "params", "baseline", "regions")
"""Traits whose change asks for a new result; the others only change how it looks."""


class Explorer(Keeping):
    """An interactive explanation of one picture, or of one row of a table.

    `Explorer(model, image)` shows itself in a notebook. Its traits can be set, observed and linked:
    method, target, layer, params, baseline, regions (what is computed), opacity, colormap, clip,
    sign, threshold, view, native (how it looks), and for reading result and status. What its other
    tabs do is in `checks`, `edits`, `alternatives` (of a table), `concepts` and `interventions` (of
    a concept bottleneck). The arguments are those of `explain`; what cannot be explained is shown
    as a card, never raised here.
    """

    def __init__(
        self,
        model: Any,
        image: Any,
        *,
        method: str | Method | None = None,
        target: TargetLike = None,
        layer: str | None = None,
        preprocess: Any = None,
        labels: Sequence[str] | Mapping[int, str] | None = None,
        output: str | int | Callable[[Any], Tensor] | None = None,
        device: str | torch.device | None = None,
        precision: Precision = "float32",
        shortcuts: bool = True,
        background: Any = None,
        feature_names: Sequence[str] | None = None,
        categories: Categories | None = None,
    ) -> None:
        self._study: Study | None = None
        self._labels = []
        self._remembered: dict[str, dict[str, Any]] = {}
        self._jobs = 0
        self._chosen = method is not None
        self._precision: Precision = precision
        options: dict[str, Any] = {
            "preprocess": preprocess,
            "labels": labels,
            "output": output,
            "device": device,
            "background": background,
            "feature_names": feature_names,
            "categories": categories,
        }
        model, options = inside(given := model, options)
        self._given = {name: value is not None for name, value in options.items()}
        super().__init__(shortcuts=shortcuts)
        beside_cells(self.comm)
        self._worker: Worker[Answer] = Worker(weakly(self._told))
        self.checks, self.edits, self.concepts = Checks(self), Edits(self), Concepts(self)
        self.alternatives, self.interventions = Alternatives(self), Interventions(self)
        self._panels: dict[str, Panel[Any]] = {
            "checks": self.checks,
            "edits": self.edits,
            "concepts": self.concepts,
            "alternatives": self.alternatives,
            "interventions": self.interventions,
        }
        handlers = Answers(self).handlers()
        for panel in self._panels.values():
            handlers |= panel.handlers()
        self._desk = Desk(self._post, handlers)
        self.on_msg(self._received)
        self._unhook = after_each_cell(weakly(self._check_weights))
        self.observe(self._take_method, "method")
        self.observe(self._tell_prediction, "target")
        self.observe(self._changed, list(COMPUTED))
        try:
            self._adapter = ModelAdapter(model, **options)
            self._function = target if callable(target) else None
            self.interventions.bottleneck = bottleneck_of(given, self._adapter)
            self._take(image)
            with self._mute():
                self._start_with(method, target, layer)
            self.concepts.renew()
            self.interventions.renew()
            self._request("final")
        except Exception as error:
            self._fail(error)

    # What a user calls

    @property
    def image(self) -> Image.Image | None:
        """The picture as the model gets it. Setting it explains another picture."""
        pictures = [] if self._study is None else self._study.setting.inputs.pictures
        return pictures[0] if pictures else None

    @image.setter
    def image(self, image: Any) -> None:
        self._take(image)
        with self._lock:
            # Maps of the last picture would lie on this one.
            self.comparison, self._comparison = None, None
            self._past.clear()
            for panel in self._panels.values():
                panel.renew()
            self._publish_history()
        self._asked = None
        self._request("final")

    @property
    def row(self) -> dict[str, Any] | None:
        """The row of a table as raw values by name. Setting it explains another row."""
        return None if self._study is None else self._study.row

    @row.setter
    def row(self, row: Any) -> None:
        self.image = row

    def wait(self, timeout: float | None = None) -> Attribution | None:
        """Waits until nothing is computed any more; returns the result, raises what failed.

        Ctrl-C stops the computation and keeps the partial result. After `timeout` seconds it
        returns what there is.
        """
        self._worker.wait(timeout, self.stop)
        if self._failed is not None:
            raise self._failed
        return self.result

    def code(self) -> str:
        """Code that computes the shown result without the widget, bit for bit on this machine."""
        return self.edits.origin + super().code()

    def compare(self, methods: Sequence[str] = (), targets: Sequence[int] = ()) -> None:
        """Puts several methods side by side, or the current method for several classes (indices).

        The Compare tab shows them; `comparison` holds them once they are computed.
        """
        kind: Literal["methods", "targets"] = "targets" if targets else "methods"
        if self._study is None or not (methods or targets):
            return
        specs: list[protocol.Spec] = [self._spec_of(method.name) for method in listed(methods)]
        if targets:
            specs = [{**self._spec(), "target": target} for target in targets]
        self._compared = kind, specs
        self._asked = None
        self._jobs += 1
        self._worker.submit(Job(self._jobs, "final", partial(self._comparisons, specs)))

    def run(self) -> None:
        """Computes the current setting again."""
        self._asked = None
        self._request("final")

    def stop(self) -> None:
        """Stops at the next chunk and keeps the partial result."""
        job = self._worker.stop()
        if job is not None:
            self._say(job)

    def resume(self) -> None:
        """Goes on with a computation that was stopped."""
        self._worker.resume()

    def close(self) -> None:
        """Stops computing, lets go of the model and all results, and removes the widget."""
        if not hasattr(self, "_unhook"):
            return  # the constructor refused its arguments
        self._closed = True
        self._worker.close()
        for panel in self._panels.values():
            panel.close()
        self._desk.close()
        self._unhook()
        self._past = History()
        self.result = None
        super().close()

    def __repr__(self) -> str:
        # The default would print every trait, pictures included.
        return f"<Explorer {self.method} of {self.target!r}, {self.status}>"

    # Opening

    def _take(self, given: Any) -> None:
        study = Study(self._adapter, given, self._function)
        with self._lock:
            self._study = study
            self._labels, self._classes = study.labels, study.classes
            self._image, self._table = study.seen()
            self._tell_prediction()
            self._notices = [*self._adapter.notices, *study.setting.inputs.notices]
            self._catalog = dict(study.catalog(self._precision))
            self._error = None

    def _tell_prediction(self, change: Any = None) -> None:
        """With the explained classes, whose bars are followed however improbable they are."""
        study = self._study
        if study is None:
            return
        with self._lock:
            # Before the first target that of the study holds.
            started = self.target is not None
            asked = study.targeted(self._spec(), self._function) if started else study.setting
            self._prediction = dict(wire.prediction(asked.prediction, asked.target.classes))

    def _start_with(self, method: Any, target: TargetLike, layer: str | None) -> None:
        assert self._study is not None
        if self._study.row is not None:
            self.baseline = self._study.absence
            method = self._study.first_method if method is None else method
        if method is not None:
            chosen = make(method)
            self.method = chosen.name
            self.params = params_of(chosen)
            layer = chosen.bound if layer is None else layer
            baseline = getattr(chosen, "baseline", None)
            if isinstance(baseline, Baseline) and "baseline" in chosen.model_fields_set:
                self.baseline = baseline
            self.regions = getattr(chosen, "regions", None)
        self.target = target if target is not None else self._study.setting.target.index[0]
        if layer is not None:
            self.layer = layer

    def _prepare(self, study: Study) -> None:
        """On the worker: layers, tiles, and a default method that this model can run."""
        study.find_layers()
        with self._lock, self._mute():
            self._catalog = dict(study.catalog(self._precision))
            self._publish_baselines()
            if self.layer is None and study.suggested is not None:
                self.layer = study.suggested
            if not self._chosen and study.suggested is None and self.method == "grad_cam":
                self.method = "integrated_gradients"
                self.params = checked_params(self.method, {})
            self._seen_version = self._adapter.version

    # From traits to jobs

    def _take_method(self, change: Any) -> None:
        if getattr(self._muted, "on", False):
            return
        self._remembered[change.old] = self.params
        fields = REGISTRY[change.new].model_fields.keys() - OWN
        if set(self.params) != fields:
            with self._mute():
                self.params = self._remembered.get(change.new) or checked_params(change.new, {})

    def _changed(self, change: Any) -> None:
        if not getattr(self._muted, "on", False):
            self._request("final")

    def _spec(self) -> protocol.Spec:
        return self._spec_of(self.method)

    def _spec_of(self, method: str) -> protocol.Spec:
        """The present setting, for a method with its present, last or default parameters."""
        cls = REGISTRY[method]
        present = self.params if method == self.method else self._remembered.get(method)
        return {
            "method": method,
            "params": checked_params(method, {}) if present is None else present,
            "baseline": self.baseline if cls.needs_baseline() else {},
            "regions": self.regions if "regions" in cls.model_fields else {},
            "target": self.target,
            "layer": self.layer if cls.needs_layer else None,
        }

    def _request(
        self, phase: protocol.Phase, spec: protocol.Spec | None = None, answer: Any = None
    ) -> None:
        if self._study is None:
            return
        with self._lock:
            spec = spec or self._spec()
            if phase == "final":
                if spec == self._asked:
                    return
                self._asked = spec
            self._jobs += 1
            job: Job[Answer] = Job(self._jobs, phase, partial(self._attributions, spec, phase))
            if answer is not None:
                self._drafts[job] = answer
            self._specs[job] = spec
        self._worker.submit(job)

    def _attributions(
        self, spec: protocol.Spec, phase: protocol.Phase, cancelled: Callable[[], bool]
    ) -> Iterator[Attribution]:
        """On the worker: the job behind a spec."""
        study = self._study
        assert study is not None
        if study.layers is None:
            self._prepare(study)
            if phase == "final":
                # Preparing may have filled in the layer and the default method.
                spec.update(self._spec())
        method = method_of(spec, self._held())
        if phase == "draft":
            method = method.draft()
        yield from study.attributions(spec, method, self._function, self._passes(cancelled))

    def _comparisons(
        self, specs: list[protocol.Spec], cancelled: Callable[[], bool]
    ) -> Iterator[Comparison]:
        """On the worker: one result after the other."""
        study = self._study
        assert study is not None
        if study.layers is None:
            self._prepare(study)
        yield from study.comparing(
            specs, self._held(), self._function, lambda: self._passes(cancelled)
        )

    def _passes(self, cancelled: Callable[[], bool]) -> Passes:
        return Passes(
            self._adapter, precision=self._precision, interactive=True, cancelled=cancelled
        )

    # The page

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Changes that come from the page; what is not allowed becomes a card."""
        with self._lock:
            try:
                super().set_state(sync_data)
            except Exception as error:
                self._error = dict(failure(InputError(str(error))))
                # The page shows what it asked for; it must learn what holds.
                self.send_state([name for name in sync_data if self.has_trait(name)])

    def _received(self, widget: Any, content: Any, buffers: list[Any]) -> None:
        if not isinstance(content, dict):
            return
        if content.get("kind") == "ack":
            self._frames.acknowledge()
        elif content.get("kind") == "stop":
            # At once, without waiting behind a figure that is being drawn.
            self._panels.get(str(content.get("panel")), self).stop()
            self._desk.answer(content.get("id"))
        else:
            self._desk.take(content, buffers)
