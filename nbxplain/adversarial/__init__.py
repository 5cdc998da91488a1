"""Probes of fragility: how small a change turns a prediction. They explain nothing by themselves.

Changes are measured in pixels from 0 to 1 and stay within what a screen can show; for tables in the
model's units.
"""

from nbxplain.adversarial.result import Adversarial
from nbxplain.adversarial.search import (
    Robustness,
    Smallest,
    apgd,
    deep_fool,
    fgsm,
    pgd,
    robustness_curve,
    smallest_epsilon,
)

__all__ = [
    "Adversarial",
    "Robustness",
    "Smallest",
    "apgd",
    "deep_fool",
    "fgsm",
    "pgd",
    "robustness_curve",
    "smallest_epsilon",
]
