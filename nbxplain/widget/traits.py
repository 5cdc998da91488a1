"""The Explorer's traits, and what may be put into them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import anywidget
import traitlets as t
from torch import Tensor

from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import ExplanationError, MethodError, near
from nbxplain.core.regions import Regions
from nbxplain.core.target import Contrast, class_index
from nbxplain.methods.base import REGISTRY, Method, make
from nbxplain.results import Attribution
from nbxplain.widget import html, protocol
from nbxplain.widget.held import OWN, Held, plain_baseline, plain_regions

COLORMAPS = (
    "auto",
    "RdBu_r",
    "PiYG",
    "PuOr_r",
    "coolwarm",
    "seismic",
    "inferno",
    "viridis",
    "magma",
    "cividis",
    "Greys",
)

IDLE: protocol.Job = {
    "id": 0,
    "state": "idle",
    "phase": "final",
    "note": "",
    "done": 0,
    "total": 0,
    "seconds": 0.0,
    "eta": None,
    "resumable": False,
}


class Traits(anywidget.AnyWidget):
    """Public traits are two-way; underscored ones flow to the page, or are for it alone."""

    # As text: for a path, anywidget would watch the file and keep every Explorer alive for that.
    _esm = html.bundle().read_text(encoding="utf-8")

    method = t.Unicode("grad_cam", help="Name of a method, see nbxplain.methods().").tag(sync=True)
    target = t.Any(None, help="Class index, label, Contrast, or callable; None: predicted.").tag(
        sync=True
    )
    layer = t.Unicode(None, allow_none=True, help="Layer for methods that need one.").tag(sync=True)
    params = t.Dict(help="Parameters of the method, without its baseline.").tag(sync=True)
    baseline = t.Any(help='A Baseline, or its kind: "black", "blur", ...').tag(sync=True)
    # Not Any, which would take None without asking the validator.
    regions: t.TraitType[Any, Any] = t.TraitType(
        help='Regions, "grid", a label map; None: as many superpixels as the method has segments.'
    ).tag(sync=True)
    opacity = t.Float(0.55, min=0, max=1, help="Of the map over the picture.").tag(sync=True)
    colormap = t.Enum(COLORMAPS, "auto", help="auto: RdBu_r if signed, else inferno.").tag(
        sync=True
    )
    clip = t.Float(99.5, min=50, max=100, help="Percentile at which colours end.").tag(sync=True)
    sign = t.Enum(get_args(protocol.Sign), "both", help="What of the map is drawn.").tag(sync=True)
    threshold = t.Float(0, min=0, max=100, help="Percentile below which nothing is drawn.").tag(
        sync=True
    )
    view = t.Enum(get_args(protocol.View), "overlay", help="How map and picture lie.").tag(
        sync=True
    )
    native = t.Bool(False, help="Show cells as computed instead of smoothed.").tag(sync=True)
    shortcuts = t.Bool(True, help="Single-letter keys inside the widget.").tag(sync=True)
    result: t.TraitType[Attribution | None, Attribution | None] = t.Any(
        None, help="The Attribution that is shown; None before the first."
    )
    status = t.Unicode("idle", help="idle, queued, running, cancelling, done, cancelled, error.")

    _protocol = t.Int(protocol.VERSION).tag(sync=True)
    _catalog = t.Dict().tag(sync=True)
    _image = t.Instance(dict, allow_none=True).tag(sync=True)
    _baselines: t.List[Any] = t.List().tag(sync=True)
    _prediction = t.Instance(dict, allow_none=True).tag(sync=True)
    _result = t.Instance(dict, allow_none=True).tag(sync=True)
    _history: t.List[Any] = t.List().tag(sync=True)
    _comparison = t.Instance(dict, allow_none=True).tag(sync=True)
    _comparison_stale = t.Bool(False).tag(sync=True)
    _job = t.Dict(dict(IDLE)).tag(sync=True)
    _error = t.Instance(dict, allow_none=True).tag(sync=True)
    _notices: t.List[str] = t.List().tag(sync=True)
    _stale = t.Bool(False).tag(sync=True)
    _table = t.Instance(dict, allow_none=True).tag(sync=True)
    _alone = t.Enum(get_args(protocol.Alone), "").tag(sync=True)
    _summary = t.Instance(dict, allow_none=True).tag(sync=True)
    _checks = t.Instance(dict, allow_none=True).tag(sync=True)
    _concepts = t.Instance(dict, allow_none=True).tag(sync=True)
    _bottleneck = t.Instance(dict, allow_none=True).tag(sync=True)
    _edits = t.Instance(dict, allow_none=True).tag(sync=True)
    _alternatives = t.Instance(dict, allow_none=True).tag(sync=True)

    _labels: list[str]
    _classes: int = 0
    _function: Callable[[Tensor], Tensor] | None = None
    _full_baseline: Baseline = Baseline()
    _full_regions: Regions | None = None

    @t.default("params")
    def _default_params(self) -> dict[str, Any]:
        return checked_params("grad_cam", {})

    @t.default("baseline")
    def _default_baseline(self) -> dict[str, Any]:
        return plain_baseline(Baseline())

    @t.default("regions")
    def _default_regions(self) -> dict[str, Any]:
        return {}

    @t.validate("method")
    def _valid_method(self, proposal: t.Bunch) -> str:
        if proposal.value not in REGISTRY:
            hint = near(proposal.value, REGISTRY) or "See nbxplain.methods()."
            raise t.TraitError(f"There is no method {proposal.value!r}. {hint}")
        return str(proposal.value)

    @t.validate("params")
    def _valid_params(self, proposal: t.Bunch) -> dict[str, Any]:
        try:
            return checked_params(self.method, proposal.value)
        except ExplanationError as error:
            raise t.TraitError(str(error)) from error

    @t.validate("baseline")
    def _valid_baseline(self, proposal: t.Bunch) -> dict[str, Any]:
        value = proposal.value
        try:
            named = isinstance(value, dict)
            self._full_baseline = (
                self._held().reference(value) if named else Baseline.model_validate(value)
            )
        except ValueError as error:
            raise t.TraitError(f"{value!r} is no baseline: {error}") from error
        return plain_baseline(self._full_baseline)

    @t.validate("regions")
    def _valid_regions(self, proposal: t.Bunch) -> dict[str, Any]:
        value = proposal.value
        try:
            if isinstance(value, dict):
                self._full_regions = self._held().division(value)
            else:
                self._full_regions = None if value is None else Regions.model_validate(value)
        except ValueError as error:
            raise t.TraitError(f"{value!r} are no regions: {error}") from error
        return plain_regions(self._full_regions)

    def _held(self) -> Held:
        return Held(self._full_baseline, self._full_regions)

    @t.validate("target")
    def _valid_target(self, proposal: t.Bunch) -> int | dict[str, int] | str | None:
        value = proposal.value
        if callable(value):
            self._function = value
            return f"callable {getattr(value, '__name__', type(value).__name__)}"
        if value is None or (isinstance(value, str) and value == self.target):
            return value
        if not self._classes:
            return value if isinstance(value, int | str) else None
        try:
            if isinstance(value, dict):
                value = Contrast(value["index"], value["against"])
            if isinstance(value, Contrast):
                return {"index": self._index(value.label), "against": self._index(value.against)}
            return self._index(value)
        except (ExplanationError, KeyError) as error:
            raise t.TraitError(str(error)) from error

    def _index(self, label: Any) -> int:
        return class_index(label, self._classes, self._labels)


def checked_params(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """All parameters of a method but those of OWN, the given ones checked. Raises MethodError."""
    for name in OWN & params.keys():
        if params[name] is not None:
            raise MethodError(f"{name} is no entry of params.", f"Set the trait: {name}=...")
    return params_of(make(method, **params))


def params_of(method: Method) -> dict[str, Any]:
    """The parameters of a method but those of OWN, as JSON."""
    return method.model_dump(mode="json", exclude=OWN)
