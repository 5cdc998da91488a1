"""The methods: one file a family, one class a method. Importing a family registers it."""

from nbxplain.methods.attention import (
    AttentionFlow,
    AttentionGradient,
    AttentionRaw,
    AttentionRollout,
)
from nbxplain.methods.base import REGISTRY, Method, Partial, Question, make
from nbxplain.methods.cam import (
    CAM,
    EigenCAM,
    GradCAM,
    GradCAMPlusPlus,
    HiResCAM,
    LayerCAM,
    XGradCAM,
)
from nbxplain.methods.cam_scores import AblationCAM, ScoreCAM
from nbxplain.methods.concept_map import ConceptMap
from nbxplain.methods.gradient import Gradient, InputXGradient, SmoothGrad
from nbxplain.methods.lime import LIME
from nbxplain.methods.path import IntegratedGradients
from nbxplain.methods.perturbation import FeatureAblation, Occlusion
from nbxplain.methods.propagation import (
    LRP,
    Deconvnet,
    DeepLift,
    DeepShap,
    GuidedBackprop,
    GuidedGradCAM,
)
from nbxplain.methods.rise import RISE
from nbxplain.methods.shapley import (
    ExactShapley,
    GradientShap,
    KernelShap,
    LeverageShap,
    OddShap,
    PartitionShap,
    PermutationShapley,
    Shapley,
)
from nbxplain.methods.trees import TreeShap

__all__ = [
    "CAM",
    "LIME",
    "LRP",
    "REGISTRY",
    "RISE",
    "AblationCAM",
    "AttentionFlow",
    "AttentionGradient",
    "AttentionRaw",
    "AttentionRollout",
    "ConceptMap",
    "Deconvnet",
    "DeepLift",
    "DeepShap",
    "EigenCAM",
    "ExactShapley",
    "FeatureAblation",
    "GradCAM",
    "GradCAMPlusPlus",
    "Gradient",
    "GradientShap",
    "GuidedBackprop",
    "GuidedGradCAM",
    "HiResCAM",
    "InputXGradient",
    "IntegratedGradients",
    "KernelShap",
    "LayerCAM",
    "LeverageShap",
    "Method",
    "Occlusion",
    "OddShap",
    "Partial",
    "PartitionShap",
    "PermutationShapley",
    "Question",
    "ScoreCAM",
    "Shapley",
    "SmoothGrad",
    "TreeShap",
    "XGradCAM",
    "make",
]
