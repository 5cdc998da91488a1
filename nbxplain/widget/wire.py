"""Results in the form in which they cross to the browser."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nbxplain.compare import Comparison, finite
from nbxplain.contributions import additive, contributions
from nbxplain.core.inputs import Inputs
from nbxplain.core.jobs import Job
from nbxplain.evidence import Finding, findings
from nbxplain.methods.base import Attention
from nbxplain.results import Attribution, Choice
from nbxplain.results import Prediction as Said
from nbxplain.sentence import sentence
from nbxplain.widget import protocol, runs
from nbxplain.widget.protocol import Grid, Picture

Floats = NDArray[np.float64]

LARGEST_HEADS = 100_000
"""Bytes of all heads' maps in a saved page, which is to stay under 1 MB."""


def picture(image: Image.Image, longest: int | None = None, quality: int = 88) -> Picture:
    """A picture as JPEG bytes, made smaller to `longest` pixels if given."""
    if longest is not None and max(image.size) > longest:
        image = image.copy()
        image.thumbnail((longest, longest))
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality)
    return {
        "mime": "image/jpeg",
        "data": buffer.getvalue(),
        "width": image.width,
        "height": image.height,
    }


def exact_picture(image: Image.Image) -> Picture:
    """A picture as PNG bytes while that is small, since the readout quotes its pixels."""
    buffer = io.BytesIO()
    # A third of the time of the default for a twentieth more bytes: one waits for a painted one.
    image.convert("RGB").save(buffer, "PNG", compress_level=1)
    if buffer.tell() > 400_000:
        return picture(image, quality=92)
    return {
        "mime": "image/png",
        "data": buffer.getvalue(),
        "width": image.width,
        "height": image.height,
    }


def grid(values: Floats, bits: Literal[8, 16] = 16) -> Grid:
    """Maps (rows, columns) or (maps, rows, columns) as integers with a scale."""
    top = 2 ** (bits - 1) - 1
    scale = float(np.abs(values).max()) / top or 1.0
    kind = "<i2" if bits == 16 else "i1"
    integers = np.rint(values / scale).astype(kind)
    return {
        "shape": list(values.shape),
        "bits": bits,
        "scale": scale,
        "data": integers.tobytes(),
    }


def prediction(said: Said, explained: Sequence[int] = ()) -> protocol.Prediction:
    """The most probable classes of the first row, and those that are explained."""
    classes = int(said.scores.shape[1]) if said.scores.ndim == 2 else 0
    return {"top": [_choice(c) for c in said.top(also=explained)], "classes": classes}


def _choice(choice: Choice) -> protocol.Choice:
    return {
        "index": choice.index,
        "label": choice.label,
        "score": choice.score,
        "probability": choice.probability,
    }


def result(
    attribution: Attribution, id: str, phase: protocol.Phase, spec: protocol.Spec
) -> protocol.Result:
    """One explanation as drawn. What checks find out about it is added by the Check panel."""
    values = attribution.drawn().double().numpy()
    seconds = attribution.evidence["seconds"][0]
    return {
        "id": id,
        "phase": phase,
        "spec": spec,
        "title": attribution.method.label,
        "subtitle": _chips(spec),
        "target": attribution.target[0],
        "map": grid(values),
        "signed": attribution.signed,
        "done": attribution.done,
        "total": attribution.total,
        "error": attribution.error,
        "seconds": seconds,
        "complete": attribution.complete,
        "reason": attribution.reason,
        "evidence": [evidence(f) for f in findings(attribution.evidence)],
        "checks": [],
        "curve": _curve(attribution),
        "heads": _heads(attribution),
        "players": players(attribution),
        "description": sentence(attribution),
        "provenance": attribution.provenance,
    }


def evidence(finding: Finding) -> protocol.Evidence:
    """A line of evidence."""
    return {
        "name": finding.name,
        "label": finding.label,
        "value": finding.value,
        "verdict": finding.verdict,
        "help": finding.help,
    }


def job(job: Job[Any], resumable: bool = False) -> protocol.Job:
    """What a worker is doing, as the page shows it."""
    latest = job.latest
    return {
        "id": job.id,
        "state": job.state,
        "phase": job.phase,
        "note": "",
        "done": latest.done if latest else 0,
        "total": latest.total if latest else 0,
        "seconds": round(job.seconds, 3),
        "eta": job.eta,
        "resumable": resumable,
    }


