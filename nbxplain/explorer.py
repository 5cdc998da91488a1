"""Explorer: the widget's Python face. Traits in, jobs out, no mathematics.

Facts are traits, events are messages (widget/protocol.py). Every trait write from the worker and
every change from the page happens under one lock, because ipywidgets' own bookkeeping is not
thread-safe. Message handlers only enqueue: computing happens on the worker, files and code are
written at the desk, a second thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4
from weakref import WeakKeyDictionary

import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor, nn
from traitlets import TraitError

from nbxplain.compare import Comparison
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import ExplanationError, InputError
from nbxplain.core.jobs import Job, Worker
from nbxplain.core.passes import Passes, Precision
from nbxplain.core.target import TargetLike
from nbxplain.methods.base import REGISTRY, Method, make
from nbxplain.results import Attribution
from nbxplain.widget import html, protocol, wire
from nbxplain.widget.answers import Answers
from nbxplain.widget.cells import after_each_cell, beside_cells, weakly
from nbxplain.widget.code import code
from nbxplain.widget.desk import Desk, failure
from nbxplain.widget.frames import Frames
from nbxplain.widget.history import History
from nbxplain.widget.study import Study, method_of
from nbxplain.widget.traits import IDLE, Traits, checked_params, params_of

COMPUTED = ("method", "target", "layer", "params", "baseline")
"""Traits whose change asks for a new result; the others only change how it looks."""
Answer = Attribution | Comparison
"""What a job works towards."""
LOOK = ("opacity", "colormap", "clip", "sign", "threshold", "native")


class Explorer(Traits):
    """An interactive explanation of one picture.

    `Explorer(model, image)` shows itself in a notebook. Its traits can be set, observed and linked:
    method, target, layer, params, baseline (what is computed), opacity, colormap, clip, sign,
    threshold, view, native (how it looks), and for reading result and status. The arguments
    are those of `explain`; what cannot be explained is shown as a card, never raised here.
    """

    def __init__(
        self,
        model: nn.Module,
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
    ) -> None:
        self._lock = threading.RLock()
        self._muted = threading.local()
        self._study: Study | None = None
        self._labels = []
        self._past = History()
        self._asked: protocol.Spec | None = None
        self._specs: WeakKeyDictionary[Job[Answer], protocol.Spec] = WeakKeyDictionary()
        self._drafts: WeakKeyDictionary[Job[Answer], Any] = WeakKeyDictionary()
        self._failed: Exception | None = None
        self._seen_version: tuple[object, ...] | None = None
        self._remembered: dict[str, dict[str, Any]] = {}
        self._frames = Frames(self._post)
        self._jobs = 0
        self._closed = False
        self._compared: tuple[Literal["methods", "targets"], list[protocol.Spec]] = "methods", []
        self.comparison: Comparison | None = None
        self._chosen = method is not None
        self._precision: Precision = precision
        self._given = {
            "preprocess": preprocess is not None,
            "labels": labels is not None,
            "output": output is not None,
            "device": device is not None,
        }
        super().__init__(shortcuts=shortcuts)
        beside_cells(self.comm)
        self._worker: Worker[Answer] = Worker(weakly(self._told))
        self._answers = Answers(self)
        self._desk = Desk(self._post, self._answers.handlers())
        self.on_msg(self._received)
        self._unhook = after_each_cell(weakly(self._check_weights))
        self.observe(self._take_method, "method")
        self.observe(self._changed, list(COMPUTED))
        try:
            self._adapter = ModelAdapter(model, preprocess, labels, output, device)
            self._function = target if callable(target) else None
            self._take_picture(image)
            with self._mute():
                self._start_with(method, target, layer)
            self._request("final")
        except Exception as error:
            self._fail(error)

    # What a user calls

    @property
    def image(self) -> Image.Image | None:
        """The picture as the model gets it. Setting it explains another picture."""
        return None if self._study is None else self._study.setting.inputs.pictures[0]

    @image.setter
    def image(self, image: Any) -> None:
        self._take_picture(image)
        self._asked = None
        self._request("final")

    def wait(self, timeout: float | None = None) -> Attribution | None:
        """Waits until nothing is computed any more; returns the result, raises what failed.

        Ctrl-C stops the computation and keeps the partial result. After `timeout` seconds it
        returns what there is.
        """
        try:
            self._worker.wait(timeout)
        except KeyboardInterrupt:
            self.stop()
            raise
        if self._failed is not None:
            raise self._failed
        return self.result

    def compare(self, methods: Sequence[str] = (), targets: Sequence[int] = ()) -> None:
        """Puts several methods side by side, or the current method for several classes (indices).

        The Compare tab shows them; `comparison` holds them once they are computed.
        """
        kind: Literal["methods", "targets"] = "targets" if targets else "methods"
        if self._study is None or not (methods or targets):
            return
        specs: list[protocol.Spec] = [self._spec_of(method) for method in methods]
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

    def figure(self, **options: Any) -> Figure:
        """The result as a matplotlib figure, looking as the widget does; see nbxplain.figure."""
        return self._current().figure(**{**self._looks(), **options})

    def save(self, path: str | Path, **options: Any) -> Path:
        """Writes .png, .svg, .pdf, .npz, .json, or .html: a page that opens without a kernel."""
        path = Path(path)
        format = path.suffix.lstrip(".").lower()
        path.write_bytes(self._encode(format, **options))
        return path

    def code(self) -> str:
        """Code that computes the shown result without the widget, bit for bit on this machine."""
        shown = self._current()
        assert self._study is not None
        assert self._result is not None
        target = self._study.targeted(self._result["spec"], self._function).target
        return code(shown, target, self._given)

    def close(self) -> None:
        """Stops computing, lets go of the model and all results, and removes the widget."""
        if not hasattr(self, "_unhook"):
            return  # the constructor refused its arguments
        self._closed = True
        self._worker.close()
        self._desk.close()
        self._unhook()
        self._past = History()
        self.result = None
        super().close()

    def __repr__(self) -> str:
        # The default would print every trait, pictures included.
        return f"<Explorer {self.method} of {self.target!r}, {self.status}>"

    # Opening

    def _take_picture(self, image: Any) -> None:
        study = Study(self._adapter, image, self._function)
        with self._lock:
            self._study = study
            self._labels, self._classes = study.labels, study.classes
            self._image = dict(wire.exact_picture(study.setting.inputs.pictures[0]))
            self._prediction = dict(wire.prediction(study.setting.prediction))
            self._notices = [*self._adapter.notices, *study.setting.inputs.notices]
            self._catalog = dict(study.catalog(self._precision))
            self._error = None

    def _start_with(self, method: Any, target: TargetLike, layer: str | None) -> None:
        assert self._study is not None
        if method is not None:
            chosen = make(method)
            self.method = chosen.name
            self.params = params_of(chosen)
            baseline = getattr(chosen, "baseline", None)
            if isinstance(baseline, Baseline):
                self.baseline = baseline
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

    @contextmanager
    def _mute(self) -> Iterator[None]:
        """Trait changes of this thread ask for nothing."""
        before = getattr(self._muted, "on", False)
        self._muted.on = True
        try:
            yield
        finally:
            self._muted.on = before

    def _take_method(self, change: Any) -> None:
        if getattr(self._muted, "on", False):
            return
        self._remembered[change.old] = self.params
        fields = {name for name in REGISTRY[change.new].model_fields if name != "baseline"}
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
        method = method_of(spec, self._full_baseline)
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
            specs, self._full_baseline, self._function, lambda: self._passes(cancelled)
        )

    def _passes(self, cancelled: Callable[[], bool]) -> Passes:
        return Passes(
            self._adapter, precision=self._precision, interactive=True, cancelled=cancelled
        )

    # From jobs to traits, on the worker

    def _told(self, job: Job[Answer]) -> None:
        with self._lock:
            if self._closed:
                return
            ended = job.state in ("done", "cancelled", "error")
            if job.state != "done" and ended and self._asked is self._specs.get(job):
                self._asked = None
            if not job.dropped:
                self._tell(job, ended)
            if ended and job in self._drafts:
                # After its frame: an answer says that nothing more will come.
                self._desk.answer(self._drafts.pop(job), job.error)

    def _tell(self, job: Job[Answer], ended: bool) -> None:
        self._say(job)
        if job.state == "error" and job.error is not None:
            self._fail(job.error)
        elif isinstance(job.latest, Comparison):
            if ended:
                self._show_comparison(job.latest)
        elif job.latest is not None and job.phase == "final" and ended:
            self._show(job, job.latest)
        elif job.latest is not None:
            self._show_partly(job, job.latest, ended)

    def _say(self, job: Job[Answer]) -> None:
        latest = job.latest
        with self._lock:
            self._job = {
                "id": job.id,
                "state": job.state,
                "phase": job.phase,
                "note": "",
                "done": latest.done if latest else 0,
                "total": latest.total if latest else 0,
                "seconds": round(job.seconds, 3),
                "eta": job.eta,
                "resumable": job.state == "cancelled" and self._worker.resumable,
            }
            if job.phase == "final":
                self.status = job.state

    def _show(self, job: Job[Answer], attribution: Attribution) -> None:
        if job.superseded:
            return
        spec = self._specs[job]
        drawn = wire.result(attribution, uuid4().hex[:12], "final", spec)
        self._failed, self._error, self._stale = None, None, False
        self._seen_version = self._adapter.version
        self._notices = list(attribution.notices)
        self._result = dict(drawn)
        self.result = attribution
        if attribution.complete:
            self._past.add(drawn, attribution)
            self._publish_history()

    def _fail(self, error: Exception) -> None:
        if isinstance(error, TraitError) and isinstance(error.__cause__, ExplanationError):
            error = error.__cause__
        with self._lock:
            self._failed = error
            self._error = dict(failure(error))
            self.status = "error"
            if self._job["state"] not in ("error", "idle"):
                self._job = {**IDLE, "state": "error"}

    def _show_comparison(self, compared: Comparison) -> None:
        kind, specs = self._compared
        results = [
            wire.result(a, uuid4().hex[:12], "final", specs[number])
            for a, number in zip(compared.attributions, compared.answered, strict=True)
        ]
        failures = [failure(error) for error in compared.failures.values()]
        for label, card in zip(compared.failures, failures, strict=True):
            card["title"] = f"{label}: {card['title']}"
        self.comparison = compared
        self._comparison = dict(wire.comparison(kind, compared, results, failures))

    def _show_partly(self, job: Job[Answer], attribution: Attribution, last: bool) -> None:
        if self._answers.greeted:
            spec, id = self._specs[job], f"frame-{job.id}"
            self._frames.offer(lambda: wire.result(attribution, id, job.phase, spec), last)

    def _restore(self, id: str) -> None:
        """Shows an earlier result again, with the controls that led to it; computes nothing."""
        drawn, attribution = self._past.results.get(id), self._past.attributions.get(id)
        if drawn is None or attribution is None:
            raise InputError("This result is no longer kept.", "Run it again.")
        spec = drawn["spec"]
        with self._lock, self._mute(), self.hold_trait_notifications():
            held = getattr(attribution.method, "baseline", None)
            if isinstance(held, Baseline):
                self._full_baseline = held
                self.baseline = spec["baseline"]
            self.method, self.params, self.target = spec["method"], spec["params"], spec["target"]
            self.layer = spec["layer"] or self.layer
            self._asked = spec
            self._result, self.result = dict(drawn), attribution

    def _publish_history(self) -> None:
        with self._lock:
            self._history = [dict(item) for item in self._past.items]

    def _publish_baselines(self) -> None:
        assert self._study is not None
        tiles = self._study.baselines(self._full_baseline)
        with self._lock:
            self._baselines = [dict(tile) for tile in tiles]

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

    def _post(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        with self._lock:
            if self.comm is not None:
                self.send(message, buffers)

    def _received(self, widget: Any, content: Any, buffers: list[Any]) -> None:
        if not isinstance(content, dict):
            return
        if content.get("kind") == "ack":
            self._frames.acknowledge()
        elif content.get("kind") == "stop":
            # At once, without waiting behind a figure that is being drawn.
            self.stop()
            self._desk.answer(content.get("id"))
        else:
            self._desk.take(content, buffers)

    def _check_weights(self) -> None:
        """After each cell: were the weights changed since the result was computed?"""
        if self._seen_version is None:
            return
        stale = self._adapter.version != self._seen_version
        if stale != self._stale:
            with self._lock:
                self._stale = stale

    def _current(self) -> Attribution:
        if self.result is None:
            raise ExplanationError(
                "There is no result yet.", "Call explorer.wait(), or see the card in the widget."
            ) from self._failed
        return self.result

    def _looks(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in LOOK}

    def _encode(self, format: str, **options: Any) -> bytes:
        if format == "html":
            names = protocol.Traits.__annotations__
            state = {name: getattr(self, name) for name in names} | {"_job": IDLE}
            return html.page(state, f"{type(self._adapter.model).__name__} · nbxplain")
        if format in ("png", "svg", "pdf"):
            options = {**self._looks(), **options}
        return self._current().encode(format, **options)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The live widget, and beside it a picture for hosts where it cannot run."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is None or self._study is None:
            return bundle
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        png, caption = self._still()
        return {**data, "image/png": png, "text/html": html.fallback(png, caption)}, metadata

    def _still(self) -> tuple[bytes, str]:
        assert self._study is not None
        setting, shown = self._study.setting, self.result
        if shown is None:
            best = setting.prediction.top(1)
            said = f"The model says {best[0].label}." if best else "Not yet explained."
            return html.encoded(setting.inputs.pictures[0]), said
        if self._pictured is None or self._pictured[0] is not shown:
            png = html.still(shown, self.opacity, self.clip, self.colormap)
            self._pictured = shown, png
        return self._pictured[1], shown.summary().replace("\n", " · ")

    _pictured: tuple[Attribution, bytes] | None = None
