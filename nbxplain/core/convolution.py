"""A convolution with all that is done to its result at once: a batch norm, a sum, a ReLU.

A batch norm in evaluation mode is nothing but other weights of the convolution before it. Its
gradient at the input is that of a convolution followed by a ReLU, which needs no more than what
went in and what came out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nbxplain.core.calls import Operation

Activation = tuple[str, list[float], str]
"""oneDNN's name of an activation, its numbers, and its variant."""

ACTIVATIONS: dict[str, Callable[..., Activation]] = {
    "relu": lambda: ("relu", [], ""),
    "relu6": lambda: ("hardtanh", [0.0, 6.0], ""),
    "hardtanh": lambda min_val=-1.0, max_val=1.0: ("hardtanh", [min_val, max_val], ""),
    "silu": lambda: ("swish", [], ""),
    "hardswish": lambda: ("hardswish", [], ""),
}
"""How oneDNN calls what torch calls so."""

SLOPES: dict[str, Callable[..., Tensor]] = {
    "relu": lambda gradient, result: torch.ops.aten.threshold_backward(gradient, result, 0.0),
    "hardtanh": torch.ops.aten.hardtanh_backward,
}
"""Gradients of those activations whose slope their result tells."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A convolution, what is added to it, and the activation of the sum, all in one run.

    `versions` are those of the tensors that it will read; with `graph` gradients are recorded.
    """

    input: Tensor
    weight: Tensor
    bias: Tensor | None
    padding: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    graph: bool
    summand: Tensor | None = None
    activation: Activation | None = None
    versions: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of the result."""
        height, width = (
            1 + (size + 2 * padding - dilation * (kernel - 1) - 1) // stride
            for size, padding, dilation, kernel, stride in zip(
                self.input.shape[2:],
                self.padding,
                self.dilation,
                self.weight.shape[2:],
                self.stride,
                strict=True,
            )
        )
        return self.input.shape[0], self.weight.shape[0], height, width

    @property
    def differentiated(self) -> bool:
        """Whether a gradient may flow back through it."""
        read = (self.input, self.summand)
        return self.graph and any(tensor is not None and tensor.requires_grad for tensor in read)

    def run(self) -> Tensor:
        """The result. Raises RuntimeError when what it reads was overwritten meanwhile."""
        if self.versions != versions(self.input, self.summand):
            raise RuntimeError("What a convolution reads was overwritten before it ran.")
        if self.summand is None and self.activation is None:
            where = self.stride, self.padding, self.dilation, self.groups
            with torch.set_grad_enabled(self.graph):
                return torch.conv2d(self.input, self.weight, self.bias, *where)
        if not self.differentiated:
            return self.forward()
        # The model may have left the mode in which the convolution was called.
        with torch.enable_grad():
            result: Tensor = _Differentiated.apply(  # type: ignore[no-untyped-call]
                self.input, self.summand, self
            )
        return result

    def forward(self) -> Tensor:
        """The result, without a graph."""
        name, numbers, variant = self.activation or ("none", [], "")
        fused = torch.ops.mkldnn._convolution_pointwise
        result: Tensor
        with torch.no_grad():
            if self.summand is None:
                weights = self.input, self.weight, self.bias
                result = fused(*weights, *self.where, name, numbers, variant)
            else:
                tensors = self.input, self.summand, self.weight, self.bias
                then = name if self.activation else None
                result = fused.binary(*tensors, *self.where, "add", 1.0, then, numbers, variant)
        return result

    @property
    def where(self) -> tuple[list[int], list[int], list[int], int]:
        """Padding, stride, dilation and groups."""
        return list(self.padding), list(self.stride), list(self.dilation), self.groups


class _Differentiated(torch.autograd.Function):
    """The run of a plan, whose input and summand get their gradients."""

    @staticmethod
    def forward(context: Any, input: Tensor, summand: Tensor | None, plan: Plan) -> Tensor:
        result = plan.forward()
        # Not the plan itself: autograd lets go of what is saved as soon as it was used.
        context.where, context.activation = plan.where, plan.activation
        context.save_for_backward(input, plan.weight, *([result] if plan.activation else []))
        return result

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        input, weight, *result = context.saved_tensors
        if context.activation is not None:
            name, numbers, _ = context.activation
            gradient = SLOPES[name](gradient, *result, *numbers)
        at_input, at_summand, _ = context.needs_input_grad
        below = _convolution_backward(gradient, input, weight, *context.where) if at_input else None
        return below, gradient if at_summand else None, None


def _convolution_backward(
    gradient: Tensor,
    input: Tensor,
    weight: Tensor,
    padding: list[int],
    stride: list[int],
    dilation: list[int],
    groups: int,
) -> Tensor:
    (outputs, inputs, *kernel), steps = weight.shape, [*stride, groups]
    if max(*kernel, *steps) == 1 and not any(padding):
        # A matrix product, which torch's convolutions take up to four times as long for.
        at_places = gradient.permute(0, 2, 3, 1) @ weight.view(outputs, inputs)
        return at_places.permute(0, 3, 1, 2)
    transposed, output_padding, wanted = False, [0, 0], [True, False, False]
    below: Tensor = torch.ops.aten.convolution_backward(
        gradient, input, weight, None, stride, padding, dilation,
        transposed, output_padding, groups, wanted,
    )[0]  # fmt: skip
    return below


@dataclass(frozen=True, eq=False)
class Padding:
    """Zeros around pictures, as many on one side as on the other: (down, right) of each."""

    input: Tensor
    width: tuple[int, int]
    graph: bool
    versions: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of the result."""
        (rows, channels, height, width), (down, right) = self.input.shape, self.width
        return rows, channels, height + 2 * down, width + 2 * right

    def run(self) -> Tensor:
        """The result. Raises RuntimeError when what it reads was overwritten meanwhile."""
        if self.versions != versions(self.input):
            raise RuntimeError("What is padded was overwritten before it was.")
        down, right = self.width
        with torch.set_grad_enabled(self.graph):
            return F.pad(self.input, (right, right, down, down))


