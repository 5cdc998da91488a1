"""What an explanation cannot say, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from nbxplain.evaluation.check import Check
from nbxplain.methods.base import Method
from nbxplain.results import Attribution

ALWAYS = (
    "It concerns this one input. It says nothing about how the model treats others.",
    "It shows what the model's output depends on. That is no statement about causes outside the "
    "model, and a plausible map does not make the prediction right.",
)

OF_GROUP = {
    "gradient": "Gradients hold for very small changes of the input. Where the output is saturated "
    "a feature can matter and still have a gradient of nearly zero.",
    "path": "The values compare the input with a baseline. Another baseline asks another question "
    "and can give another map.",
    "CAM": "The map has the resolution of the chosen layer and is smoothed for the eye: its edges "
    "are not edges that the model saw. Another layer can give another map.",
    "propagation": "The rules of propagation are conventions. Other rules share out the same score "
    "in another way.",
    "perturbation": "Parts were replaced by something that does not occur in real pictures. The "
    "model's answer to such inputs is part of what is measured.",
    "Shapley": "A missing part is replaced by a baseline or background, and the values depend on "
    "that choice and on how the input was divided. They add up to the score, not to the "
    "probability, unless it says so.",
    "attention": "Attention says where information may flow, not how much of it decides.",
    "concept": "A concept is what its examples have in common, which may not be what its name "
    "says. The map holds at one layer, to first order.",
}
"""By the group of a method."""

OF_METHOD = {
    "guided_backprop": "Guided backpropagation hardly changes when the weights are randomised "
    "(Adebayo et al. 2018): it shows edges of the picture more than the model's reasons.",
    "guided_grad_cam": "Guided Grad-CAM hardly changes when the weights are randomised "
    "(Adebayo et al. 2018): its fine structure is the picture's more than the model's.",
    "deconvnet": "Deconvnet hardly changes when the weights are randomised: it shows edges of the "
    "picture more than the model's reasons.",
    "eigen_cam": "Eigen-CAM does not depend on the class that is explained.",
    "attention_raw": "Raw attention and rollout do not depend on the class that is explained.",
    "attention_rollout": "Raw attention and rollout do not depend on the class that is explained.",
}

BASIC = {
    "deletion": "deletion",
    "insertion": "insertion",
    "sanity": "sanity check by randomised weights",
    "stability": "stability",
}
"""Checks that a reader would miss, by name."""


def limits(attribution: Attribution, checks: Sequence[Check]) -> list[str]:
    """What a reader must know before relying on the explanation, the gravest first."""
    return [
        *_faults(attribution, checks),
        *_unchecked(checks),
        *_of(attribution.method),
        *ALWAYS,
        *attribution.notices,
    ]


def _faults(attribution: Attribution, checks: Sequence[Check]) -> list[str]:
    found = []
    if not attribution.complete:
        found.append(
            f"The computation was stopped at {attribution.done} of {attribution.total}: the map is "
            "not final."
        )
    if attribution.reason is not None:
        found.append(attribution.reason)
    findings = [*attribution.findings(), *(check.finding() for check in checks)]
    poor = [finding.label for finding in findings if finding.verdict == "poor"]
    if poor:
        found.append(
            f"Poor by its own evidence: {', '.join(dict.fromkeys(poor))}. Do not rely on this map "
            "without finding out why."
        )
    return found


def _unchecked(checks: Sequence[Check]) -> list[str]:
    done = {check.name for check in checks}
    missing = [label for name, label in BASIC.items() if name not in done]
    return [f"Not checked: {', '.join(missing)}."] if missing else []


def _of(method: Method) -> list[str]:
    own = OF_METHOD.get(method.name)
    group = OF_GROUP.get(method.group)
    return [text for text in (own, group) if text is not None]