def comparison(
    kind: Literal["methods", "targets"],
    compared: Comparison,
    results: list[protocol.Result],
    failures: list[protocol.Failure],
) -> protocol.Comparison:
    """A comparison as drawn. Many maps are sent coarser, for the page holds them all."""
    longest = 224 if len(results) <= 3 else 112
    return {
        "kind": kind,
        "results": [small(result, longest) for result in results],
        "rank": finite(compared.rank),
        "overlap": finite(compared.overlap),
        "failures": failures,
    }


def small(result: protocol.Result, longest: int = 224) -> protocol.Result:
    """A result in 8 bits, at most `longest` cells a side, without its curve."""
    values = decode(result["map"])
    step = max(1, -(-max(values.shape) // longest))
    return {**result, "map": grid(values[::step, ::step], bits=8), "curve": None, "heads": None}


def decode(packed: Grid) -> Floats:
    """The values of a grid."""
    kind = "<i2" if packed["bits"] == 16 else "i1"
    integers = np.frombuffer(packed["data"], kind).reshape(packed["shape"])
    return np.asarray(integers * packed["scale"], np.float64)


def path_maps(attribution: Attribution) -> tuple[list[float], Grid] | None:
    """The cumulative maps along the path, with their alphas; None where there are none."""
    path = attribution.path
    if path is None or path.maps is None or path.map_alpha is None:
        return None
    return path.map_alpha.tolist(), grid(path.maps[:, 0].double().numpy())


def _heads(attribution: Attribution) -> protocol.Heads | None:
    attention = attribution.attention
    if attention is None:
        return None
    layers, heads = attention.weights.shape[:2]
    return {"layers": int(layers), "heads": int(heads), "grid": list(attention.grid)}


def head_maps(attention: Attention) -> Grid:
    """The attention of every head (layers * heads, rows, columns), as from the class token."""
    prefix = attention.prefix
    weights = attention.weights.flatten(0, 1)
    seen = weights[:, 0] if prefix else weights.mean(1)
    return grid(seen[:, prefix:].reshape(-1, *attention.grid).double().numpy())


def with_heads(result: protocol.Result, attention: Attention) -> protocol.Result:
    """The result with the maps of its heads in it, at most LARGEST_HEADS bytes of them."""
    assert result["heads"] is not None
    fine = maps = head_maps(attention)
    step = 1
    while len(maps["data"]) > LARGEST_HEADS and step < max(maps["shape"]):
        step += 1
        maps = grid(decode(fine)[:, ::step, ::step])
    return {**result, "heads": {**result["heads"], "maps": maps}}


def patch_maps(attention: Attention, layer: int, head: int) -> Grid:
    """Where each patch attends in one head (-1: their mean): (patches, rows, columns)."""
    heads = attention.weights[layer]
    matrix = heads.mean(0) if head < 0 else heads[head]
    patches = matrix[attention.prefix :, attention.prefix :]
    return grid(patches.reshape(-1, *attention.grid).double().numpy())


def players(attribution: Attribution) -> protocol.Players | None:
    """What each player adds, and which pixels are its own; None where nothing adds up."""
    if not additive(attribution):
        return None
    shares = contributions(attribution)
    return {
        "names": shares.names,
        "values": shares.values.tolist(),
        "errors": None if shares.errors is None else shares.errors.tolist(),
        "shown": shares.shown,
        "labels": runs.encode(shares.labels) if shares.of_picture else None,
        "base": shares.base,
        "score": shares.score,
        "unit": shares.unit,
        "evaluations": shares.evaluations,
    }


def _curve(attribution: Attribution) -> protocol.Curve | None:
    path, inputs = attribution.path, attribution.inputs
    if path is None or inputs.is_table:
        return None
    return {
        "alpha": [round(v, 6) for v in path.alpha.tolist()],
        "score": path.score[0].tolist(),
        "accumulated": path.accumulated[0].tolist(),
        "baseline": picture(_seen(inputs, path.baseline), quality=80),
        "has_maps": path.maps is not None,
    }


def _seen(inputs: Inputs, baseline: Any) -> Image.Image:
    assert inputs.view is not None
    return inputs.view.picture(baseline[0])


def _chips(spec: protocol.Spec) -> str:
    chips = [str(spec["baseline"]["kind"])] if spec["baseline"] else []
    chips += [
        f"{name} {value}"
        for name, value in spec["params"].items()
        if not isinstance(value, bool) and name in ("steps", "samples", "statistic", "budget")
    ]
    return " · ".join(chips)
