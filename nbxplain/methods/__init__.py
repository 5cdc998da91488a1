"""The methods: one file a family, one class a method. Importing a family registers it."""

from nbxplain.methods.base import REGISTRY, Method, Partial, Question, make
from nbxplain.methods.cam import GradCAM
from nbxplain.methods.gradient import Gradient, InputXGradient, SmoothGrad
from nbxplain.methods.path import IntegratedGradients

__all__ = [
    "REGISTRY",
    "GradCAM",
    "Gradient",
    "InputXGradient",
    "IntegratedGradients",
    "Method",
    "Partial",
    "Question",
    "SmoothGrad",
    "make",
]