def versions(*tensors: Tensor | None) -> tuple[int, ...]:
    """Numbers that rise when one of the tensors is overwritten."""
    return tuple(tensor._version for tensor in tensors if tensor is not None)


def pair(value: Any) -> tuple[int, int]:
    """What torch takes as one number for both directions, or as two."""
    first, second = (value, value) if isinstance(value, int) else tuple(value) * (2 // len(value))
    return first, second


def norm_arguments(norm: Operation) -> dict[str, Any]:
    """The arguments of F.batch_norm by name."""
    names = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum")
    defaults = {"weight": None, "bias": None, "training": False, "eps": 1e-5}
    return defaults | dict(zip((*names, "eps"), norm.arguments, strict=False)) | norm.options


def fold(
    weight: Tensor, bias: Tensor | None, norm: dict[str, Any], outputs: int = 0
) -> tuple[Tensor, Tensor]:
    """Weight and bias of the one linear map that equals a linear map and a batch norm after it.

    `norm` has the arguments of the batch norm; `outputs` is the weight's dimension of outputs.
    """
    scale = torch.rsqrt(norm["running_var"] + norm["eps"])
    if norm["weight"] is not None:
        scale = scale * norm["weight"]
    shift = -norm["running_mean"] if bias is None else bias - norm["running_mean"]
    shift = shift * scale
    if norm["bias"] is not None:
        shift = shift + norm["bias"]
    shape = [1] * weight.ndim
    shape[outputs] = -1
    return weight * scale.view(shape), shift


__all__ = [
    "ACTIVATIONS",
    "SLOPES",
    "Activation",
    "Padding",
    "Plan",
    "fold",
    "norm_arguments",
    "pair",
    "versions",
]
