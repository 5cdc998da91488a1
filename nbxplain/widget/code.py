"""An attribution quoted as the code that computes it again."""

from __future__ import annotations

from nbxplain.core.baseline import Baseline
from nbxplain.core.target import Target
from nbxplain.methods.base import Method
from nbxplain.results import Attribution

OPTIONS = (
    "preprocess",
    "labels",
    "output",
    "device",
    "background",
    "feature_names",
    "categories",
)
"""Arguments that only the user can write down: they are named as they were given."""


def code(attribution: Attribution, target: Target, given: dict[str, bool]) -> str:
    """A call of explain that gives the same values, bit for bit on the same machine.

    `given` says which of OPTIONS the user passed; the code names variables for them.
    """
    p, what = attribution.provenance, "row" if attribution.inputs.is_table else "image"
    lines = [f"{attribution.method.name!r},", f"target={_target(target)},"]
    if target.function is None:
        lines[-1] += f"  # {attribution.target[0]}"
    if attribution.layer is not None:
        lines.append(f"layer={attribution.layer!r},")
    parameters = _parameters(attribution.method)
    if given.get("background"):
        # The table's, which the method was given.
        parameters.pop("background", None)
    lines += [f"{name}={value}," for name, value in parameters.items()]
    lines += [f"{name}={name}," for name in OPTIONS if given.get(name)]
    if p.get("precision", "float32") != "float32":
        lines.append(f"precision={p['precision']!r},")
    lines.append(f"chunk={p.get('chunk')},")
    lines.append(f"layout={p.get('layout')!r},")
    body = "\n".join(f"    {line}" for line in ["model,", f"{what},", *lines])
    names = sorted(
        name
        for name in ("Background", "Baseline", "CAV", "Contrast", "Regions")
        if f"{name}(" in body or f"{name}." in body
    )
    imports = f"from nbxplain import {', '.join([*names, 'explain'])}"
    return f"{imports}\n\nattribution = explain(\n{body}\n)\n"


def _target(target: Target) -> str:
    if target.function is not None:
        return getattr(target.function, "__name__", "target")
    index, against = target.index[0], target.against[0]
    return str(index) if against < 0 else f"Contrast({index}, {against})"


def _parameters(method: Method) -> dict[str, str]:
    return {
        name: "Baseline.image(baseline_picture)"
        if isinstance(value, Baseline) and value.kind == "image"
        else repr(value)
        for name, value in method
    }
