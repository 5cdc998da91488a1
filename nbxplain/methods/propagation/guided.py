"""Guided backpropagation and the deconvnet: gradients that only positive evidence passes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from nbxplain.core.calls import Operation
from nbxplain.core.errors import MethodError
from nbxplain.core.rules import Rule, RuleSet, graft
from nbxplain.methods.base import Group, Method, Partial, Question
from nbxplain.methods.cam import GradCAM
from nbxplain.methods.gradient import gradients

RECTIFIERS = ("relu", "relu6", "hardtanh", "clamp", "clamp_min", "threshold", "leaky_relu", "prelu")
"""What counts as a ReLU: functions that cut off one side."""


def guided_rule(operation: Operation) -> Tensor:
    """Positive gradient, where the input was positive."""
    x, *rest = operation.arguments
    # Copies, because autograd keeps either, and this operation or the next may work in place.
    result: Tensor = operation(x.clone(), *rest)
    if result.requires_grad:
        result.register_hook(lambda gradient: gradient.clamp(min=0))
    return result.clone()


def deconvnet_rule(operation: Operation) -> Tensor:
    """Positive gradient, wherever."""
    return graft(operation.arguments[0], operation.value(), lambda g: g.clamp(min=0))


class GuidedBackprop(Method):
    """The gradient with every ReLU letting through only what is positive in both directions.

    Sharp, but hardly changed by randomising the weights (Adebayo et al. 2018): it shows edges of
    the picture more than reasons of the model. Springenberg et al. 2015.
    """

    name: ClassVar[str] = "guided_backprop"
    label: ClassVar[str] = "Guided Backprop"
    group: ClassVar[Group] = "propagation"
    cost: ClassVar[int] = 1
    plain: ClassVar[bool] = True

    def run(self, question: Question) -> Iterator[Partial]:
        """One pass per input."""
        yield from _rectified(question, guided_rule, self.label)


class Deconvnet(Method):
    """The gradient with every ReLU applied to the gradient instead of the input.

    Like guided backpropagation it fails the sanity checks by nature. Zeiler and Fergus 2014.
    """

    name: ClassVar[str] = "deconvnet"
    label: ClassVar[str] = "Deconvnet"
    group: ClassVar[Group] = "propagation"
    cost: ClassVar[int] = 1
    plain: ClassVar[bool] = True

    def run(self, question: Question) -> Iterator[Partial]:
        """One pass per input."""
        yield from _rectified(question, deconvnet_rule, self.label)


class GuidedGradCAM(Method):
    """Guided backpropagation times the upsampled Grad-CAM of a layer.

    It inherits the sharpness of the one and the insensitivity to weights of the other. Selvaraju
    et al. 2017, section 3.2.
    """

    name: ClassVar[str] = "guided_grad_cam"
    label: ClassVar[str] = "Guided Grad-CAM"
    group: ClassVar[Group] = "CAM"
    cost: ClassVar[int] = 1
    plain: ClassVar[bool] = True
    needs_layer: ClassVar[bool] = True

    def run(self, question: Question) -> Iterator[Partial]:
        """Two passes per input; yields when both are known."""
        (*_, coarse) = GradCAM().run(question)
        size = question.tensor.shape[2:]
        weights = F.interpolate(coarse.values, size, mode="bilinear", align_corners=False)
        for partial in GuidedBackprop().run(question):
            partial.values = partial.values * weights
            partial.notices = [*coarse.notices, *partial.notices]
            yield partial


def _rectified(question: Question, rule: Rule, label: str) -> Iterator[Partial]:
    rules = RuleSet(dict.fromkeys(RECTIFIERS, rule), {}, strict=False)
    for partial in gradients(question, rules=rules):
        if not rules.met:
            raise MethodError(
                f"This model has no ReLU, so {label} is nothing but the gradient.",
                "Choose the gradient, or a method that suits the model's activations.",
            )
        yield partial
