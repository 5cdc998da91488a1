"""Is a concept's score more than chance?"""

from __future__ import annotations

from numbers import Real

from scipy import stats
from torch import Tensor

from nbxplain.core.errors import MethodError


def check_level(alpha: float) -> None:
    """Raises MethodError for what is no level of significance."""
    if not isinstance(alpha, Real) or not 0 < alpha < 1:
        raise MethodError(
            f"alpha = {alpha!r} is no level of significance.", "Give it between 0 and 1."
        )


def permutation_p(statistic: float, null: Tensor) -> float:
    """How often a set without the concept does as well, two-sided: (1 + count) / (1 + R).

    `null` (R,) holds the statistic of R sets drawn from the random pool. The concept's set counts
    as one of R + 1, so the smallest p is 1 / (R + 1) (Phipson and Smyth 2010).
    """
    as_far = int((null.abs() >= abs(statistic)).sum())
    return (1 + as_far) / (1 + len(null))


def above_p(statistic: float, null: Tensor) -> float:
    """The same one-sided: how often a set without the concept reaches the statistic."""
    return (1 + int((null >= statistic).sum())) / (1 + len(null))


def false_discovery(p: list[float]) -> list[float]:
    """p values corrected for their number: the rate of false discoveries at which each would be
    called one (Benjamini and Hochberg 1995)."""
    return [float(q) for q in stats.false_discovery_control(p)] if p else []


def t_test_p(scores: Tensor, random: Tensor) -> float:
    """The literature's Welch test of concept scores (runs,) against random scores (R,).

    Shown beside the permutation test for comparison alone: the runs share one positive set, so the
    scores are not independent, and the test rejects far more often than its level says.
    """
    gap = float(scores.mean() - random.mean())
    parts = [float(s.var()) / len(s) for s in (scores, random)]
    if sum(parts) == 0:
        return 1.0 if gap == 0 else 0.0
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(s) - 1) for part, s in zip(parts, (scores, random), strict=True)
    )
    return float(2 * stats.t.sf(abs(gap) / sum(parts) ** 0.5, freedom))
