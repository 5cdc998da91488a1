"""A widget that shows one panel and computes nothing: the same page, without a worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbxplain.core.errors import InputError
from nbxplain.figure import Drawing, encode
from nbxplain.widget import html, protocol
from nbxplain.widget.cells import beside_cells
from nbxplain.widget.desk import failure
from nbxplain.widget.traits import IDLE, Traits


class Alone(Traits):
    """One panel, named by `_alone`; `drawing` is the figure that stands for it elsewhere."""

    def __init__(
        self, drawing: Drawing, provenance: dict[str, Any], caption: str, **traits: Any
    ) -> None:
        self._drawing, self._provenance, self._caption = drawing, provenance, caption
        super().__init__(**traits)
        beside_cells(self.comm)
        self.on_msg(self._received)

    def save(self, path: str | Path) -> Path:
        """Writes .html, a page that opens without a kernel, or the figure (.png, .svg, .pdf)."""
        path = Path(path)
        format = path.suffix.lstrip(".").lower()
        if format == "html":
            state = {name: getattr(self, name) for name in protocol.Traits.__annotations__}
            path.write_bytes(html.page({**state, "_job": IDLE}, f"{self._caption} · nbxplain"))
        else:
            path.write_bytes(encode(self._drawing, format, self._provenance))
        return path

    def _received(self, widget: Any, content: Any, buffers: list[Any]) -> None:
        """Greetings are returned; whatever would have to compute is refused."""
        if not isinstance(content, dict) or "id" not in content:
            return
        answer: dict[str, Any] = {"id": content["id"], "kind": "answer", "ok": True, "error": None}
        if content.get("kind") == "hello":
            answer["protocol"] = protocol.VERSION
        else:
            refusal = InputError(
                "This panel stands alone: nothing is computed here.", "Use Explorer."
            )
            answer |= {"ok": False, "error": failure(refusal)}
        self.send(answer)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The live widget, and beside it a picture for hosts where it cannot run."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is None:
            return bundle
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        png = self._drawing._repr_png_()
        return {**data, "image/png": png, "text/html": html.fallback(png, self._caption)}, metadata

    def __repr__(self) -> str:
        # The default would print every trait, pictures included.
        return f"<{type(self).__name__} of {self._caption}>"
