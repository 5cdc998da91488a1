"""What the page may ask for, and what it gets. Runs at the desk, never on the comm's thread."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import InputError
from nbxplain.core.inputs import open_picture
from nbxplain.core.regions import Regions
from nbxplain.methods.base import Attention
from nbxplain.widget import ablation, protocol, runs, wire
from nbxplain.widget.desk import Handler, Reply

if TYPE_CHECKING:
    from nbxplain.explorer import Explorer

LARGEST_FILE = 10_000_000

MOST_COMPARED = 6

LONGEST_NAME = 60

MIME = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "html": "text/html",
    "npz": "application/octet-stream",
    "report.html": "text/html",
    "report.pdf": "application/pdf",
}


class Answers:
    """One handler per kind of request, for one Explorer."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer

    def handlers(self) -> dict[str, Handler]:
        """The handlers by kind; `stop` and `ack` do not come here, they cannot wait."""
        return {
            "hello": self._hello,
            "draft": self._draft,
            "run": self._run,
            "resume": self._resume,
            "path": self._path,
            "heads": self._heads,
            "attention": self._attention,
            "compare": self._compare,
            "ablate": self._ablate,
            "edit": self._edit,
            "code": self._code,
            "export": self._export,
            "history": self._history,
            "baseline_image": self._baseline_image,
            "regions": self._regions,
            "painted_regions": self._painted_regions,
        }

    def _hello(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        self._explorer._greeted = True
        self._explorer._check_weights()
        return {"protocol": protocol.VERSION}, []

    def _draft(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        # Answered by the Explorer when the draft has ended.
        self._explorer._request("draft", content["spec"], content["id"])

    def _run(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        self._explorer.run()
        return {}, []

    def _resume(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        self._explorer.resume()
        return {}, []

    def _path(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        attribution = self._explorer._past.attributions.get(content["result"])
        maps = None if attribution is None else wire.path_maps(attribution)
        if maps is None:
            raise InputError("The path of this result is not kept.", "Run it again.")
        alpha, grid = maps
        return {"alpha": alpha, "maps": {**grid, "data": b""}}, [grid["data"]]

    def _heads(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        maps = wire.head_maps(self._attention_of(content))
        return {"maps": {**maps, "data": b""}}, [maps["data"]]

    def _attention(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        attention = self._attention_of(content)
        layer, head = int(content["layer"]), int(content["head"])
        layers, heads = attention.weights.shape[:2]
        if not (0 <= layer < layers and -1 <= head < heads):
            raise InputError(f"There is no layer {layer} with head {head}.", "Choose another.")
        maps = wire.patch_maps(attention, layer, head)
        return {"maps": {**maps, "data": b""}}, [maps["data"]]

    def _attention_of(self, content: dict[str, Any]) -> Attention:
        attribution = self._explorer._past.attributions.get(content["result"])
        if attribution is None or attribution.attention is None:
            raise InputError("The attention of this result is not kept.", "Run it again.")
        return attribution.attention

    def _compare(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        methods = [str(name) for name in content["methods"]][:MOST_COMPARED]
        self._explorer.compare(methods, [int(t) for t in content["targets"]][:MOST_COMPARED])
        return {}, []

    def _ablate(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        explorer, id = self._explorer, content["result"]
        past, shown = explorer._past, explorer._result
        drawn, attribution = past.results.get(id), past.attributions.get(id)
        if shown is not None and shown["id"] == id:
            # A partial result is no part of the history.
            drawn, attribution = cast(protocol.Result, shown), explorer.result
        if drawn is None or attribution is None or explorer._study is None:
            raise InputError("This result is no longer kept.", "Run it again.")
        setting = explorer._study.targeted(drawn["spec"], explorer._function)
        setting = replace(setting, inputs=attribution.inputs, prediction=attribution.prediction)
        players = [int(player) for player in content["players"]]
        found, data = ablation.ablated(setting, attribution, players, str(content["fill"]))
        return {"ablation": found}, data

    def _edit(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        explorer = self._explorer
        if explorer._study is None:
            raise InputError("There is no row.", "See the card in the widget.")
        setting = explorer._study.targeted(explorer._spec(), explorer._function)
        unit = getattr(explorer.result and explorer.result.method, "unit", "score")
        found, row = ablation.edited(setting, dict(content["values"]), unit)
        if content["apply"]:
            explorer.image = row
        return {"ablation": found}, []

    def _code(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        return {"code": self._explorer.code()}, []

    def _export(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        format = str(content["format"])
        if format not in MIME:
            raise InputError(f"Cannot write {format!r}.", f"Choose one of {', '.join(MIME)}.")
        options: dict[str, Any] = {}
        if format in ("png", "svg", "pdf"):
            options = {
                "width": content["width"],
                "dpi": min(max(int(content["dpi"]), 50), 600),
                "caption": bool(content["caption"]),
                "transparent": bool(content["transparent"]),
            }
        compared = self._explorer.comparison
        if content.get("comparison") and compared is not None and format in ("png", "svg", "pdf"):
            data = compared.encode(format, **{**self._explorer._looks(), **options})
        else:
            data = self._explorer._encode(format, **options)
        name = f"nbxplain-{self._explorer.method}.{format}"
        return {"filename": name, "mime": MIME[format]}, [data]

    def _history(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        explorer, item, action = self._explorer, str(content["item"]), content["action"]
        if action == "restore":
            explorer._restore(item)
        elif action == "forget":
            explorer._past.forget(item)
        elif action == "rename":
            explorer._past.change(item, name=str(content.get("name", ""))[:60])
        elif action in ("pin", "unpin"):
            explorer._past.change(item, pinned=action == "pin")
        else:
            raise InputError(f"The history cannot {action!r}.", "Reload the page.")
        explorer._publish_history()
        return {}, []

    def _baseline_image(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        self._explorer.baseline = Baseline.image(sent_picture(content, buffers))
        self._explorer._publish_baselines()
        return {}, []

    def _regions(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        study = self._explorer._study
        if study is None:
            raise InputError("There is no picture.", "See the card in the widget.")
        division = self._explorer._held().division(dict(content["regions"]))
        division = division or Regions.superpixels(int(content["segments"]))
        labels = runs.encode(study.labels_of(division))
        return {"labels": {**labels, "data": b""}, "names": list(division.names)}, [labels["data"]]

    def _painted_regions(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        image = self._explorer.image
        if image is None or not buffers:
            raise InputError("No regions came.", "Paint at least one.")
        names = content["names"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError("The names of the regions are no texts.", "Reload the page.")
        labels = runs.decode(buffers[0], (image.height, image.width))
        self._explorer.regions = painted(labels, [name[:LONGEST_NAME] for name in names])
        return {}, []


def painted(labels: NDArray[np.int64], names: list[str]) -> Regions:
    """Regions of labels (H, W), in which 0 is what was not painted. Raises InputError."""
    found = set(np.unique(labels).tolist())
    if found - set(range(len(names) + 1)) or not names:
        raise InputError(
            f"The regions painted have {max(found)} labels and {len(names)} names.",
            "Paint at least one region, and reload the page if this comes again.",
        )
    for label, name in enumerate(names, 1):
        if label not in found:
            raise InputError(f"The region {name!r} has no pixels.", "Remove it or paint it again.")
    return Regions.map(labels, ["rest", *names] if 0 in found else names)


def sent_picture(content: dict[str, Any], buffers: list[bytes]) -> Image.Image:
    """The picture file of a request. Raises InputError."""
    if not buffers or len(buffers[0]) > LARGEST_FILE:
        raise InputError("The file is larger than 10 MB or empty.", "Choose a smaller picture.")
    return open_bytes(buffers[0], str(content.get("name", "file")))


def open_bytes(data: bytes, name: str) -> Image.Image:
    """A picture from bytes, with the checks that a picture from a path gets."""
    return open_picture(Path(name), io.BytesIO(data))
