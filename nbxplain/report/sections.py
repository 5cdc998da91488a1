"""From an explanation to the sections of its report: question, answer, evidence, limits, origin."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from nbxplain.compare import Comparison
from nbxplain.evaluation.check import Check, number
from nbxplain.evaluation.curves import Curve
from nbxplain.figure import draw
from nbxplain.figure.style import brief
from nbxplain.report.blocks import (
    VERDICTS,
    Block,
    Code,
    Facts,
    Plate,
    Points,
    Row,
    Section,
    Table,
    Text,
)
from nbxplain.report.limits import limits
from nbxplain.results import Attribution
from nbxplain.sentence import sentence

WIDE = (0.5, 0.25, 0.25)
"""Shares of the room of a name and two numbers."""


def sections(
    attribution: Attribution,
    checks: Sequence[Check],
    alternatives: Sequence[Attribution],
    context: dict[str, str],
    code: str,
) -> list[Section]:
    """All sections in the order in which they are read."""
    return [
        Section("What was asked", _asked(attribution, context)),
        Section("What the model says", _said(attribution)),
        Section("The explanation", _explained(attribution)),
        *([Section("Other explanations", _others(attribution, alternatives))] * bool(alternatives)),
        Section("How it was checked", _checked(attribution, checks)),
        Section("Limits", [Points(limits(attribution, checks))]),
        Section("Provenance", _origin(attribution, code)),
    ]


def _asked(attribution: Attribution, context: dict[str, str]) -> list[Block]:
    p, inputs = attribution.provenance, attribution.inputs
    shape = " x ".join(map(str, inputs.tensor.shape[1:]))
    kind = "a row of a table" if inputs.is_table else "a picture"
    weights = p.get("settings") or f"weights {p.get('weights', 'unknown')}"
    digest = hashlib.sha256(inputs.tensor.contiguous().numpy().tobytes()).hexdigest()
    return [
        Facts(
            [
                ("Explained", attribution.target[0]),
                ("Method", f"{attribution.method.label}. {_about(attribution)}"),
                *([("Layer", attribution.layer)] if attribution.layer else []),
                ("Model", f"{p.get('model', 'unknown')}, {weights}"),
                ("Input", f"{kind} ({shape} as fed), SHA-256 {digest}"),
                ("Preprocessing", str(p.get("preprocessing", "unknown"))),
                ("Date", str(p.get("date", "unknown"))),
                *context.items(),
            ]
        )
    ]


def _about(attribution: Attribution) -> str:
    lines = (type(attribution.method).__doc__ or "").strip().split("\n\n")
    return " ".join(lines[0].split())


def _said(attribution: Attribution) -> list[Block]:
    best = attribution.prediction.top(5)
    if not best:
        return [Text("The output of this model is not one score a class.")]
    rows = [
        Row((c.label, "" if c.probability is None else f"{c.probability:.1%}", f"{c.score:.4g}"))
        for c in best
    ]
    first = best[0].label
    explained = attribution.target[0]
    what = (
        f"The model's first choice is {first}, and that is what is explained."
        if explained == first
        else f"The model's first choice is {first}. What is explained is {explained}."
    )
    return [Text(what), Table(("class", "probability", "score"), rows, (0.6, 0.2, 0.2))]


def _explained(attribution: Attribution) -> list[Block]:
    says = sentence(attribution)
    blocks: list[Block] = [Plate(draw(attribution, caption=False), says)]
    if attribution.players is not None and not attribution.inputs.is_table:
        shares = draw(attribution, kind="waterfall", caption=False)
        blocks.append(Plate(shares, "What each part of the picture adds to the score."))
    return blocks


def _others(attribution: Attribution, alternatives: Sequence[Attribution]) -> list[Block]:
    everyone = Comparison([attribution, *alternatives])
    names = [_named(a, attribution) for a in alternatives]
    rank, overlap = everyone.rank[0][1:], everyone.overlap[0][1:]
    rows = [
        Row((name, number(r), number(o))) for name, r, o in zip(names, rank, overlap, strict=True)
    ]
    says = "The explanation beside the others, each on a scale of its own."
    return [
        Plate(everyone.figure(caption=False), says),
        Table(("compared with", "rank correlation", "top tenth in common"), rows, WIDE),
    ]


def _named(other: Attribution, attribution: Attribution) -> str:
    same = other.target[0] == attribution.target[0]
    return other.method.label if same else f"{other.method.label} for {other.target[0]}"


def _checked(attribution: Attribution, checks: Sequence[Check]) -> list[Block]:
    found = {f.name: f for f in [*attribution.findings(), *(c.finding() for c in checks)]}
    rows = [Row((f.label, f.value, VERDICTS[f.verdict], f.help), f.verdict) for f in found.values()]
    blocks: list[Block] = [
        Table(("evidence", "value", "verdict", "what it means"), rows, (0.2, 0.2, 0.12, 0.48))
    ]
    if not rows:
        blocks = [Text("Nothing about this explanation was checked.")]
    return [*blocks, *map(_drawn, checks)]


def _drawn(check: Check) -> Plate:
    # A curve needs less room than a row of maps.
    width = "single" if isinstance(check, Curve) else "double"
    return Plate(check.figure(caption=False, width=width), f"{check.label}: {check.reading}.")


def _origin(attribution: Attribution, code: str) -> list[Block]:
    shown = {**attribution.provenance, "parameters": brief(attribution.method)}
    rows = [(name.replace("_", " "), _text(value)) for name, value in shown.items()]
    return [Facts(rows), *([Code(code)] if code else [])]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
