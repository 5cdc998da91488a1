"""Relevance sent back through the network by rules on its operations, in one backward pass."""

from nbxplain.methods.propagation.deep_lift import DeepLift, DeepShap
from nbxplain.methods.propagation.guided import Deconvnet, GuidedBackprop, GuidedGradCAM
from nbxplain.methods.propagation.lrp import LRP

__all__ = ["LRP", "Deconvnet", "DeepLift", "DeepShap", "GuidedBackprop", "GuidedGradCAM"]
