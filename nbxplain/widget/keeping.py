"""What is taken away from an Explorer: figures, files, code, and a picture for dead notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from nbxplain.core.errors import ExplanationError
from nbxplain.report import Report
from nbxplain.results import Attribution
from nbxplain.widget import html, protocol, wire
from nbxplain.widget.code import code
from nbxplain.widget.telling import Telling
from nbxplain.widget.traits import IDLE

ALTERNATIVES = 5
"""Explanations of the history that a report shows."""
LOOK = ("opacity", "colormap", "clip", "sign", "threshold", "native")
"""Traits that say how figures look."""


class Keeping(Telling):
    """Traits whose state can be written down."""

    _given: dict[str, bool]
    _pictured: tuple[Attribution, bytes] | None = None

    def figure(self, **options: Any) -> Figure:
        """The result as a matplotlib figure, looking as the widget does; see nbxplain.figure."""
        return self._current().figure(**{**self._looks(), **options})

    def save(self, path: str | Path, **options: Any) -> Path:
        """Writes .png, .svg, .pdf, .npz, .json, or .html: a page that opens without a kernel."""
        path = Path(path)
        format = path.suffix.lstrip(".").lower()
        path.write_bytes(self._encode(format, **options))
        return path

    def report(self, path: str | Path, *, context: Mapping[str, str] | None = None) -> Path:
        """Writes .html or .pdf for a file: what was asked, the explanation beside those of the
        history, how it was checked, its limits, its provenance; see nbxplain.Report."""
        return self._report(context).save(path)

    def _report(self, context: Mapping[str, str] | None = None) -> Report:
        shown = self._current()
        pinned_first = sorted(self._past.items, key=lambda item: not item["pinned"])
        attributions = self._past.attributions
        kept = [attributions[item["id"]] for item in pinned_first if "result" in item]
        others = [other for other in kept if other is not shown][:ALTERNATIVES]
        checks = [check for check in shown.checks.values() if check.complete]
        return Report(shown, checks, others, context or {}, self.code())

    def code(self) -> str:
        """Code that computes the shown result without the widget, bit for bit on this machine."""
        shown = self._current()
        assert self._study is not None
        assert self._result is not None
        target = self._study.targeted(self._result["spec"], self._function).target
        return code(shown, target, self._given)

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
            if self.result is not None and self.result.attention is not None:
                state["_result"] = wire.with_heads(state["_result"], self.result.attention)
            return html.page(state, f"{self._adapter.name} · nbxplain")
        if format.startswith("report."):
            return self._report().encode(format.removeprefix("report."))
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
            return html.unexplained(setting.inputs), said
        if self._pictured is None or self._pictured[0] is not shown:
            png = html.still(shown, self.opacity, self.clip, self.colormap)
            self._pictured = shown, png
        return self._pictured[1], shown.summary().replace("\n", " · ")
