"""The methods: one file a family, one class a method. Importing a family registers it."""

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
from nbxplain.methods.gradient import Gradient, InputXGradient, SmoothGrad
from nbxplain.methods.path import IntegratedGradients

__all__ = [
    "CAM",
    "REGISTRY",
    "AblationCAM",
    "EigenCAM",
    "GradCAM",
    "GradCAMPlusPlus",
    "Gradient",
    "HiResCAM",
    "InputXGradient",
    "IntegratedGradients",
    "LayerCAM",
    "Method",
    "Partial",
    "Question",
    "ScoreCAM",
    "SmoothGrad",
    "XGradCAM",
    "make",
]
