"""What a network knows of things that have names: concepts, their directions, and their tests."""

from nbxplain.concepts.alignment import Alignment, align
from nbxplain.concepts.concept import Concept
from nbxplain.concepts.discovery import discover
from nbxplain.concepts.features import FeatureCache
from nbxplain.concepts.found import Discovered, Discovery
from nbxplain.concepts.result import TCAV, ConceptScore
from nbxplain.concepts.steering import Steering, steer
from nbxplain.concepts.tcav import tcav
from nbxplain.core.cav import CAV

__all__ = [
    "CAV",
    "TCAV",
    "Alignment",
    "Concept",
    "ConceptScore",
    "Discovered",
    "Discovery",
    "FeatureCache",
    "Steering",
    "align",
    "discover",
    "steer",
    "tcav",
]
