"""What a network knows of things that have names: concepts, their directions, and their tests."""

from nbxplain.concepts.concept import Concept
from nbxplain.concepts.features import FeatureCache
from nbxplain.concepts.tcav import TCAV, ConceptScore, tcav

__all__ = ["TCAV", "Concept", "ConceptScore", "FeatureCache", "tcav"]
