"""Changed pictures that were found, in the form in which they cross to the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import torch
from PIL import Image
from torch import Tensor

from nbxplain.core.pixels import PixelSpace
from nbxplain.counterfactuals.editing.edited import shares
from nbxplain.counterfactuals.pictures import PictureCounterfactuals
from nbxplain.evidence import Verdict
from nbxplain.explain import Setting
from nbxplain.results import Prediction
from nbxplain.widget import html, protocol, wire
from nbxplain.widget.panels.seeking import Hunted, Probed

LONGEST, SMALL = 224, 72
"""Sides in pixels of a picture that is kept, and of one in a strip."""
STRIP = 6
"""Pictures in the strip that is kept."""
REGIONS = 5
"""Regions whose shares are told."""
MIDDLING = 0.7
"""The rank correlation of two attributions below which they are said to differ."""
Strip = dict[int, protocol.Picture]
"""Iterates by their step, encoded once."""


def moves(
    before: Prediction, after: Prediction, explained: Sequence[int], row: int = 0, joining: int = 3
) -> list[protocol.Moved]:
    """How the best classes of before moved, those that are explained, and the `joining` best of
    after."""
    first = [choice.index for choice in before.top(also=explained)]
    joined = [c.index for c in after.top(joining, row) if c.index not in first]
    a, b = shares(before), shares(after, row)
    return [
        {"index": i, "label": before.labels[i], "before": a[i], "after": b[i]}
        for i in [*first, *joined]
    ]


def walk(hunted: Hunted, setting: Setting, strip: Strip) -> protocol.Walk:
    """A search under way; the desired class is told however improbable it is."""
    result = hunted.result
    for iterate in result.iterates:
        if iterate.step not in strip:
            strip[iterate.step] = wire.picture(iterate.picture, longest=SMALL, quality=80)
    desired = [result.wish.index] if result.wish.interval is None else []
    followed = [*setting.target.classes, *desired]
    return {
        "iterates": list(strip.values()),
        "way": _way(result, 0),
        "picture": wire.picture(result.pictures[0], longest=LONGEST),
        # The page has room for two more bars: the desired one and whatever wins meanwhile.
        "choices": moves(setting.prediction, hunted.said, followed, joining=1),
    }


def counterfactuals(hunted: Hunted, setting: Setting, strip: Strip) -> list[protocol.Found]:
    """Each picture that a search came to; `hunted` is the last step."""
    before, explained = setting.prediction, setting.target.classes
    result, said = hunted.result, hunted.said
    walk(hunted, setting, strip)
    every = max(1, -(-len(strip) // STRIP))
    found: list[protocol.Found] = []
    for number, picture in enumerate(result.pictures):
        honesty = result.honesty[number]
        found.append(
            {
                "id": uuid4().hex[:12],
                "kind": "counterfactual",
                "title": result.desired if len(result) == 1 else f"{result.desired} {number + 1}",
                "reached": bool(result.valid[number]),
                "says": " ".join([_reached(result, number), honesty.verdict]),
                "choices": moves(before, said, explained, number),
                "picture": wire.picture(picture, longest=LONGEST, quality=85),
                "change": wire.picture(result.drawn(number), longest=LONGEST, quality=80),
                "amplified": round(result.gain(number), 2),
                "facts": _facts(result, number),
                "shares": [
                    {"name": f"{name}, {100 * area:.0f} % of the picture", "share": share}
                    for name, share, area in result.parts(number)[:REGIONS]
                ],
                "iterates": list(strip.values())[::every] if number == 0 else [],
                "way": _way(result, number),
                "maps": [],
                "fragility": None,
            }
        )
    return found


def kept(one: protocol.Found) -> protocol.HistoryItem:
    """Something found as an item of the history."""
    name = one["title"] if one["kind"] == "probe" else f"→ {one['title']}"
    return {"id": one["id"], "name": name, "pinned": False, "found": one}


def _reached(result: PictureCounterfactuals, number: int) -> str:
    state = "" if result.complete else f" (stopped at step {result.done} of {result.total})"
    share = float(result.probability[number])
    chance = "" if math.isnan(share) else f", probability {result.before:.2g} → {share:.2g}"
    if bool(result.valid[number]):
        return f"The model says {result.desired}{chance}{state}."
    return f"Not reached{state}: the model says {result.after[number]}; {result.desired}{chance}."


def _facts(result: PictureCounterfactuals, number: int) -> list[protocol.Evidence]:
    honesty = result.honesty[number]
    change = result.difference[number]
    shifts = all(honesty.shifts.values())
    facts = [
        _fact("validity", "yes" if result.valid[number] else "no", result.valid[number]),
        _fact("length of the change (L2)", f"{float(result.distance[number]):.3g}"),
        _fact("mean change", f"{100 * float(change.abs().mean()):.2g} % of white"),
        _fact("largest change", f"{100 * float(change.abs().max()):.2g} % of white"),
        _fact(
            "energy in fine waves",
            f"{honesty.high_frequency:.0%}",
            not honesty.rough,
            "Of the change, in waves under 8 pixels; above half it is mostly noise.",
        ),
    ]
    if honesty.plain:
        facts += [
            _fact("survives JPEG at quality 75", "yes" if honesty.jpeg else "no", honesty.jpeg),
            _fact("survives a shift by one pixel", "yes" if shifts else "no", shifts),
        ]
    if len(result) > 1:
        facts.append(_fact("mean distance between them", f"{result.diversity:.3g}"))
    return facts


def _way(result: PictureCounterfactuals, number: int) -> protocol.Way:
    curve = {name: values[:, number].double() for name, values in result.curve.items()}
    losses = curve.pop("class", torch.zeros(0))
    curve.pop("probability", None)
    return {
        "losses": losses.tolist(),
        "costs": sum(curve.values(), torch.zeros_like(losses)).tolist(),
        "reached": int(result.reached[number]) or None,
    }


def probe(probed: Probed, explained: Sequence[int], clip: float, colormap: str) -> protocol.Found:
    """What a probe found."""
    changed, inputs = probed.changed, probed.changed.probe.inputs
    clean = changed.probe.clean[0].cpu()
    pixels = changed.pixels[0, -1].cpu()
    view = inputs.view or PixelSpace()
    won = bool(changed.success[0, -1])
    gain = 0.5 / max(float((pixels - clean).abs().max()), 1e-12)
    names = changed.probe.names
    was, now = names[int(changed.probe.truth[0])], names[int(changed.after[0, -1])]
    size = float(changed.sizes[0, -1])
    facts = [
        _fact("changed as wanted", "yes" if won else "no"),
        _fact(f"size of the change ({probed.norm})", f"{size:.3g}"),
        _fact("passes", str(changed.evaluations)),
    ]
    if probed.epsilon is not None:
        value = "none found" if math.isinf(probed.epsilon) else f"{probed.epsilon:.3g}"
        facts.insert(1, _fact("smallest epsilon", value, help="By bisection, up to 2 %."))
    if probed.rank is not None:
        facts.append(
            _fact(
                "attribution, before and after",
                "constant" if math.isnan(probed.rank) else f"ρ {probed.rank:.2f}",
                None if math.isnan(probed.rank) else probed.rank >= MIDDLING,
                f"Spearman's correlation of the maps of {was}; good from {MIDDLING}.",
            )
        )
    outcome = f"{was} becomes {now}" if now != was else f"It stays {was}"
    return {
        "id": uuid4().hex[:12],
        "kind": "probe",
        "title": probed.attack.replace("_", "").upper().replace("DEEPFOOL", "DeepFool"),
        "reached": won,
        "says": f"{outcome}. A probe of fragility, not an explanation.",
        "choices": moves(probed.before, probed.said, explained),
        "picture": wire.picture(_shown(changed.tensor[0, -1], view), longest=LONGEST, quality=92),
        "change": wire.picture(
            PixelSpace().picture((0.5 + gain * (pixels - clean)).float()),
            longest=LONGEST,
            quality=80,
        ),
        "amplified": round(gain, 1),
        "facts": facts,
        "shares": [],
        "iterates": [],
        "way": {"losses": [], "costs": [], "reached": None},
        "maps": [
            wire.picture(html.overlay(one, 0.7, clip, colormap), longest=LONGEST, quality=80)
            for one in probed.maps
        ],
        "fragility": _fragility(probed),
    }


def _shown(tensor: Tensor, view: PixelSpace) -> Image.Image:
    return view.picture(tensor.cpu())


def _fragility(probed: Probed) -> protocol.Fragility | None:
    robustness = probed.robustness
    if robustness is None:
        return None
    return {
        "epsilon": robustness.epsilon.tolist(),
        "confidence": robustness.confidence.tolist(),
        "kept": robustness.accuracy.tolist(),
        "random": robustness.random.tolist(),
        "flags": list(robustness.flags),
    }


def _fact(label: str, value: str, good: Any = None, help: str = "") -> protocol.Evidence:
    verdict: Verdict = "plain" if good is None else "good" if bool(good) else "poor"
    name = label.replace(" ", "_")
    return {"name": name, "label": label, "value": value, "verdict": verdict, "help": help}


__all__ = ["counterfactuals", "kept", "moves", "probe", "walk"]
