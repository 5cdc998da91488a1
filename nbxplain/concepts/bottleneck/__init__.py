"""Concept bottlenecks: networks whose class follows from named concepts, which can be corrected.

`ConceptBottleneck` trains one; `ConceptBottleneck.of` finds the one inside a model of your own.
Both answer the same: `state`, `corrected`, `intervene`, `next_concepts`.
"""

from nbxplain.concepts.bottleneck.base import Bottleneck
from nbxplain.concepts.bottleneck.curve import (
    InterventionCurve,
    intervention_curve,
    intervention_curve_steps,
)
from nbxplain.concepts.bottleneck.figure import draw_curves
from nbxplain.concepts.bottleneck.intervention import Intervention, State
from nbxplain.concepts.bottleneck.leakage import Leakage, leakage
from nbxplain.concepts.bottleneck.model import ConceptBottleneck
from nbxplain.concepts.bottleneck.training import Training

__all__ = [
    "Bottleneck",
    "ConceptBottleneck",
    "Intervention",
    "InterventionCurve",
    "Leakage",
    "State",
    "Training",
    "draw_curves",
    "intervention_curve",
    "intervention_curve_steps",
    "leakage",
]
