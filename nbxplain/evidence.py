"""How to read the numbers that come with an attribution: in words, against stated thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["good", "weak", "poor", "plain"]


@dataclass(frozen=True)
class Finding:
    """One checkable number, ready to be shown. `verdict` is plain where no threshold is stated."""

    name: str
    label: str
    value: str
    verdict: Verdict
    help: str


def findings(evidence: Mapping[str, list[float]], row: int = 0) -> list[Finding]:
    """The findings for one input, from the raw numbers of an attribution."""
    raw = {name: values[row if len(values) > 1 else 0] for name, values in evidence.items()}
    readers = (
        _completeness,
        _conservation,
        _relevance,
        _exact,
        _standard_error,
        _local_fit,
        _directional,
        _bfloat16,
        _cost,
    )
    return [finding for reader in readers if (finding := reader(raw)) is not None]


def graded(value: float, good: float, weak: float) -> Verdict:
    """The verdict between two thresholds, whichever way is better; plain where it is nan."""
    if math.isnan(value):
        return "plain"
    better = value.__ge__ if good >= weak else value.__le__
    return "good" if better(good) else "weak" if better(weak) else "poor"


def percent(share: float) -> str:
    """A share as a percentage with two significant digits and no exponent."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"


def _completeness(raw: dict[str, float]) -> Finding | None:
    if "completeness_gap" not in raw:
        return None
    gap, change = raw["completeness_gap"], raw["score_change"]
    help = (
        "The attribution should sum to the score less the baseline's score. "
        "Green up to 1 % of that difference, amber up to 5 %: more steps close the gap."
    )
    if abs(change) < 1e-6:
        return Finding(
            "completeness_gap", "completeness gap", f"{gap:+.2g} (no change)", "plain", help
        )
    share = abs(gap / change)
    # A contrast can change by next to nothing; then the two numbers say more than their ratio.
    text = f"{percent(share)} of {change:.3g}" if share < 2 else f"{gap:+.2g}, of {change:+.2g}"
    return Finding("completeness_gap", "completeness gap", text, graded(share, 0.01, 0.05), help)


def _conservation(raw: dict[str, float]) -> Finding | None:
    if "conservation_gap" not in raw:
        return None
    total = raw["score"] + raw["conservation_gap"]
    help = "Equal for a network of ReLUs without biases; otherwise biases take the difference."
    return Finding(
        "conservation_gap",
        "sum, against score",
        f"{total:.3g} of {raw['score']:.3g}",
        "plain",
        help,
    )


def _relevance(raw: dict[str, float]) -> Finding | None:
    if "relevance" not in raw:
        return None
    total, score = raw["relevance"], raw["relevance_score"]
    biases, stabiliser = raw["absorbed_by_biases"], raw["absorbed_by_stabiliser"]
    missing = abs(score - total - biases - stabiliser) / max(abs(score), 1e-6)
    return Finding(
        "relevance",
        "relevance",
        f"{total:.3g} of {score:.3g}, {biases + stabiliser:.3g} absorbed",
        graded(missing, 0.01, 0.05),
        f"Biases absorbed {biases:.3g}, the stabiliser {stabiliser:.2g}; with the relevance of the "
        "inputs they should sum to the score. "
        "Green if at most 1 % is unaccounted for, amber up to 5 %.",
    )


def _exact(raw: dict[str, float]) -> Finding | None:
    if not raw.get("exact"):
        return None
    help = "Every coalition was evaluated: nothing was estimated."
    return Finding("exact", "values", "exact", "good", help)


def _standard_error(raw: dict[str, float]) -> Finding | None:
    if "standard_error" not in raw or raw.get("exact"):
        return None
    share = raw["standard_error"]
    help = (
        "Size of the standard error of the map relative to the map. "
        "Green up to 10 %, amber up to 30 %: more samples shrink it."
    )
    return Finding(
        "standard_error", "standard error", f"± {percent(share)}", graded(share, 0.1, 0.3), help
    )


def _local_fit(raw: dict[str, float]) -> Finding | None:
    if "local_fit" not in raw:
        return None
    share = raw["local_fit"]
    help = (
        "Share of the score's variance near the input that a sum over regions accounts for "
        "(weighted R²). Green from 80 %, amber from 50 %: below, the model is not additive here."
    )
    return Finding("local_fit", "local fit, R²", f"{share:.2f}", graded(1 - share, 0.2, 0.5), help)


def _directional(raw: dict[str, float]) -> Finding | None:
    if "directional_derivative" not in raw:
        return None
    return Finding(
        "directional_derivative",
        "directional derivative",
        f"{raw['directional_derivative']:+.3g}",
        "plain",
        "How fast the score grows along the concept's unit direction: what the map of the effect "
        "sums to, and what TCAV takes the sign of.",
    )


def _bfloat16(raw: dict[str, float]) -> Finding | None:
    if "bfloat16_cosine" not in raw:
        return None
    cosine = raw["bfloat16_cosine"]
    help = (
        "Cosine between gradients in bfloat16 and in float32 on a sample of the same passes. "
        "Green from .99, amber from .9."
    )
    return Finding(
        "bfloat16_cosine",
        "bfloat16, against float32",
        f"cosine {cosine:.3f}",
        graded(1 - cosine, 0.01, 0.1),
        help,
    )


def _cost(raw: dict[str, float]) -> Finding | None:
    if "evaluations" not in raw:
        return None
    count = f"{int(raw['evaluations']):,}".replace(",", "\u202f")
    return Finding(
        "evaluations",
        "evaluations",
        f"{count} in {raw['seconds']:.2g} s",
        "plain",
        "Inputs that went through the model for this result, and the time they took.",
    )
